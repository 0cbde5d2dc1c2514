//! Finds the panes or sessions of a key's new rows, and adds up what goes into each.

use std::ops::Range;

use super::{Arrived, Chosen, Update};
use crate::aggregate::{Cell, Slice};
use crate::block::Block;
use crate::feed::Group;
use crate::held::{Pane, SpecState};
use crate::pane::Grid;
use crate::session::{join, survivors};

impl Update<'_> {
    pub(super) fn add_to_panes(&mut self, grid: Grid, key: u32, group: &Group, new: Chosen) {
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

    pub(super) fn add_to_sessions(&mut self, gap_us: i64, key: u32, group: &Group, new: Chosen) {
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

/// The slot of a key's pane, which is made if it is new.
pub(super) fn find_pane(state: &mut SpecState, grid: Grid, key: u32, start_us: i64) -> u32 {
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
