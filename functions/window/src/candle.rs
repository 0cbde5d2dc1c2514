//! A window as it is given.

use crate::aggregate::Cell;

/// One window's row of the output.
#[derive(Clone, Debug)]
pub struct Candle {
    pub key: Box<[u8]>,
    pub start_us: i64,
    pub end_us: i64,
    pub rows: u64,
    pub first_id: i64,
    pub last_id: i64,
    pub cells: Vec<Cell>,
    /// `None` if ids are not named or no longer tracked, and of a filled window unless there are none.
    pub missing: Option<u64>,
    /// Whether all rows are in it, as far as ids tell; an open one is not complete.
    pub complete: Option<bool>,
    pub revision: u64,
    /// It has no rows, and `cells` are those of the window before.
    pub filled: bool,
    /// Empty windows right before it that are not given; `None` if it is not known.
    pub unfilled: Option<u64>,
}

impl Candle {
    /// About what its row takes in an output.
    pub fn output_bytes(&self) -> u64 {
        (self.key.len() + 16 * (8 + self.cells.len())) as u64
    }
}
