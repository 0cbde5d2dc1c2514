//! From lines of kline CSV to rows: 6 columns or the exchange's 12, with or without a header, columns by name or
//! by place, times of any unit.
//!
//! A record is a line, with or without its line end. [`parse`] is pure: the same batch and options give the same
//! output. Since a batch may begin anywhere in a file, whoever calls gives the file's first line as a setting:
//! it says what the columns are if it is a header. Plain lines go through `template`, which reads digits eight at
//! once; whatever surprises it goes to `full`. Both give the same rows.

mod block;
mod cells;
mod full;
mod layout;
mod names;
mod options;
mod parse;
mod rows;
mod schema;
mod shapes;
mod template;

#[cfg(target_arch = "wasm32")]
mod adapter;

pub use options::SETTINGS;
pub use parse::{Path, parse, parse_by};
pub use parse_base::{Batch, ByteColumn, Column, ColumnData, Marked, Options, Parsed, Text, WantedColumn};
pub use schema::{COLUMNS, KINDS};
