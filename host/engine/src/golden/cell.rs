//! A table's values as JSON.

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
            json!(decimal(mantissa, decimals.scale.into()))
        }
    }
}

pub fn text(dictionary: &Text, row: usize) -> Value {
    let code = dictionary.codes[row] as usize;
    let from = if code == 0 { 0 } else { dictionary.ends[code - 1] as usize };
    json!(String::from_utf8_lossy(&dictionary.bytes[from..dictionary.ends[code] as usize]))
}

fn decimal(mantissa: i128, scale: usize) -> String {
    let sign = if mantissa < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
    let (whole, places) = digits.split_at(digits.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{places}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_show_all_of_their_places() {
        for (mantissa, scale, shown) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (12345, 2, "123.45"),
            (-12345, 0, "-12345"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
        ] {
            assert_eq!(decimal(mantissa, scale), shown);
        }
    }
}
