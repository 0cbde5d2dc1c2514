//! Takes rows in that replace each other: row by row, since each may take the place of one before it.

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
        for at in in_time.positions(group) {
            let (row, time_us) = (feed.block.rows[at as usize], feed.block.time_us[at as usize]);
            let inputs = feed.inputs.iter();
            let values = inputs.map(|input| input.is_valid(row).then(|| input.value(row))).collect();
            // Only int64 and times are let in, so it fits.
            let rank = feed.inputs[latest].value(row) as i64;
            let windows = self.open_windows(time_us);
            match self.keep(key, time_us, Row { rank, values }) {
                Taken::New => self.report.accepted += windows,
                Taken::Replaced | Taken::Older => self.report.duplicate += windows,
            }
        }
    }

    fn keep(&mut self, key: u32, time_us: i64, row: Row) -> Taken {
        let slot = match self.state.plan.form {
            Form::Panes(grid) => super::add::find_pane(self.state, grid, key, grid.pane_of(time_us)),
            Form::Session { gap_us } => self.session(gap_us, key, time_us),
        };
        let SpecState { plan, panes, .. } = &mut *self.state;
        let pane = panes.get_mut(slot);
        let kept = pane.kept.get_or_insert_default();
        let taken = kept.take(time_us, row);
        if taken == Taken::Older {
            return taken;
        }
        match (taken, kept.rows.get(&time_us)) {
            (Taken::New, Some(row)) => {
                let cell = |op| Cell::of_row(op, time_us, &row.values);
                let cells: Vec<Cell> = plan.ops.iter().map(cell).collect();
                pane.rows += 1;
                pane.absorb_cells(&cells, plan, self.arrived.topics);
            }
            _ => pane.cells = kept.cells(plan),
        }
        pane.pending = true;
        pane.changed_at = self.under.version;
        taken
    }

    fn session(&mut self, gap_us: i64, key: u32, time_us: i64) -> u32 {
        let SpecState { states, panes, plan, .. } = &mut *self.state;
        let mut merged = Vec::new();
        let row = (key, time_us, gap_us);
        let slot = join(&mut states[key as usize], panes, plan, self.arrived.topics, row, &mut merged);
        for (from, _) in merged {
            panes.release(from);
        }
        slot
    }
}
