//! What a window keeps of its rows, and what it gives: the file to change first.
//!
//! Values are integers: decimals as their mantissas, which have one scale a column.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    First,
    Last,
    Min,
    Max,
    Sum,
    Count,
}

/// The order of a row in its window: event time first, then its place, so that it does not matter in
/// which order rows come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order {
    pub time_us: i64,
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// Row within its record.
    pub row: u32,
}

/// What is kept for one aggregate of one window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    First(Option<(Order, i128)>),
    Last(Option<(Order, i128)>),
    Min(Option<i128>),
    Max(Option<i128>),
    /// None once it left 128 bits: the sum is null then. Null as well while there was no value.
    Sum { sum: Option<i128>, values: u64 },
    Count(u64),
}

impl Cell {
    pub fn new(operation: Operation) -> Self {
        match operation {
            Operation::First => Self::First(None),
            Operation::Last => Self::Last(None),
            Operation::Min => Self::Min(None),
            Operation::Max => Self::Max(None),
            Operation::Sum => Self::Sum { sum: Some(0), values: 0 },
            Operation::Count => Self::Count(0),
        }
    }

    /// Takes a row in. `value`: of the aggregate's column, `None` if it is null; a count of rows has no column and
    /// is given any value.
    pub fn take(&mut self, order: &Order, value: Option<i128>) {
        let Some(value) = value else { return };
        match self {
            Self::First(first) => {
                if first.as_ref().is_none_or(|(known, _)| order < known) {
                    *first = Some((order.clone(), value));
                }
            }
            Self::Last(last) => {
                if last.as_ref().is_none_or(|(known, _)| order > known) {
                    *last = Some((order.clone(), value));
                }
            }
            Self::Min(min) => *min = Some(min.map_or(value, |min| min.min(value))),
            Self::Max(max) => *max = Some(max.map_or(value, |max| max.max(value))),
            Self::Sum { sum, values } => {
                *sum = sum.and_then(|sum| sum.checked_add(value));
                *values += 1;
            }
            Self::Count(count) => *count += 1,
        }
    }

    /// What the window gives; `None` is null.
    pub fn value(&self) -> Option<i128> {
        match self {
            Self::First(pick) | Self::Last(pick) => pick.as_ref().map(|(_, value)| *value),
            Self::Min(best) | Self::Max(best) => *best,
            Self::Sum { sum, values } => sum.filter(|_| *values > 0),
            Self::Count(count) => Some((*count).into()),
        }
    }
}
