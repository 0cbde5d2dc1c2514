//! Klines on their way from lines into columns.

use parse_base::interval::Interval;

use crate::schema::{COLUMNS, ColumnId};

/// Klines that are gathered before they go into columns: few enough to stay in the nearest cache.
pub const BLOCK: usize = 128;

/// Klines as read, column by column.
pub struct Block {
    pub length: usize,
    pub records: [u32; BLOCK],
    pub symbols: [u32; BLOCK],
    pub times_us: [i64; BLOCK],
    pub ids: [i64; BLOCK],
    pub trades: [i64; BLOCK],
    pub flagged: [i64; BLOCK],
    pub decimals: [[i64; BLOCK]; 8],
    /// Of all klines in it.
    pub interval: Option<Interval>,
    /// Columns that lines of this layout have.
    pub present: [bool; COLUMNS.len()],
}

impl Block {
    pub fn new(present: [bool; COLUMNS.len()]) -> Self {
        Block {
            length: 0,
            records: [0; BLOCK],
            symbols: [0; BLOCK],
            times_us: [0; BLOCK],
            ids: [0; BLOCK],
            trades: [0; BLOCK],
            flagged: [0; BLOCK],
            decimals: [[0; BLOCK]; 8],
            interval: None,
            present,
        }
    }

    pub fn records(&self) -> &[u32] {
        &self.records[..self.length]
    }

    pub fn symbols(&self) -> &[u32] {
        &self.symbols[..self.length]
    }

    /// Integers, times or mantissas of a column; `None` if the lines do not have it.
    pub fn integers(&self, column: ColumnId) -> Option<&[i64]> {
        let values = match column {
            ColumnId::EventTime => &self.times_us,
            ColumnId::Id | ColumnId::LastId if self.interval.is_some() => &self.ids,
            ColumnId::Trades if self.present[column as usize] => &self.trades,
            ColumnId::Flagged => &self.flagged,
            decimal if ColumnId::DECIMALS.contains(&decimal) && self.present[decimal as usize] => {
                &self.decimals[decimal.decimal()]
            }
            _ => return None,
        };
        Some(&values[..self.length])
    }
}
