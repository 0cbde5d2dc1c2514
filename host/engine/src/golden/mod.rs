//! Golden vectors: what goes into a function and what must come out, as JSON, run against a built component.
//! Nothing here knows a market; a column's type alone decides how a value is written:
//!
//! | type | JSON |
//! |---|---|
//! | int64, timestamp-us | number (µs since 1970-01-01 UTC) |
//! | decimal | string with all of the column's places: `"0.10"` |
//! | float64 | number |
//! | boolean | `true`, `false` |
//! | text | string |
//! | any, no value | `null` |

mod backfill;
mod cell;
mod difference;
mod merge;
mod parse;
mod rows;
mod spec;
mod window;

pub use backfill::run_backfill;
pub use cell::{row as row_as_json, text as text_as_json};
pub use merge::run_merge;
pub use parse::{parse_input, run_parse};
pub use rows::rows_of_json;
pub use window::{run_window, window_input};

use serde_json::{Map, Value};

use crate::{CallError, Table};

/// A validated table's rows as objects, a key a column.
pub fn json_rows(table: &Table) -> Vec<Value> {
    (0..table.rows as usize).map(|row| cell::row(table, row, Map::new())).collect()
}

/// A golden vector that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    #[error("the vector itself is wrong: {0}")]
    Vector(String),
    #[error("{step}: {error}")]
    Call { step: String, error: CallError },
    /// The first place where the answer is another one.
    #[error("{at}: expected {expected}, found {found}")]
    Difference { at: String, expected: String, found: String },
}

impl From<serde_json::Error> for GoldenError {
    fn from(error: serde_json::Error) -> Self {
        Self::Vector(error.to_string())
    }
}
