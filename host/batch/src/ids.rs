//! What the rows' ids count.

use serde::{Deserialize, Serialize};

/// What the rows' ids count, which decides what rows can have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ids {
    /// Intervals: rows of different ones are not comparable, and two that open within one have the same id.
    #[default]
    Intervals,
    /// Units of time.
    Unit { us: i64 },
    /// What the parse function makes of them.
    Unknown,
}

impl Ids {
    /// What to count where rows of different times have the same id: whole seconds, then microseconds.
    pub fn finer(self) -> Option<Self> {
        match self {
            Ids::Intervals => Some(Ids::Unit { us: 1_000_000 }),
            Ids::Unit { us: 2.. } => Some(Ids::Unit { us: 1 }),
            Ids::Unit { .. } | Ids::Unknown => None,
        }
    }

    /// What ids of rows of an interval count, µs.
    pub fn unit_us(self, interval_us: i64) -> i64 {
        match self {
            Ids::Unit { us } => us,
            Ids::Intervals | Ids::Unknown => interval_us,
        }
    }

    /// Whether rows of one interval at two times have the same id.
    pub fn are_same(self, one_us: i64, other_us: i64, interval_us: i64) -> bool {
        let unit_us = match self {
            Ids::Intervals => interval_us,
            Ids::Unit { us } => us,
            Ids::Unknown => return false,
        };
        one_us != other_us && one_us.div_euclid(unit_us) == other_us.div_euclid(unit_us)
    }
}
