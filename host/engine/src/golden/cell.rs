//! A table's values as JSON.

use function_table::decimal;
use serde_json::{Map, Value, json};

use crate::validate::bit;
use crate::{Column, ColumnData, Table, Text};

/// A row as an object: `begin`, then a key a column. The table has been validated.
pub fn row(table: &Table, row: usize, begin: Map<String, Value>) -> Value {
    let mut shown = begin;
    for column in &table.columns {
        shown.insert(column.name.clone(), cell(column, row));
    }
    Value::Object(shown)
}

fn cell(column: &Column, row: usize) -> Value {
    if column.validity.as_ref().is_some_and(|bits| !bit(bits, row)) {
        return Value::Null;
    }
    match &column.data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => json!(values[row]),
        ColumnData::Float64(values) => json!(values[row]),
        ColumnData::Boolean(values) => json!(values[row]),
        ColumnData::Text(dictionary) => text(dictionary, row),
        ColumnData::Decimal(decimals) => {
            let mantissa = match &decimals.high {
                None => i128::from(decimals.values[row]),
                Some(high) => i128::from(high[row]) << 64 | i128::from(decimals.values[row] as u64),
            };
            json!(decimal::text(mantissa, decimals.scale))
        }
    }
}

pub fn text(dictionary: &Text, row: usize) -> Value {
    let code = dictionary.codes[row] as usize;
    let from = if code == 0 { 0 } else { dictionary.ends[code - 1] as usize };
    json!(String::from_utf8_lossy(&dictionary.bytes[from..dictionary.ends[code] as usize]))
}
