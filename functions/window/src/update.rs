//! Takes rows in, key by key: leaves out those that are late, judges the others by their ids, finds their
//! panes and adds up what goes into each.

mod add;
mod replace;

use tallow_contract::window::Report;

use crate::feed::{Aside, Feed, Group};
use crate::held::SpecState;
use crate::ids::{Judgement, KeyIds};
use crate::order::{Places, Topics};
use crate::spec::Form;

/// The rows of an update as a spec reads them.
#[derive(Clone, Copy)]
pub struct Arrived<'a> {
    pub feed: &'a Feed<'a>,
    pub places: &'a Places<'a>,
    pub topics: &'a Topics,
}

/// What holds while an update is taken in.
#[derive(Clone, Copy)]
pub struct Under {
    /// Watermark of the last advance.
    pub watermark_us: i64,
    /// Version that the state gets by this update.
    pub version: u64,
}

/// Takes an update's rows into a spec's state.
pub fn update(state: &mut SpecState, arrived: Arrived, under: Under) -> Report {
    let feed = arrived.feed;
    let report = Report { taken: feed.taken, invalid: feed.invalid.clone(), ..Report::default() };
    let mut update = Update { state, arrived, under, report };
    let mut text = Vec::new();
    for group in &feed.groups {
        update.take(group, &mut text);
    }
    for &aside in &feed.asides {
        update.note(aside, &mut text);
    }
    let mut report = update.report;
    report.late_rows.sort_unstable();
    report.conflict_rows.sort_unstable();
    report.assignments = report.accepted + report.late + report.duplicate + report.conflict;
    report
}

/// Some of a group's rows, as positions in the feed's block.
enum Chosen {
    All,
    Some(Vec<u32>),
}

impl Chosen {
    fn positions(&self, group: &Group) -> Vec<u32> {
        match self {
            Chosen::All => (group.range.start as u32..group.range.end as u32).collect(),
            Chosen::Some(positions) => positions.clone(),
        }
    }
}

struct Update<'a> {
    state: &'a mut SpecState,
    arrived: Arrived<'a>,
    under: Under,
    report: Report,
}

impl Update<'_> {
    fn take(&mut self, group: &Group, text: &mut Vec<u8>) {
        let in_time = self.leave_out_late(group);
        if matches!(&in_time, Chosen::Some(positions) if positions.is_empty()) {
            return;
        }
        self.arrived.feed.encode_key(group, text);
        let key = self.state.key(text);
        if let Some(latest) = self.state.plan.latest {
            self.replace(latest, key, group, in_time);
            return self.state.touch(key, self.under.version);
        }
        let new = self.judge(key, group, in_time);
        if matches!(&new, Chosen::Some(positions) if positions.is_empty()) {
            return;
        }
        match self.state.plan.form {
            Form::Panes(grid) => self.add_to_panes(grid, key, group, new),
            Form::Session { gap_us } => self.add_to_sessions(gap_us, key, group, new),
        }
        self.state.touch(key, self.under.version);
    }

    /// Takes note of ids whose row is in no window; unless it would be late for all.
    fn note(&mut self, aside: Aside, text: &mut Vec<u8>) {
        if self.open_windows(aside.time_us) == 0 {
            return;
        }
        self.arrived.feed.encode_key_of(aside.row, text);
        let key = self.state.key(text);
        self.state.states[key as usize].ids.note(aside.first, aside.last);
        self.state.touch(key, self.under.version);
    }

    /// Counts the late assignments, and gives the rows that have others too.
    fn leave_out_late(&mut self, group: &Group) -> Chosen {
        let watermark_us = self.under.watermark_us;
        let (late_before, form) = match self.state.plan.form {
            Form::Panes(grid) => (grid.late_before(watermark_us), Some(grid)),
            Form::Session { gap_us } => (watermark_us - gap_us + 1, None),
        };
        if group.earliest_us >= late_before {
            return Chosen::All;
        }
        let block = &self.arrived.feed.block;
        let mut in_time = Vec::new();
        for at in group.range.clone() {
            let time_us = block.time_us[at];
            if time_us < late_before {
                let late = form.map_or(1, |grid| grid.late_of(grid.pane_of(time_us), watermark_us));
                self.report.late += late;
                self.report.late_rows.push(block.rows[at]);
                if self.open_windows(time_us) == 0 {
                    continue;
                }
            }
            in_time.push(at as u32);
        }
        if in_time.len() == group.range.len() { Chosen::All } else { Chosen::Some(in_time) }
    }

    /// How many open windows a row is assigned to.
    fn open_windows(&self, time_us: i64) -> u64 {
        let watermark_us = self.under.watermark_us;
        match self.state.plan.form {
            Form::Panes(grid) => {
                let pane_us = grid.pane_of(time_us);
                grid.count_of(pane_us) - grid.late_of(pane_us, watermark_us)
            }
            Form::Session { gap_us } => u64::from(time_us + gap_us > watermark_us),
        }
    }

    /// How many open windows every row of a group is assigned to, if it is the same for all.
    fn open_windows_a_row(&self, group: &Group) -> Option<u64> {
        match self.state.plan.form {
            Form::Panes(grid) if group.earliest_us >= grid.late_before(self.under.watermark_us) => {
                grid.windows_a_row()
            }
            Form::Panes(_) => None,
            Form::Session { .. } => Some(1),
        }
    }

    /// Judges rows by their ids, and gives those that are taken in.
    fn judge(&mut self, key: u32, group: &Group, in_time: Chosen) -> Chosen {
        let Arrived { feed, .. } = self.arrived;
        let block = &feed.block;
        let even = self.open_windows_a_row(group);
        let range = group.range.clone();
        let all = matches!(in_time, Chosen::All);
        if all && let Some(windows) = even {
            let ids = &mut self.state.states[key as usize].ids;
            let new = block.first_ids.is_empty()
                || (group.ids_ascend && {
                    let (first, last) = (&block.first_ids[range.clone()], &block.last_ids()[range.clone()]);
                    ids.take_ascending(first, last, |count| feed.recent(group, count))
                });
            if new {
                self.report.accepted += windows * range.len() as u64;
                return Chosen::All;
            }
        }
        let mut new = Vec::with_capacity(range.len());
        for at in in_time.positions(group) {
            let windows = even.unwrap_or_else(|| self.open_windows(block.time_us[at as usize]));
            let ids = &mut self.state.states[key as usize].ids;
            let judgement = judge_one(ids, feed, at as usize);
            if count(&mut self.report, judgement, block.rows[at as usize], windows) {
                new.push(at);
            }
        }
        if new.len() == range.len() { Chosen::All } else { Chosen::Some(new) }
    }
}

fn judge_one(ids: &mut KeyIds, feed: &Feed, at: usize) -> Judgement {
    let block = &feed.block;
    match (block.first_ids.get(at), block.last_ids.get(at)) {
        (None, _) => Judgement::New,
        (Some(&id), None) => ids.take_one(id, feed.fingerprint(at)),
        (Some(&first), Some(&last)) => ids.take_range(first, last, feed.fingerprint(at)),
    }
}

/// Counts a row's assignments that are not late; whether it is taken in.
#[inline]
fn count(report: &mut Report, judgement: Judgement, row: u32, assignments: u64) -> bool {
    match judgement {
        Judgement::New => report.accepted += assignments,
        Judgement::Untracked => {
            report.accepted += assignments;
            report.untracked += assignments;
        }
        Judgement::Duplicate => report.duplicate += assignments,
        Judgement::Conflict => {
            report.conflict += assignments;
            report.conflict_rows.push(row);
        }
    }
    matches!(judgement, Judgement::New | Judgement::Untracked)
}
