//! How far the reading of a group is, and how its rows are taken.

use serde::{Deserialize, Serialize};

use crate::ids::Ids;

/// How many lines of a group's files were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Files before this one were taken whole.
    pub file: usize,
    /// Of this one.
    pub lines: u64,
}

/// How a group's rows have to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub sorted: bool,
    pub ids: Ids,
}
