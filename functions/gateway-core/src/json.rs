//! The form for people, as [`tallow_contract::json`] has it, path by path.

pub mod backfill;
pub mod merge;
pub mod parse;
pub mod window;

use serde::Deserialize;
use tallow_contract::Table;
use tallow_contract::json::{ColumnInfo, Row, Times, to_rows};

use crate::http::Refused;

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::malformed(format!("the body: {error}")))
}

/// What a function's table is, and its rows.
fn table(table: &Table) -> Result<(Vec<ColumnInfo>, Vec<Row>), Refused> {
    let rows = to_rows(table, Times::Text).map_err(Refused::by_function)?;
    Ok((table.columns.iter().map(ColumnInfo::of).collect(), rows))
}
