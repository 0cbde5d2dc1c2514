//! Golden vectors: what goes into a function and what must come out, as JSON, run against a built component.
//! Nothing here knows a market. Values are written as [`tallow_contract::json`] says; what is expected has times in
//! microseconds.

mod backfill;
mod difference;
mod feed;
mod forecast;
mod merge;
mod parse;
mod window;

pub use backfill::run_backfill;
pub use feed::run_feed;
pub use forecast::run_forecast;
pub use merge::run_merge;
pub use parse::{parse_input, run_parse};
pub use window::{run_window, window_input};

use serde::Deserialize;
use serde_json::{Map, Value};
use tallow_contract::Refusal;
use tallow_contract::json::{self, ColumnInfo, Row, Times, rows_with_places};

use crate::{CallError, Rows, Table, Text};

/// Rows of a vector's `columns` and of one of its updates.
pub fn rows_of_json(columns: &Value, values: &[Value]) -> Result<Rows, GoldenError> {
    let columns = Vec::<ColumnInfo>::deserialize(columns)?;
    let values = values.iter().map(Row::deserialize).collect::<Result<Vec<_>, _>>()?;
    rows(&columns, &values)
}

fn rows(columns: &[ColumnInfo], rows: &[Row]) -> Result<Rows, GoldenError> {
    Ok(rows_with_places(columns, rows, 0)?.into())
}

/// A row as an object: `begin`, then a key a column. The table has been validated.
pub fn row_as_json(table: &Table, row: usize, mut begin: Map<String, Value>) -> Value {
    let cell = |column| json::cell(column, row, Times::Micros).unwrap_or_default();
    begin.extend(table.columns.iter().map(|column| (column.name.clone(), cell(column))));
    Value::Object(begin)
}

/// The text of a row.
pub fn text_as_json(text: &Text, row: usize) -> Value {
    text.get(row).into()
}

/// A validated table's rows as objects, a key a column.
pub fn json_rows(table: &Table) -> Vec<Value> {
    (0..table.rows as usize).map(|row| row_as_json(table, row, Map::new())).collect()
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

impl From<Refusal> for GoldenError {
    fn from(refusal: Refusal) -> Self {
        Self::Vector(refusal.to_string())
    }
}

impl From<serde_json::Error> for GoldenError {
    fn from(error: serde_json::Error) -> Self {
        Self::Vector(error.to_string())
    }
}
