//! When windows close: all of them once the files are read; before that only those that memory has no room for.

use std::collections::BTreeSet;

use tallow_engine::Component;
use tallow_table::{NewPartition, Run};

use super::error::BatchError;
use super::finish::Finish;
use super::fold::Fold;
use super::group::Making;
use super::plan::Plan;
use super::step::{Step, WINDOWS_A_STEP};

/// State of open windows from which on the oldest are closed.
const STATE_BYTES: u64 = 24 << 20;
/// More than what a batch adds to the state: each of its rows may open a window.
const BATCH_STATE_BYTES: u64 = 4 << 20;

pub struct Closer<'a> {
    plan: &'a Plan,
    finish: Finish<'a>,
    /// Windows that start before have been closed, µs; none: none has.
    closed_us: Option<i64>,
    /// Batches until the state is looked at, which takes longer the more windows are open.
    unwatched: u64,
    /// Of the partitions so far.
    pub paths: BTreeSet<String>,
}

impl<'a> Closer<'a> {
    pub fn new(
        plan: &'a Plan,
        merge: &Component,
        footer: Vec<(&'static str, String)>,
    ) -> Result<Self, BatchError> {
        let finish = Finish::new(plan, merge, footer)?;
        Ok(Self { plan, finish, closed_us: None, unwatched: 0, paths: BTreeSet::new() })
    }

    /// Called after each batch. Where the open windows take too much, closes the oldest, up to a step's length before the
    /// earliest row of the newest batches: input that is sorted by time loses nothing by it.
    pub(super) fn relieve(
        &mut self,
        making: &Making<'_>,
        run: &mut Run<'_>,
        fold: &mut Fold,
    ) -> Result<(), BatchError> {
        if self.unwatched > 0 {
            self.unwatched -= 1;
            return Ok(());
        }
        let Some(earliest_us) = fold.take_earliest_us() else { return Ok(()) };
        loop {
            let state_bytes = fold.state_bytes()?;
            if state_bytes <= STATE_BYTES {
                self.unwatched = (STATE_BYTES - state_bytes) / BATCH_STATE_BYTES;
                return Ok(());
            }
            let Some(step) = self.next(fold) else { return Ok(()) };
            let slack_us = WINDOWS_A_STEP.saturating_mul(self.plan.size_us());
            if step.to_us.saturating_add(slack_us) > earliest_us {
                return Ok(());
            }
            self.close(step, false, making, run, fold)?;
        }
    }

    /// Closes what is open: there are no more rows.
    pub(super) fn close_all(
        &mut self,
        making: &Making<'_>,
        run: &mut Run<'_>,
        fold: &mut Fold,
    ) -> Result<(), BatchError> {
        while let Some(step) = self.next(fold) {
            self.close(step, true, making, run, fold)?;
        }
        let rest = self.finish.rest()?;
        self.put(rest, making, run)
    }

    /// The oldest step that is not closed; none where there are no rows from there on.
    fn next(&self, fold: &Fold) -> Option<Step> {
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
        ended: bool,
        making: &Making<'_>,
        run: &mut Run<'_>,
        fold: &mut Fold,
    ) -> Result<(), BatchError> {
        let outputs = fold.close(step.end_us(self.plan))?;
        let complete = self.finish.step(step, &outputs, &fold.coverage, ended, &mut fold.report)?;
        self.put(complete, making, run)?;
        self.closed_us = Some(step.to_us);
        Ok(())
    }

    fn put(
        &mut self,
        partitions: Vec<NewPartition>,
        making: &Making<'_>,
        run: &mut Run<'_>,
    ) -> Result<(), BatchError> {
        for mut partition in partitions {
            partition.inputs = making.inputs();
            self.paths.insert(partition.path.clone());
            run.put(partition)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan whose windows have that size.
    fn plan(tumbling: &str, offset: &str) -> Plan {
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = \"t\"\n[application.trigger.kafka]\nbrokers = \"b\"\n\
             lake = \"l\"\n[application.trigger.kafka.batch.t]\ninput = \"x\"\ntumbling = \"{tumbling}\"\noffset = \
             \"{offset}\"\n[[trigger.none]]\ncomponent = \"window\"\n[component.parse-kline]\nsource = \"a\"\n\
             [component.window]\nsource = \"a\"\n[component.merge]\nsource = \"a\"\n"
        );
        let (name, root) = (std::path::Path::new("t"), std::path::Path::new("/"));
        let manifest =
            tallow_manifest::resolve(&text, name, root, &Default::default(), &Default::default()).unwrap();
        Plan::new(&manifest.batches[0])
    }

    #[test]
    fn steps_follow_each_other_and_end_with_the_year() {
        for (tumbling, offset, steps) in
            [("1d", "0s", 1), ("7d", "4d", 1), ("1m", "0s", 27), ("1h", "30m", 1)]
        {
            let plan = plan(tumbling, offset);
            // 2023-01-01 and 2024-01-01.
            let (start_us, end_us) = (1_672_531_200_000_000, 1_704_067_200_000_000);
            let mut from_us = start_us;
            let mut count = 0;
            while from_us < end_us {
                let step = Step::from(&plan, from_us);
                assert!(step.to_us > from_us && step.to_us <= end_us, "{tumbling}: {step:?}");
                // Every window that starts in it has ended by then, and none that starts later.
                let last = plan.window_start_us(step.to_us - 1);
                assert_eq!(step.end_us(&plan), last + plan.size_us());
                (from_us, count) = (step.to_us, count + 1);
            }
            assert_eq!((from_us, count), (end_us, steps), "{tumbling}");
        }
    }
}
