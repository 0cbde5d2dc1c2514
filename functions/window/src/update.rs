//! Takes rows in, key by key: leaves out those that are late, judges the others by their ids, finds their
//! panes and adds up what goes into each.

use std::ops::Range;

use tallow_contract::window::Report;

use crate::aggregate::{Cell, Slice};
use crate::block::Block;
use crate::feed::{Aside, Feed, Group};
use crate::held::{Pane, SpecState};
use crate::ids::{Judgement, KeyIds};
use crate::order::{Places, Topics};
use crate::pane::Grid;
use crate::session::{join, survivors};
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

    /// Takes note of ids whose row is in no window; not where it would be late for all.
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

    /// How many open windows every row of a group is assigned to, where that is the same for all.
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

    fn add_to_panes(&mut self, grid: Grid, key: u32, group: &Group, new: Chosen) {
        let (earliest, latest) = (grid.pane_of(group.earliest_us), grid.pane_of(group.latest_us));
        match new {
            Chosen::All if earliest == latest => {
                let slot = find_pane(self.state, grid, key, earliest);
                self.add_group(slot, group);
            }
            Chosen::All if group.ascends => {
                let times = &self.arrived.feed.block.time_us;
                let mut start = group.range.start;
                while start < group.range.end {
                    let pane_us = grid.pane_of(times[start]);
                    let rest = &times[start..group.range.end];
                    let end = start + rest.partition_point(|&time_us| time_us < pane_us + grid.pane_us);
                    let slot = find_pane(self.state, grid, key, pane_us);
                    let block = &self.arrived.feed.block;
                    let ids = if group.ids_ascend {
                        block.id_ends(start..end)
                    } else {
                        block.id_bounds(start..end)
                    };
                    self.add_rows(slot, block, start..end, true, ids);
                    start = end;
                }
            }
            new => {
                let block = &self.arrived.feed.block;
                let positions = new.positions(group).into_iter();
                let slots = positions.map(|at| {
                    let pane_us = grid.pane_of(block.time_us[at as usize]);
                    (find_pane(self.state, grid, key, pane_us), at)
                });
                let slots = slots.collect();
                self.add_by_slot(slots);
            }
        }
    }

    fn add_to_sessions(&mut self, gap_us: i64, key: u32, group: &Group, new: Chosen) {
        let block = &self.arrived.feed.block;
        let SpecState { states, panes, plan, .. } = &mut *self.state;
        let mut merged = Vec::new();
        let mut slots = Vec::with_capacity(group.range.len());
        for at in new.positions(group) {
            let row = (key, block.time_us[at as usize], gap_us);
            let slot = join(&mut states[key as usize], panes, plan, self.arrived.topics, row, &mut merged);
            slots.push((slot, at));
        }
        if !merged.is_empty() {
            let survivors = survivors(&merged);
            for (slot, _) in &mut slots {
                *slot = survivors.get(slot).copied().unwrap_or(*slot);
            }
            for (from, _) in merged {
                panes.release(from);
            }
        }
        let one = slots.iter().all(|(slot, _)| *slot == slots[0].0);
        if one && slots.len() == group.range.len() {
            self.add_group(slots[0].0, group);
        } else {
            self.add_by_slot(slots);
        }
    }

    /// Adds rows at positions of the feed's block to the panes given with them.
    fn add_by_slot(&mut self, mut slots: Vec<(u32, u32)>) {
        slots.sort_unstable();
        let positions: Vec<u32> = slots.iter().map(|&(_, at)| at).collect();
        let block = self.arrived.feed.block.pick(&positions);
        let mut start = 0;
        for part in slots.chunk_by(|left, right| left.0 == right.0) {
            let range = start..start + part.len();
            start = range.end;
            let ascends = block.ascends(range.clone());
            self.add_rows(part[0].0, &block, range.clone(), ascends, block.id_bounds(range));
        }
    }

    /// Adds a whole group to a pane. What its rows add up to is the same for every spec, unless their order
    /// depends on ids that this spec's key no longer tracks.
    fn add_group(&mut self, slot: u32, group: &Group) {
        let Arrived { feed, .. } = self.arrived;
        let (first_id, last_id) = match group.ids_ascend {
            true => feed.block.id_ends(group.range.clone()),
            false => feed.block.id_bounds(group.range.clone()),
        };
        let floor = self.floor(slot);
        if first_id <= floor && !feed.block.first_ids.is_empty() {
            self.add_rows(slot, &feed.block, group.range.clone(), group.ascends, (first_id, last_id));
            return;
        }
        let cells = group.cells.get_or_init(|| {
            let slice = self.slice(&feed.block, group.range.clone(), group.ascends, i64::MIN);
            slice.fold(&self.state.plan.ops)
        });
        self.add_cells(slot, cells, group.range.len(), (first_id, last_id));
    }

    /// Adds rows to a pane; `ids` are the lowest and the highest of them.
    fn add_rows(&mut self, slot: u32, block: &Block, range: Range<usize>, ascends: bool, ids: (i64, i64)) {
        let slice = self.slice(block, range.clone(), ascends, self.floor(slot));
        let cells = slice.fold(&self.state.plan.ops);
        self.add_cells(slot, &cells, range.len(), ids);
    }

    fn slice<'b>(
        &'b self,
        block: &'b Block<'b>,
        range: Range<usize>,
        ascends: bool,
        floor: i64,
    ) -> Slice<'b> {
        let Arrived { feed, places, topics } = self.arrived;
        Slice { block, range, ascends, floor, inputs: &feed.inputs, places, topics }
    }

    /// Highest id that is not tracked, of a pane's key.
    fn floor(&self, slot: u32) -> i64 {
        self.state.states[self.state.panes.get(slot).key as usize].ids.floor
    }

    fn add_cells(&mut self, slot: u32, cells: &[Cell], rows: usize, (first_id, last_id): (i64, i64)) {
        let pane = self.state.panes.get_mut(slot);
        pane.rows += rows as u64;
        pane.first_id = pane.first_id.min(first_id);
        pane.last_id = pane.last_id.max(last_id);
        pane.pending = true;
        pane.changed_at = self.under.version;
        pane.absorb_cells(cells, &self.state.plan, self.arrived.topics);
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

/// The slot of a key's pane, which is made if it is new.
fn find_pane(state: &mut SpecState, grid: Grid, key: u32, start_us: i64) -> u32 {
    let SpecState { states, panes, plan, .. } = state;
    let state = &mut states[key as usize];
    if state.recent.start_us == start_us {
        return state.recent.slot;
    }
    let slot = *state
        .open
        .entry(start_us)
        .or_insert_with(|| panes.add(Pane::new(plan, key, start_us, start_us + grid.pane_us)));
    state.recent.start_us = start_us;
    state.recent.slot = slot;
    slot
}
