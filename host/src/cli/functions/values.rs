//! A function's table for people: numbers without idle zeros, times as times.

use chrono::DateTime;
use serde_json::Value;
use tallow_engine::golden::row_as_json;
use tallow_engine::{ColumnData, Table};

use crate::cli::report::time;

/// The values of a row, column by column.
pub fn row(table: &Table, row: usize) -> Vec<String> {
    let values = row_as_json(table, row, serde_json::Map::new());
    table.columns.iter().map(|column| shown(&column.data, &values[&column.name])).collect()
}

pub fn is_number(data: &ColumnData) -> bool {
    matches!(data, ColumnData::Int64(_) | ColumnData::Decimal(_) | ColumnData::Float64(_))
}

fn shown(data: &ColumnData, value: &Value) -> String {
    match (data, value) {
        (_, Value::Null) => "-".to_owned(),
        (ColumnData::TimestampUs(_), Value::Number(us)) => us.as_i64().map_or(us.to_string(), moment),
        (ColumnData::Decimal(_), Value::String(decimal)) => without_idle_zeros(decimal).to_owned(),
        (_, Value::String(text)) => text.escape_debug().to_string(),
        (_, other) => other.to_string(),
    }
}

/// To the millisecond where that is all of it, else to the microsecond.
fn moment(us: i64) -> String {
    let finer = DateTime::from_timestamp_micros(us).filter(|_| us % 1000 != 0);
    finer.map_or_else(|| time(us), |moment| moment.format("%Y-%m-%d %H:%M:%S%.6fZ").to_string())
}

fn without_idle_zeros(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

#[cfg(test)]
mod tests {
    use tallow_engine::{Column, Decimals};

    use super::*;

    #[test]
    fn values_are_short_and_times_are_times() {
        let column = |name: &str, data| Column { name: name.into(), data, validity: None };
        let decimal = |value| ColumnData::Decimal(Decimals { scale: 2, values: vec![value], high: None });
        let table = Table {
            rows: 1,
            columns: vec![
                column("t", ColumnData::TimestampUs(vec![1_723_161_255_342_000])),
                column("u", ColumnData::TimestampUs(vec![1_723_161_255_342_001])),
                column("a", decimal(150)),
                column("b", decimal(10_000)),
                column("c", ColumnData::Int64(vec![100])),
                Column { validity: Some(vec![0]), ..column("d", ColumnData::Boolean(vec![true])) },
            ],
        };
        let times = ["2024-08-08 23:54:15.342Z", "2024-08-08 23:54:15.342001Z"];
        assert_eq!(row(&table, 0), [&times[..], &["1.5", "100", "100", "-"]].concat());
    }
}
