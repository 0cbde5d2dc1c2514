//! All windows of a pipeline.

mod save;

use tallow_contract::window::{Output, OutputPiece, Portion, Report, Stats};
use tallow_contract::{Refusal, refuse};

use crate::bound::bound_ids;
use crate::columns::{check_known, resolve};
use crate::feed::{Feed, shares};
use crate::giving::{self, Asked, Giving};
use crate::held::{Pane, SpecState};
use crate::kept::Kept;
use crate::order::{Places, Topics};
use crate::pane::MAX_TIME_US;
use crate::snapshots::Writing;
use crate::spec::{Form, Plan, Spec};
use crate::table::Rows;
use crate::update::{Arrived, Under, update};

/// Watermarks beyond this say no more than this.
const MAX_WATERMARK_US: i64 = 2 * MAX_TIME_US;

/// The open windows of some specs, and the watermark that they were last closed under.
pub struct Windows {
    pub(crate) specs: Vec<SpecState>,
    /// For each spec the first one whose feed it shares.
    feeds: Vec<usize>,
    pub(crate) topics: Topics,
    pub(crate) watermark_us: i64,
    /// Counts the calls that may have changed the state.
    pub(crate) version: u64,
    /// What is being given in pieces: nothing else happens meanwhile.
    giving: Option<Giving>,
    pub(crate) writing: Option<Writing>,
}

impl Windows {
    /// Empty state.
    ///
    /// # Errors
    /// Which spec is wrong, and what about it.
    pub fn open(specs: Vec<Spec>) -> Result<Windows, Refusal> {
        let plans = Plan::all(specs)?;
        let feeds = plans
            .iter()
            .enumerate()
            .map(|(index, plan)| plans[..index].iter().position(|other| shares(other, plan)).unwrap_or(index))
            .collect();
        Ok(Windows {
            specs: plans.into_iter().map(SpecState::new).collect(),
            feeds,
            topics: Topics::default(),
            watermark_us: -MAX_WATERMARK_US,
            version: 0,
            giving: None,
            writing: None,
        })
    }

    /// Takes rows in; a report a spec. On an error nothing was taken in.
    ///
    /// # Errors
    /// Which spec cannot read the rows, and which column is at fault.
    pub fn update(&mut self, rows: &Rows) -> Result<Vec<Report>, Refusal> {
        self.check_idle()?;
        if rows.table.rows == 0 {
            return Ok(vec![Report::default(); self.specs.len()]);
        }
        let places = Places::new(rows, &mut self.topics)?;
        let mut feeds: Vec<Option<Feed>> = Vec::with_capacity(self.specs.len());
        for (index, state) in self.specs.iter().enumerate() {
            let named = |wrong: Refusal| wrong.within(format_args!("window `{}`", state.plan.spec.name));
            let own = self.feeds[index] == index;
            feeds.push(if own { Some(feed(&state.plan, rows).map_err(named)?) } else { None });
            if let Some(feed) = &feeds[self.feeds[index]] {
                check_known(&state.plan, &state.types, &feed.inputs).map_err(named)?;
            }
        }
        self.version += 1;
        let mut reports = Vec::with_capacity(self.specs.len());
        for (index, state) in self.specs.iter_mut().enumerate() {
            let Some(feed) = &feeds[self.feeds[index]] else { continue };
            for (known, input) in state.types.iter_mut().zip(&feed.inputs) {
                *known = Some(input.kind);
            }
            let under = Under { watermark_us: self.watermark_us, version: self.version };
            reports.push(update(state, Arrived { feed, places: &places, topics: &self.topics }, under));
        }
        Ok(reports)
    }

    /// Closes and gives every window whose end is at or before the watermark; specs without one are left
    /// out. The watermark never goes back: a lower one changes nothing.
    ///
    /// # Errors
    /// Something else is given in pieces, and there is more of it; or as [`Windows::bound_ids`].
    pub fn advance_by(&mut self, watermark_us: i64, portion: Portion) -> Result<OutputPiece, Refusal> {
        self.give(Asked::Advance { watermark_us }, portion)
    }

    /// Keeps the scattered ids within what they may take, between two epochs.
    ///
    /// # Errors
    /// Which spec's ids take more, if that is to stop the windows.
    pub fn bound_ids(&mut self) -> Result<(), Refusal> {
        let version = self.version;
        self.specs.iter_mut().try_for_each(|state| bound_ids(state, version))
    }

    /// Gives every open window that changed since it was last given so, and keeps it open: its close is the
    /// next revision.
    ///
    /// # Errors
    /// As [`Windows::advance_by`].
    pub fn close_all_by(&mut self, portion: Portion) -> Result<OutputPiece, Refusal> {
        self.give(Asked::CloseAll, portion)
    }

    /// A view of the open windows that changed since the last call of this function; after a restore, of
    /// all.
    ///
    /// # Errors
    /// As [`Windows::advance_by`].
    pub fn changed_by(&mut self, portion: Portion) -> Result<OutputPiece, Refusal> {
        self.give(Asked::Changed, portion)
    }

    /// [`Windows::advance_by`], all at once.
    pub fn advance(&mut self, watermark_us: i64) -> Vec<Output> {
        self.advance_by(watermark_us, Portion::ALL).map_or_else(|_| Vec::new(), |piece| piece.outputs)
    }

    /// [`Windows::close_all_by`], all at once.
    pub fn close_all(&mut self) -> Vec<Output> {
        self.close_all_by(Portion::ALL).map_or_else(|_| Vec::new(), |piece| piece.outputs)
    }

    /// [`Windows::changed_by`], all at once.
    pub fn changed(&mut self) -> Vec<Output> {
        self.changed_by(Portion::ALL).map_or_else(|_| Vec::new(), |piece| piece.outputs)
    }

    fn give(&mut self, asked: Asked, portion: Portion) -> Result<OutputPiece, Refusal> {
        let mut giving = match self.giving.take() {
            Some(giving) if giving.asked == asked => giving,
            other => {
                self.giving = other;
                self.check_idle()?;
                self.begin(asked)
            }
        };
        let under =
            giving::Under { topics: &self.topics, watermark_us: self.watermark_us, version: self.version };
        let piece = giving.piece(&mut self.specs, under, portion);
        self.giving = piece.more.then_some(giving);
        if !piece.more && matches!(asked, Asked::Advance { .. }) {
            self.bound_ids()?;
        }
        Ok(piece)
    }

    fn begin(&mut self, asked: Asked) -> Giving {
        let before_us = self.watermark_us;
        if let Asked::Advance { watermark_us } = asked {
            self.watermark_us = before_us.max(watermark_us.clamp(-MAX_WATERMARK_US, MAX_WATERMARK_US));
        }
        if asked != Asked::Changed {
            self.version += 1;
        }
        Giving::new(asked, before_us)
    }

    /// While something is given in pieces, nothing else may happen.
    pub(crate) fn check_idle(&self) -> Result<(), Refusal> {
        if self.giving.is_none() && self.writing.is_none() {
            return Ok(());
        }
        refuse!("a call before this one gave a piece only: make that one again until there is no more")
    }

    /// What each spec holds.
    pub fn stats(&self) -> Vec<Stats> {
        let specs = self.specs.iter().enumerate();
        specs.map(|(index, state)| stats(index as u32, state, self.watermark_us)).collect()
    }
}

fn feed<'a>(plan: &Plan, rows: &'a Rows) -> Result<Feed<'a>, Refusal> {
    Feed::new(plan, rows, resolve(plan, &rows.table)?)
}

fn stats(spec: u32, state: &SpecState, watermark_us: i64) -> Stats {
    let mut stats = Stats { spec, keys: state.keys.len() as u64, ..Stats::default() };
    let pane_bytes = size_of::<Pane>() + state.plan.ops.len() * size_of::<crate::aggregate::Cell>();
    stats.bytes = (state.panes.count() * pane_bytes) as u64;
    for key in state.keys.indices() {
        let key_state = &state.states[key as usize];
        stats.untracked += key_state.ids.untracked;
        let scattered = key_state.ids.known.bytes();
        let text = 2 * state.keys.text(key).len();
        let last = if key_state.last.is_some() { pane_bytes } else { 0 };
        stats.bytes += (size_of_val(key_state) + text + last + key_state.ids.ring.bytes()) as u64 + scattered;
        let mut counted_through = i64::MIN;
        for &slot in key_state.open.values() {
            let pane = state.panes.get(slot);
            stats.bytes += pane.kept.as_deref().map_or(0, Kept::bytes) as u64;
            let Form::Panes(grid) = state.plan.form else {
                stats.open_windows += 1;
                stats.open_assignments += pane.rows;
                continue;
            };
            let windows = grid.count_of(pane.start_us) - grid.late_of(pane.start_us, watermark_us);
            stats.open_assignments += pane.rows * windows;
            let (oldest, newest) = grid.windows_of(pane.start_us);
            let oldest = oldest.max(newest - (windows as i64 - 1) * grid.slide_us);
            let from = oldest.max(counted_through.saturating_add(grid.slide_us));
            stats.open_windows += ((newest - from) / grid.slide_us + 1).max(0) as u64;
            counted_through = counted_through.max(newest);
        }
    }
    stats
}
