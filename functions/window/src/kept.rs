//! The rows of a pane where rows replace each other: of each time the latest one. What they add up to is computed again
//! when one is replaced, since it cannot be taken out of an extreme or a last value.

use std::collections::BTreeMap;

use crate::aggregate::Cell;
use crate::spec::Plan;

/// What is kept of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// A row of the same time with a rank as high or higher takes its place.
    pub rank: i64,
    /// Of the plan's inputs.
    pub values: Box<[Option<i128>]>,
}

/// Rows by their time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub rows: BTreeMap<i64, Row>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the first of its time.
    New,
    /// It took the place of another one.
    Replaced,
    /// A later revision is there already.
    Older,
}

impl Kept {
    /// Takes a row in, unless a later revision is there.
    pub fn take(&mut self, time_us: i64, row: Row) -> Taken {
        match self.rows.get_mut(&time_us) {
            Some(known) if known.rank > row.rank => Taken::Older,
            Some(known) => {
                *known = row;
                Taken::Replaced
            }
            None => {
                self.rows.insert(time_us, row);
                Taken::New
            }
        }
    }

    /// Takes in the rows of a session that was merged into this one.
    pub fn absorb(&mut self, other: &Kept) {
        for (&time_us, row) in &other.rows {
            self.take(time_us, row.clone());
        }
    }

    /// What the rows add up to, a cell an aggregate.
    pub fn cells(&self, plan: &Plan) -> Vec<Cell> {
        let topics = crate::order::Topics::default();
        let mut cells: Vec<Cell> = plan.ops.iter().map(|op| Cell::new(op.operation)).collect();
        for (&time_us, row) in &self.rows {
            for (cell, op) in cells.iter_mut().zip(&plan.ops) {
                cell.absorb(&Cell::of_row(op, time_us, &row.values), op.operation, &topics);
            }
        }
        cells
    }

    /// About the memory that the rows take.
    pub fn bytes(&self) -> usize {
        let values = self.rows.first_key_value().map_or(0, |(_, row)| size_of_val(&*row.values));
        self.rows.len() * (2 * size_of::<(i64, Row)>() + values)
    }
}
