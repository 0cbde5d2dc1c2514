//! Answers as bytes, to be compared: exactly as they came, or by what they mean.

use serde::Serialize;
use tallow_contract::messages::encode;
use tallow_engine::{Column, ColumnData, Output, Parsed, Table};

/// The one bit pattern that NaN has, as the engine makes it.
const NAN: u64 = 0x7ff8_0000_0000_0000;

/// An answer exactly as it came.
pub fn bytes(answer: &impl Serialize) -> Vec<u8> {
    encode(answer).unwrap_or_else(|why| String::from(why).into_bytes())
}

/// A parsed batch exactly as it came.
pub fn parsed(parsed: &Parsed) -> Vec<u8> {
    let Parsed { rows, ignored, rejected, rounded } = parsed;
    let apart = [ignored, rejected].map(|marked| marked.iter().collect::<Vec<_>>());
    bytes(&(&rows.table, &rows.kinds, &rows.records, apart, rounded))
}

/// What a row says, whatever its dictionary's codes are.
pub fn row(table: &Table, row: usize) -> Vec<u8> {
    bytes(&table.columns.iter().map(|column| (&column.name, Cell::of(column, row))).collect::<Vec<_>>())
}

/// The rows of windows, by what they say.
pub fn rows(outputs: &[Output]) -> Vec<(u32, Vec<u8>)> {
    let rows = outputs
        .iter()
        .flat_map(|output| (0..output.table.rows as usize).map(|at| (output.spec, row(&output.table, at))));
    rows.collect()
}

/// The first value of a table that is a NaN of another bit pattern than the one that replays go by: its column and
/// row.
pub fn odd_nan(table: &Table) -> Option<(&str, usize)> {
    table.columns.iter().find_map(|column| match &column.data {
        ColumnData::Float64(values) => {
            let odd = values.iter().position(|value| value.is_nan() && value.to_bits() != NAN)?;
            Some((column.name.as_str(), odd))
        }
        _ => None,
    })
}

/// A value of a row.
#[derive(Serialize)]
enum Cell<'a> {
    Null,
    Integer(i64),
    /// Scale and mantissa.
    Decimal(u8, i128),
    Float(u64),
    Boolean(bool),
    Text(&'a [u8]),
}

impl<'a> Cell<'a> {
    fn of(column: &'a Column, row: usize) -> Self {
        match &column.data {
            _ if !column.is_valid(row) => Self::Null,
            ColumnData::Int64(values) | ColumnData::TimestampUs(values) => Self::Integer(values[row]),
            ColumnData::Decimal(decimals) => Self::Decimal(decimals.scale, decimals.mantissa(row)),
            ColumnData::Float64(values) => Self::Float(values[row].to_bits()),
            ColumnData::Boolean(values) => Self::Boolean(values[row]),
            ColumnData::Text(text) => Self::Text(text.entry(text.codes[row])),
        }
    }
}

#[cfg(test)]
mod tests {
    use tallow_engine::{Decimals, Text};

    use super::*;

    fn one(data: ColumnData, validity: Option<Vec<u8>>) -> Table {
        Table { rows: 1, columns: vec![Column { name: "c".into(), data, validity }] }
    }

    fn dictionary(bytes: &[u8], ends: &[u32], code: u32) -> ColumnData {
        ColumnData::Text(Text { bytes: bytes.into(), ends: ends.into(), codes: vec![code] })
    }

    #[test]
    fn a_row_says_the_same_under_other_codes_and_does_not_come_the_same() {
        let (left, right) =
            (one(dictionary(b"ab", &[1, 2], 1), None), one(dictionary(b"ba", &[1, 2], 0), None));
        assert_eq!(row(&left, 0), row(&right, 0));
        assert_ne!(bytes(&left), bytes(&right));
    }

    #[test]
    fn a_decimal_says_the_same_with_and_without_its_high_half() {
        let decimal = |high| one(ColumnData::Decimal(Decimals { scale: 2, values: vec![-5], high }), None);
        assert_eq!(row(&decimal(None), 0), row(&decimal(Some(vec![-1])), 0));
        assert_ne!(row(&decimal(None), 0), row(&decimal(Some(vec![0])), 0));
    }

    #[test]
    fn null_is_not_zero_and_zero_is_not_minus_zero() {
        let float = |value, validity| row(&one(ColumnData::Float64(vec![value]), validity), 0);
        assert_ne!(float(0.0, None), float(0.0, Some(vec![0])));
        assert_ne!(float(0.0, None), float(-0.0, None));
        assert_eq!(float(1.0, Some(vec![0])), float(2.0, Some(vec![0])));
    }

    #[test]
    fn a_nan_of_another_pattern_is_found_whether_its_row_is_null_or_not() {
        let odd = f64::from_bits(NAN | 1);
        assert_eq!(odd_nan(&one(ColumnData::Float64(vec![f64::from_bits(NAN)]), None)), None);
        assert_eq!(odd_nan(&one(ColumnData::Float64(vec![odd]), None)), Some(("c", 0)));
        assert_eq!(odd_nan(&one(ColumnData::Float64(vec![odd]), Some(vec![0]))), Some(("c", 0)));
    }
}
