//! What holds in every candle, whatever it is of.

use std::cmp::Ordering;

use tallow_contract::candles::{Side, Value, implied};
use tallow_engine::{Operation, Output, Spec, Table};

/// What is wrong with the windows of an output, if anything is: a comparison that the spec implies does not hold, or a sum
/// of values that are not negative is negative.
pub fn broken(spec: &Spec, output: &Output) -> Option<String> {
    let implied = implied(spec);
    (0..output.table.rows as usize).find_map(|row| {
        let in_order = |&(low, high): &(Side<'_>, Side<'_>)| out_of_order(low, high, &output.table, row);
        let what = implied.iter().find_map(in_order).or_else(|| negative_sum(spec, &output.table, row))?;
        Some(format!("window `{}`, row {row}: {what}", spec.name))
    })
}

fn out_of_order(low: Side<'_>, high: Side<'_>, table: &Table, row: usize) -> Option<String> {
    let value = |side| match side {
        Side::Zero => Some(Value::whole(0)),
        Side::Column(name) => value(table, name, row),
    };
    if value(low)?.compare(value(high)?) != Some(Ordering::Greater) {
        return None;
    }
    match (low, high) {
        (Side::Column(low), Side::Column(high)) => Some(format!("`{low}` is larger than `{high}`")),
        (Side::Zero, Side::Column(name)) | (Side::Column(name), Side::Zero) => Some(is_negative(name)),
        (Side::Zero, Side::Zero) => None,
    }
}

/// A sum is not negative if the smallest value of its column is not.
fn negative_sum(spec: &Spec, table: &Table, row: usize) -> Option<String> {
    let negative = |value: Value<'_>| value.compare(Value::whole(0)) == Some(Ordering::Less);
    let low_of = |column: &Option<String>| {
        let low = spec.aggregates.iter().find(|it| it.operation == Operation::Min && it.column == *column);
        low.and_then(|low| value(table, &low.name, row))
    };
    let sums = spec.aggregates.iter().filter(|it| it.operation == Operation::Sum);
    let mut wrong = sums.filter(|sum| {
        low_of(&sum.column).is_some_and(|low| !negative(low))
            && value(table, &sum.name, row).is_some_and(negative)
    });
    wrong.next().map(|sum| is_negative(&sum.name))
}

fn is_negative(name: &str) -> String {
    format!("`{name}` is negative")
}

fn value<'a>(table: &'a Table, name: &str, row: usize) -> Option<Value<'a>> {
    Value::of(table.columns.iter().find(|column| column.name == name)?, row)
}

#[cfg(test)]
mod tests {
    use tallow_engine::{Aggregate, Column, ColumnData, Decimals, Shape};

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
