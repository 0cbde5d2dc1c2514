//! From lines of kline CSV to rows: 6 columns or the exchange's 12, with or without a header, columns by name or
//! by place, times of any unit.
//!
//! A record is a line, with or without its line end. [`parse`] is pure: the same batch and options give the same
//! output. A batch may begin anywhere in a file: what its columns are is learnt from the file's beginning
//! (`beginning`: from a header by `names`, or by `orders` from arithmetic), and comes as settings from there on. Plain lines
//! go through `template`, which reads digits eight at once; whatever surprises it goes to `full`. Both give the same rows.

mod beginning;
mod block;
mod cells;
mod full;
mod layout;
mod names;
mod number;
mod options;
mod orders;
mod parse;
mod rows;
mod sample;
mod schema;
mod shapes;
mod template;
mod volumes;
mod when;

/// The function's name in messages.
pub const FUNCTION: &str = "parse-kline";

#[cfg(target_arch = "wasm32")]
mod adapter;

pub use options::SETTINGS;
pub use parse::{parse, parse_by};
pub use parse_base::{
    Batch, ByteColumn, Column, ColumnData, Marked, Options, Parsed, Path, Text, WantedColumn,
};
pub use schema::{COLUMNS, KINDS};
