//! What parse functions share. In the order of the data's way:
//!
//! - [`options`]: what a call is given; [`column`]: what a function can make;
//! - [`swar`], [`window`], [`cursor`]: text by the word, for messages whose form is known beforehand;
//! - [`json`]: any JSON, if its form is not known;
//! - [`lanes`], [`shape`]: lines of numbers that look like those before them, sixteen bytes at once;
//! - [`decimal`], [`time`], [`date`], [`interval`]: exact numbers, times, dates as files write them, kline intervals; [`symbol`];
//! - [`columns`] over [`builder`], [`marks`], [`reason`]: rows in the making, and records set apart;
//! - `export_parse_function!`: the contract `tallow:parse` around it.

pub mod builder;
mod calendar;
pub mod column;
pub mod columns;
pub mod cursor;
pub mod date;
pub mod decimal;
mod export;
pub mod interval;
pub mod json;
pub mod lanes;
pub mod marks;
pub mod options;
pub mod reason;
pub mod rows;
pub mod shape;
pub mod short_texts;
pub mod swar;
pub mod symbol;
pub mod time;
pub mod window;

/// Which ways a call takes. Both give the same output; the slower one is there to prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Templates first, the full parser for what surprises them.
    Templates,
    FullOnly,
}

pub use column::{ColumnInfo, Range};
pub use tallow_contract::parse::{Marked, Options, Parsed, WantedColumn};
pub use tallow_contract::{
    Batch, ByteColumn, Column, ColumnData, ColumnType, Decimals, Dictionary, Table, Text,
};
