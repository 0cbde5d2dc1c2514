//! When windows close: all of them once the rows have come; before that only those that memory has no room for.

use tallow_table::NewPartition;

use crate::error::BatchError;
use crate::group_build::GroupBuild;
use crate::group_ledger::Accounts;
use crate::partition_builder::Finish;
use crate::plan::Plan;
use crate::step::Step;
use crate::window_accumulator::Fold;

/// State of open windows from which on the oldest are closed.
const STATE_BYTES: u64 = 24 << 20;
/// State that is too much, where none can be closed.
const MOST_STATE_BYTES: u64 = 2 * STATE_BYTES;
/// Segments of a key's times, from which on the oldest windows are closed: each is looked at when windows close.
const SEGMENTS: usize = 6_000;
/// Segments that are too many, where no windows can be closed.
const MOST_SEGMENTS: usize = 2 * SEGMENTS;
/// More than what a batch adds to the state: each of its rows may open a window.
const BATCH_STATE_BYTES: u64 = 4 << 20;
/// Batches until the state is looked at again, where it grew slowly.
const MOST_UNWATCHED: u64 = 8;

pub struct Closer<'a> {
    plan: &'a Plan,
    pub finish: Finish<'a>,
    /// Whether rows come one key after the other, each key's in the order of time.
    sorted: bool,
    /// Windows that start before have been closed, µs; none: none has.
    pub closed_us: Option<i64>,
    /// Batches until the state is looked at, which takes longer the more windows are open.
    unwatched: u64,
    /// How large the state was when it was looked at last, and how many batches came then.
    before: (u64, u64),
}

impl<'a> Closer<'a> {
    pub fn new(making: &'a GroupBuild<'a>, sorted: bool) -> Result<Self, BatchError> {
        let (plan, finish) = (&making.services.plan, Finish::new(making)?);
        Ok(Self { plan, finish, sorted, closed_us: None, unwatched: 0, before: (0, 0) })
    }

    /// Called after each batch. Where open windows take too much, or too many times are missing in them, closes the older
    /// half: rows that are sorted by time lose nothing by it. Gives the partitions that are complete with it, and stops
    /// with them.
    pub fn relieve(
        &mut self,
        fold: &mut Fold<'_>,
        accounts: &mut Accounts,
    ) -> Result<Vec<NewPartition>, BatchError> {
        self.check_order(fold)?;
        let segments = fold.coverage.most_segments();
        if segments <= SEGMENTS && self.unwatched > 0 {
            self.unwatched -= 1;
            return Ok(Vec::new());
        }
        let state_bytes = fold.state_bytes()?;
        if segments <= SEGMENTS && state_bytes <= STATE_BYTES {
            self.look_again(state_bytes, STATE_BYTES);
            return Ok(Vec::new());
        }
        let until_us = self.closable_us(fold);
        if until_us.is_none() {
            if (state_bytes > MOST_STATE_BYTES || segments > MOST_SEGMENTS) && !self.sorted {
                return Err(BatchError::Unsorted);
            }
            self.look_again(state_bytes, MOST_STATE_BYTES);
        }
        while let Some(step) = self.next(fold)
            && let Some(until_us) = until_us
            && step.from_us < until_us
        {
            let complete = self.close(step.until(until_us), fold, accounts)?;
            if !complete.is_empty() {
                return Ok(complete);
            }
        }
        Ok(Vec::new())
    }

    /// The start of the first window that may not be closed: in the middle of what is open, or before the newest rows where
    /// these are sorted. `None`: nothing may be closed.
    fn closable_us(&self, fold: &Fold<'_>) -> Option<i64> {
        let (newest_us, from_us) = (fold.newest_us?, self.next(fold)?.from_us);
        let until_us = match self.sorted {
            true => newest_us,
            false => from_us.midpoint(newest_us),
        };
        let until_us = self.plan.window_start_us(until_us);
        (until_us > from_us && fold.coverage.is_of_one_key()).then_some(until_us)
    }

    /// The state is looked at again before it can be larger than `most_bytes`, by how it grew.
    fn look_again(&mut self, state_bytes: u64, most_bytes: u64) {
        let (bytes_before, batches) = self.before;
        let growth_bytes = state_bytes.saturating_sub(bytes_before) / (batches + 1);
        let room_bytes = most_bytes.saturating_sub(state_bytes);
        let by_growth = (room_bytes / (2 * growth_bytes).max(1)).min(MOST_UNWATCHED);
        self.unwatched = by_growth.max(room_bytes / BATCH_STATE_BYTES);
        self.before = (state_bytes, self.unwatched);
    }

    /// What was closed on the way was closed as if there were no other key.
    fn check_order(&self, fold: &Fold<'_>) -> Result<(), BatchError> {
        match self.closed_us.is_some() && !self.sorted && !fold.coverage.is_of_one_key() {
            true => Err(BatchError::Unsorted),
            false => Ok(()),
        }
    }

    /// Whether all that is open can be closed: there are no more rows.
    pub fn check_end(&self, fold: &mut Fold<'_>) -> Result<(), BatchError> {
        self.check_order(fold)?;
        match !self.sorted && fold.has_untracked()? {
            true => Err(BatchError::Unsorted),
            false => Ok(()),
        }
    }

    /// Closes the oldest step that is open, and gives the partitions that are complete with it; `None` if none is open.
    pub fn close_oldest(
        &mut self,
        fold: &mut Fold<'_>,
        accounts: &mut Accounts,
    ) -> Result<Option<Vec<NewPartition>>, BatchError> {
        self.next(fold).map(|step| self.close(step, fold, accounts)).transpose()
    }

    /// The rows of another key come.
    pub fn begin_key(&mut self) {
        (self.closed_us, self.unwatched, self.before) = (None, 0, (0, 0));
        self.finish.forget();
    }

    /// The oldest step that is not closed; `None` if there are no rows from there on.
    fn next(&self, fold: &Fold<'_>) -> Option<Step> {
        let spans = fold.coverage.symbols().filter_map(|symbol| fold.coverage.span_us(symbol));
        let (first_us, last_us) = spans
            .map(|(from_us, end_us)| (from_us, end_us - 1))
            .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))?;
        let [first_us, last_us] = [first_us, last_us].map(|time_us| self.plan.window_start_us(time_us));
        let from_us = self.closed_us.unwrap_or(first_us);
        (from_us <= last_us).then(|| Step::from(self.plan, from_us))
    }

    fn close(
        &mut self,
        step: Step,
        fold: &mut Fold<'_>,
        accounts: &mut Accounts,
    ) -> Result<Vec<NewPartition>, BatchError> {
        let end_us = step.end_us(self.plan);
        let outputs = fold.close(end_us, accounts)?;
        let complete = self.finish.step(step, &outputs, &fold.coverage, &mut accounts.report)?;
        accounts.report.take_gaps(fold.coverage.settle(end_us));
        self.closed_us = Some(step.to_us);
        Ok(complete)
    }
}
