//! From market messages to rows: Binance trades, klines and tickers, the ticker JSON of pollers, and
//! `{data_id, name, timestamp}`, each recognised by its look.
//!
//! [`parse`] is pure: the same batch and options give the same output, whatever was parsed before. Trades in
//! the exchange's own key order go through `template`, which compares keys a word at a time and reads digits
//! eight at once; whatever surprises it goes to `full`, which takes any JSON. Both give the same rows.
//!
//! Nothing here knows of WebAssembly but `adapter`, which moves these types in and out of the contract
//! `tallow:parse`.

mod batch;
mod builder;
mod cursor;
mod decimal;
mod dictionary;
mod formats;
mod full;
mod interval;
mod message;
mod options;
mod output;
mod parse;
mod reason;
mod rows;
mod scan;
mod schema;
mod swar;
mod template;
mod time;
mod value;

#[cfg(target_arch = "wasm32")]
mod adapter;

pub use batch::{Batch, ByteColumn};
pub use options::{Options, WantedColumn};
pub use output::{Column, ColumnData, Decimals, Marked, Parsed, Table, Text};
pub use parse::{Path, parse, parse_by};
pub use schema::{COLUMNS, ColumnInfo, ColumnType, Kind};
