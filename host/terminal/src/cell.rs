//! One value of a window's table, as the view keeps it.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use chrono::DateTime;

use tallow_sink::nearest_double;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Decimal {
        mantissa: i128,
        scale: i8,
    },
    Double(f64),
    Boolean(bool),
    /// µs since 1970-01-01 UTC.
    Time(i64),
    Text(String),
}

impl Cell {
    /// The cell of a row; null where there is no such column.
    pub fn of(batch: &RecordBatch, column: &str, row: usize) -> Cell {
        match batch.column_by_name(column) {
            Some(array) if array.is_valid(row) => Cell::valid(array.as_ref(), row),
            _ => Cell::Null,
        }
    }

    fn valid(array: &dyn Array, row: usize) -> Cell {
        match array.data_type() {
            DataType::Int64 => Cell::Integer(array.as_primitive::<Int64Type>().value(row)),
            DataType::Decimal128(_, scale) => {
                Cell::Decimal { mantissa: array.as_primitive::<Decimal128Type>().value(row), scale: *scale }
            }
            DataType::Float64 => Cell::Double(array.as_primitive::<Float64Type>().value(row)),
            DataType::Boolean => Cell::Boolean(array.as_boolean().value(row)),
            DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, _) => {
                Cell::Time(array.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
            other => Cell::Text(format!("({other})")),
        }
    }

    /// The value as a number that can be charted.
    pub fn number(&self) -> Option<f64> {
        let number = match self {
            Cell::Integer(value) => *value as f64,
            Cell::Decimal { mantissa, scale } => nearest_double(*mantissa, *scale),
            Cell::Double(value) => *value,
            Cell::Null | Cell::Boolean(_) | Cell::Time(_) | Cell::Text(_) => return None,
        };
        number.is_finite().then_some(number)
    }
}

/// `2024-08-09T12:34:56Z`, with microseconds where there are any.
pub(super) fn iso(time_us: i64) -> String {
    match DateTime::from_timestamp_micros(time_us) {
        Some(time) if time_us.rem_euclid(1_000_000) == 0 => time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Some(time) => time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        None => format!("{time_us} µs"),
    }
}
