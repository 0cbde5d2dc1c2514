//! From any JSON to rows, by a schema: [`tallow_contract::schema`] says what a topic's messages hold.
//!
//! [`parse`] is pure. Most messages look like one before them: what is between their values is compared at once, and only
//! the values are read. Where keys come in any order, their quotes tell where the values are. At the first surprise the
//! message is read member by member, and at the next one by the full reader. All ways give the same rows.
//!
//! In the order in which a record passes them:
//!
//! - `plan`, `column`: the schema and what is asked for, checked once a call; `tree`: where in a message each column is;
//! - `quick`: messages that are written in a common way: along a `track`, by their quotes (`quick::flat`), or
//!   `one_by_one`; `members`: the keys that came before; `take`: how the value of each is mostly written;
//! - `full`: any message, value by value into `cells`; `explode`: a row per item of an array; `convert`: from a value's
//!   text to what a column holds; `kinds`: which kinds of rows are wanted.

mod cells;
mod column;
mod convert;
mod explode;
mod full;
mod kinds;
mod members;
mod parse;
mod plan;
mod quick;
mod record;
mod take;
#[cfg(test)]
mod testing;
mod time;
mod track;
mod tree;

#[cfg(target_arch = "wasm32")]
mod adapter;

pub use parse::{Way, parse, parse_by};
