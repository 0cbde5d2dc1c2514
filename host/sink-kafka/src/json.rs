//! A row as a JSON object: the contract's one form, with the two choices that readers of topics want.

use serde_json::Value;
use tallow_contract::json::{self, Times as Written};
use tallow_contract::{Column, ColumnData, Table};

use crate::settings::{Decimals, Style, Times};

/// The rows of a table, columns in its order.
pub struct Rows<'t> {
    /// Each with its name as JSON.
    columns: Vec<(String, &'t Column)>,
    style: Style,
}

impl<'t> Rows<'t> {
    pub fn new(table: &'t Table, style: Style) -> Self {
        let named = |column: &'t Column| (Value::from(column.name.as_str()).to_string(), column);
        Self { columns: table.columns.iter().map(named).collect(), style }
    }

    /// One row; `None` if a column is too short for it, or its text is not UTF-8.
    pub fn row(&self, row: usize) -> Option<String> {
        let mut out = String::from("{");
        for (at, (name, column)) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(name);
            out.push(':');
            out.push_str(&self.cell(column, row)?);
        }
        out.push('}');
        Some(out)
    }

    fn cell(&self, column: &Column, row: usize) -> Option<String> {
        let times = match self.style.times {
            Times::Text => Written::Text,
            Times::Millis => Written::Micros,
        };
        let value = json::cell(column, row, times)?;
        Some(match (&column.data, value) {
            (ColumnData::Decimal(_), Value::String(text)) if self.style.decimals == Decimals::Number => text,
            (ColumnData::TimestampUs(_), Value::Number(us)) if self.style.times == Times::Millis => {
                us.as_i64()?.div_euclid(1000).to_string()
            }
            (_, value) => value.to_string(),
        })
    }
}

/// One cell as plain text, times as RFC 3339; empty for null.
pub fn text(column: &Column, row: usize) -> Option<String> {
    Some(match json::cell(column, row, Written::Text)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tallow_contract::{Decimals as Numbers, Text};

    fn table() -> Table {
        let column = |name: &str, data, validity| Column { name: name.to_owned(), data, validity };
        let wide = Some(123_456_789_012_345_678_901_i128);
        let columns = vec![
            column("sym\"bol", ColumnData::Text(Text::from_iter(["币", "a\u{1}"])), None),
            column("at", ColumnData::TimestampUs(vec![1_704_067_200_000_000, -1]), None),
            column("close", ColumnData::Decimal(Numbers::new(2, &[wide, Some(-5)])), None),
            column("rate", ColumnData::Float64(vec![0.1, f64::NAN]), None),
            column("complete", ColumnData::Boolean(vec![true, false]), Some(vec![0b01])),
            column("trades", ColumnData::Int64(vec![i64::MAX, -1]), None),
        ];
        Table { rows: 2, columns }
    }

    #[test]
    fn rows_keep_the_order_of_columns_and_every_digit() {
        let table = table();
        let rows = Rows::new(&table, Style::default());
        assert_eq!(
            rows.row(0).unwrap(),
            r#"{"sym\"bol":"币","at":"2024-01-01T00:00:00Z","close":"1234567890123456789.01","rate":0.1,"complete":true,"trades":9223372036854775807}"#
        );
        assert_eq!(
            rows.row(1).unwrap(),
            r#"{"sym\"bol":"a\u0001","at":"1969-12-31T23:59:59.999999Z","close":"-0.05","rate":null,"complete":null,"trades":-1}"#
        );
        assert_eq!(rows.row(2), None);
    }

    #[test]
    fn decimals_may_be_numbers_and_times_milliseconds() {
        let table = table();
        let rows = Rows::new(&table, Style { decimals: Decimals::Number, times: Times::Millis });
        for (row, at, close) in [(0, 1_704_067_200_000_i64, "1234567890123456789.01"), (1, -1, "-0.05")] {
            let row = rows.row(row).unwrap();
            assert!(row.contains(&format!(r#""at":{at},"close":{close},"#)), "{row}");
            serde_json::from_str::<Value>(&row).unwrap();
        }
    }
}
