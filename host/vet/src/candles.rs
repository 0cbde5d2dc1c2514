//! What holds in every candle, whatever it is of.

use std::cmp::Ordering;

use tallow_engine::{Column, ColumnData, Operation, Output, Spec, Table};

use crate::exact::{entry, is_valid};

/// A window's value, comparable with those of the same column.
#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Integer(i128),
    Float(f64),
    Text(&'a [u8]),
}

/// What is wrong with the windows of an output, if anything is: the smallest value of a column is not above its first,
/// last or mean one, nor these above the largest; counts are not negative; what adds up values that are not negative is
/// not negative.
pub fn broken(spec: &Spec, output: &Output) -> Option<String> {
    let rows = 0..output.table.rows as usize;
    rows.into_iter().find_map(|row| {
        let what = in_order(spec, &output.table, row).or_else(|| not_negative(spec, &output.table, row))?;
        Some(format!("window `{}`, row {row}: {what}", spec.name))
    })
}

fn in_order(spec: &Spec, table: &Table, row: usize) -> Option<String> {
    for low in &spec.aggregates {
        for high in &spec.aggregates {
            let (Some(below), Some(above)) = (rank(low.operation), rank(high.operation)) else { continue };
            if low.column != high.column || below >= above {
                continue;
            }
            let (left, right) = (value(table, &low.name, row), value(table, &high.name, row));
            if let (Some(left), Some(right)) = (left, right)
                && compare(left, right) == Some(Ordering::Greater)
            {
                return Some(format!("`{}` is larger than `{}`", low.name, high.name));
            }
        }
    }
    None
}

/// The place in the order smallest, any value of the column, largest.
fn rank(operation: Operation) -> Option<u8> {
    match operation {
        Operation::Min => Some(0),
        Operation::First | Operation::Last | Operation::Mean => Some(1),
        Operation::Max => Some(2),
        Operation::Sum | Operation::Count | Operation::Vwap | Operation::SumProduct => None,
    }
}

fn not_negative(spec: &Spec, table: &Table, row: usize) -> Option<String> {
    let is_negative = |name: &str| value(table, name, row).is_some_and(negative);
    let low_of = |column: &Option<String>| {
        let low = spec.aggregates.iter().find(|it| it.operation == Operation::Min && it.column == *column);
        low.and_then(|low| value(table, &low.name, row))
    };
    for aggregate in &spec.aggregates {
        let wrong = match aggregate.operation {
            Operation::Count => is_negative(&aggregate.name),
            Operation::Sum => {
                low_of(&aggregate.column).is_some_and(|low| !negative(low)) && is_negative(&aggregate.name)
            }
            _ => false,
        };
        if wrong {
            return Some(format!("`{}` is negative", aggregate.name));
        }
    }
    None
}

fn negative(value: Value<'_>) -> bool {
    match value {
        Value::Integer(value) => value < 0,
        Value::Float(value) => value < 0.0,
        Value::Text(_) => false,
    }
}

fn compare(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(&right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(&right),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Decimals of a column and its aggregates have one scale: their mantissas compare.
fn value<'a>(table: &'a Table, name: &str, row: usize) -> Option<Value<'a>> {
    let column: &Column = table.columns.iter().find(|column| column.name == name)?;
    if !is_valid(column, row) {
        return None;
    }
    Some(match &column.data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => Value::Integer(values[row].into()),
        ColumnData::Decimal(decimals) => {
            let low = decimals.values[row];
            Value::Integer(match &decimals.high {
                Some(high) => i128::from(high[row]) << 64 | i128::from(low as u64),
                None => low.into(),
            })
        }
        ColumnData::Float64(values) => Value::Float(values[row]),
        ColumnData::Boolean(values) => Value::Integer(values[row].into()),
        ColumnData::Text(text) => Value::Text(entry(text, text.codes[row])),
    })
}

#[cfg(test)]
mod tests {
    use tallow_engine::{Aggregate, Decimals, Shape};

    use super::*;

    fn spec() -> Spec {
        let aggregate = |name: &str, operation, column: Option<&str>| Aggregate {
            name: name.into(),
            operation,
            column: column.map(str::to_owned),
            by: None,
        };
        Spec {
            name: "1m".into(),
            kinds: vec!["trade".into()],
            keys: Vec::new(),
            time: "t".into(),
            ids: None,
            shape: Shape::Tumbling(60_000_000),
            offset_us: 0,
            aggregates: vec![
                aggregate("open", Operation::First, Some("price")),
                aggregate("high", Operation::Max, Some("price")),
                aggregate("low", Operation::Min, Some("price")),
                aggregate("smallest", Operation::Min, Some("quantity")),
                aggregate("volume", Operation::Sum, Some("quantity")),
                aggregate("trades", Operation::Count, None),
            ],
        }
    }

    fn candle(values: [i64; 5], trades: i64) -> Output {
        let decimal = |value| ColumnData::Decimal(Decimals { scale: 8, values: vec![value], high: None });
        let names = ["open", "high", "low", "smallest", "volume"];
        let mut columns: Vec<Column> = names
            .into_iter()
            .zip(values)
            .map(|(name, value)| Column { name: name.into(), data: decimal(value), validity: None })
            .collect();
        columns.push(Column { name: "trades".into(), data: ColumnData::Int64(vec![trades]), validity: None });
        Output { spec: 0, assignments: 1, table: Table { rows: 1, columns } }
    }

    #[test]
    fn a_candle_of_prices_between_the_smallest_and_the_largest_is_sound() {
        assert_eq!(broken(&spec(), &candle([5, 9, 1, 2, 8], 3)), None);
        assert_eq!(broken(&spec(), &candle([1, 1, 1, -2, -8], 0)), None);
    }

    #[test]
    fn what_is_broken_is_named() {
        for (values, trades, what) in [
            ([0, 9, 1, 2, 8], 3, "`low` is larger than `open`"),
            ([10, 9, 1, 2, 8], 3, "`open` is larger than `high`"),
            ([5, 9, 1, 2, -8], 3, "`volume` is negative"),
            ([5, 9, 1, 2, 8], -1, "`trades` is negative"),
        ] {
            let found = broken(&spec(), &candle(values, trades));
            assert_eq!(found, Some(format!("window `1m`, row 0: {what}")));
        }
    }

    #[test]
    fn columns_that_are_null_or_missing_break_nothing() {
        let mut output = candle([5, 9, 1, 2, 8], 3);
        output.table.columns[0] =
            Column { name: "open".into(), data: ColumnData::Int64(vec![100]), validity: Some(vec![0]) };
        output.table.columns.retain(|column| column.name != "high");
        assert_eq!(broken(&spec(), &output), None);
    }
}
