//! Takes rows in that replace each other: row by row, since each may take the place of one before it. What the rows of a
//! pane add up to is computed again once, however many of them were replaced.

use std::collections::BTreeSet;

use super::{Chosen, Update};
use crate::aggregate::Cell;
use crate::feed::Group;
use crate::held::SpecState;
use crate::kept::{Row, Taken};
use crate::session::join;
use crate::spec::Form;

impl Update<'_> {
    /// `latest`: the input by which rows replace each other.
    pub(super) fn replace(&mut self, latest: usize, key: u32, group: &Group, in_time: Chosen) {
        let feed = self.arrived.feed;
        // Panes of which a row was replaced.
        let mut stale = BTreeSet::new();
        for at in in_time.positions(group) {
            let (row, time_us) = (feed.block.rows[at as usize], feed.block.time_us[at as usize]);
            let inputs = feed.inputs.iter();
            let values = inputs.map(|input| input.is_valid(row).then(|| input.value(row))).collect();
            // Only int64 and times are let in, so it fits.
            let rank = feed.inputs[latest].value(row) as i64;
            let windows = self.open_windows(time_us);
            match self.keep(key, time_us, Row { rank, values }, &mut stale) {
                Taken::New => self.report.accepted += windows,
                Taken::Replaced | Taken::Older => self.report.duplicate += windows,
            }
        }
        let SpecState { plan, panes, .. } = &mut *self.state;
        for slot in stale {
            let pane = panes.get_mut(slot);
            if let Some(kept) = &pane.kept {
                pane.cells = kept.cells(plan);
            }
        }
    }

    fn keep(&mut self, key: u32, time_us: i64, row: Row, stale: &mut BTreeSet<u32>) -> Taken {
        let slot = match self.state.plan.form {
            Form::Panes(grid) => super::add::find_pane(self.state, grid, key, grid.pane_of(time_us)),
            Form::Session { gap_us } => self.session(gap_us, key, time_us, stale),
        };
        let SpecState { plan, panes, .. } = &mut *self.state;
        let pane = panes.get_mut(slot);
        let cell = |op| Cell::of_row(op, time_us, &row.values);
        let cells: Vec<Cell> = plan.ops.iter().map(cell).collect();
        let taken = pane.kept.get_or_insert_default().take(time_us, row);
        match taken {
            Taken::Older => return taken,
            Taken::New => {
                pane.rows += 1;
                pane.absorb_cells(&cells, plan, self.arrived.topics);
            }
            Taken::Replaced => {
                stale.insert(slot);
            }
        }
        pane.pending = true;
        pane.changed_at = self.under.version;
        taken
    }

    /// The session that a row joins. One that is merged into it is gone, and its rows are added up with those of the other.
    fn session(&mut self, gap_us: i64, key: u32, time_us: i64, stale: &mut BTreeSet<u32>) -> u32 {
        let SpecState { states, panes, plan, .. } = &mut *self.state;
        let mut merged = Vec::new();
        let row = (key, time_us, gap_us);
        let slot = join(&mut states[key as usize], panes, plan, self.arrived.topics, row, &mut merged);
        for (from, into) in merged {
            if stale.remove(&from) {
                stale.insert(into);
            }
            panes.release(from);
        }
        slot
    }
}
