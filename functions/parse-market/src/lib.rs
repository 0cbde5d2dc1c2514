//! From market messages to rows: Binance trades, klines and tickers, the ticker JSON of pollers, and
//! `{data_id, name, timestamp}`, each recognised by its look.
//!
//! [`parse`] is pure: the same batch and options give the same output, whatever was parsed before. Trades in
//! the exchange's own key order go through `template`, which compares keys a word at a time and reads digits
//! eight at once; whatever surprises it goes to `full`, which takes any JSON. Both give the same rows.
//!
//! Nothing here knows of WebAssembly but `adapter`, which moves these types in and out of the contract
//! `tallow:parse`.

mod formats;
mod full;
mod message;
mod options;
mod parse;
mod record;
mod rows;
mod schema;
mod template;

#[cfg(target_arch = "wasm32")]
mod adapter;

pub use parse::{parse, parse_by};
pub use parse_base::{
    Batch, ByteColumn, Column, ColumnData, ColumnType, Decimals, Marked, Options, Parsed, Path, Table, Text,
    WantedColumn,
};
use parse_base::{builder, cursor, decimal, interval, json, marks, reason, short_texts, time, window};
pub use schema::{COLUMNS, Kind};
