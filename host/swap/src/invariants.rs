//! What must hold for every candle: comparisons of its columns, from the aggregates themselves and from the manifest.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use tallow_engine::{Operation, Spec};
use tallow_manifest::{Invariant, Operand};

/// What follows from a window's aggregates: of one column, the minimum is at most its first, last and mean value and
/// its maximum, and these are at most the maximum. Counts are never negative.
pub fn implied(spec: &Spec) -> Vec<Invariant> {
    let column = |name: &str| Operand::Column(name.to_owned());
    let at_most = |left, right| Invariant { left, right, or_equal: true };
    let mut implied = Vec::new();
    for low in &spec.aggregates {
        if low.operation == Operation::Count {
            implied.push(at_most(Operand::Number(0), column(&low.name)));
        }
        for high in &spec.aggregates {
            let ordered = match (low.operation, high.operation) {
                (Operation::Min, Operation::Min) | (Operation::Max, Operation::Max) => false,
                (Operation::Min, high) => is_value(high),
                (low, Operation::Max) => is_value(low),
                _ => false,
            };
            if ordered && low.column == high.column {
                implied.push(at_most(column(&low.name), column(&high.name)));
            }
        }
    }
    implied
}

fn is_value(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::First | Operation::Last | Operation::Mean | Operation::Min | Operation::Max
    )
}

/// Checks candles. Comparisons that name a column that is not there, or not a number, are passed over, and so are
/// rows without a value. The error says which candle breaks what.
pub fn check(invariants: &[Invariant], window: &str, candles: &RecordBatch) -> Result<(), String> {
    for invariant in invariants {
        let (Some(left), Some(right)) = (side(&invariant.left, candles), side(&invariant.right, candles))
        else {
            continue;
        };
        for row in 0..candles.num_rows() {
            let (Some(low), Some(high)) = (left.value(row), right.value(row)) else { continue };
            let holds = match low.compare(high) {
                Some(order) => order.is_lt() || (order.is_eq() && invariant.or_equal),
                None => false,
            };
            if !holds {
                return Err(format!(
                    "a candle of window `{window}` (row {row}) breaks {}: {} and {}",
                    text(invariant),
                    low.as_f64(),
                    high.as_f64()
                ));
            }
        }
    }
    Ok(())
}

fn text(invariant: &Invariant) -> String {
    let operand = |operand: &Operand| match operand {
        Operand::Column(name) => name.clone(),
        Operand::Number(number) => number.to_string(),
    };
    let sign = if invariant.or_equal { "<=" } else { "<" };
    format!("`{} {sign} {}`", operand(&invariant.left), operand(&invariant.right))
}

enum Side<'a> {
    Number(i64),
    Column(&'a ArrayRef),
}

fn side<'a>(operand: &Operand, candles: &'a RecordBatch) -> Option<Side<'a>> {
    match operand {
        Operand::Number(number) => Some(Side::Number(*number)),
        Operand::Column(name) => {
            let column = candles.column_by_name(name)?;
            let numeric = matches!(
                column.data_type(),
                DataType::Int64 | DataType::Float64 | DataType::Decimal128(..) | DataType::Timestamp(..)
            );
            numeric.then_some(Side::Column(column))
        }
    }
}

#[derive(Clone, Copy)]
enum Number {
    Exact { mantissa: i128, scale: i8 },
    Float(f64),
}

impl Side<'_> {
    fn value(&self, row: usize) -> Option<Number> {
        let column = match self {
            Self::Number(number) => return Some(Number::Exact { mantissa: i128::from(*number), scale: 0 }),
            Self::Column(column) => column,
        };
        if column.is_null(row) {
            return None;
        }
        let whole = |value: i64| Number::Exact { mantissa: i128::from(value), scale: 0 };
        Some(match column.data_type() {
            DataType::Float64 => Number::Float(column.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal128(_, scale) => {
                Number::Exact { mantissa: column.as_primitive::<Decimal128Type>().value(row), scale: *scale }
            }
            DataType::Timestamp(..) => whole(column.as_primitive::<TimestampMicrosecondType>().value(row)),
            _ => whole(column.as_primitive::<Int64Type>().value(row)),
        })
    }
}

impl Number {
    fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        let (Self::Exact { mantissa: a, scale: left }, Self::Exact { mantissa: b, scale: right }) =
            (self, other)
        else {
            return self.as_f64().partial_cmp(&other.as_f64());
        };
        let scale = left.max(right);
        match (raised(a, scale - left), raised(b, scale - right)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => self.as_f64().partial_cmp(&other.as_f64()),
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Exact { mantissa, scale } => tallow_sink::nearest_double(mantissa, scale),
            Self::Float(value) => value,
        }
    }
}

fn raised(mantissa: i128, places: i8) -> Option<i128> {
    10i128.checked_pow(u32::try_from(places).ok()?)?.checked_mul(mantissa)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Decimal128Array, Int64Array};
    use arrow_schema::{Field, Schema};
    use tallow_engine::{Aggregate, Shape};

    use super::*;

    fn aggregate(name: &str, operation: Operation) -> Aggregate {
        let column = (operation != Operation::Count).then(|| "price".to_owned());
        Aggregate { name: name.into(), operation, column, by: None }
    }

    fn spec() -> Spec {
        Spec {
            name: "1m".into(),
            kinds: vec!["trade".into()],
            keys: vec![],
            time: "event_time".into(),
            ids: None,
            shape: Shape::Tumbling(60_000_000),
            offset_us: 0,
            aggregates: vec![
                aggregate("open", Operation::First),
                aggregate("high", Operation::Max),
                aggregate("low", Operation::Min),
                aggregate("close", Operation::Last),
                aggregate("trades", Operation::Count),
            ],
        }
    }

    fn candles(open: i128, high: i128, low: i128, close: i128, trades: i64) -> RecordBatch {
        let price = |value: i128| {
            Arc::new(Decimal128Array::from(vec![value]).with_precision_and_scale(38, 2).unwrap()) as ArrayRef
        };
        let columns = [
            ("open", price(open)),
            ("high", price(high)),
            ("low", price(low)),
            ("close", price(close)),
            ("trades", Arc::new(Int64Array::from(vec![trades])) as ArrayRef),
        ];
        let fields: Vec<_> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    }

    #[test]
    fn a_candle_whose_low_is_above_its_open_is_found() {
        let implied = implied(&spec());
        assert_eq!(check(&implied, "1m", &candles(500, 600, 400, 450, 3)), Ok(()));
        let error = check(&implied, "1m", &candles(500, 600, 501, 550, 3)).unwrap_err();
        assert!(error.contains("`low <= open`: 5.01 and 5"), "{error}");
        assert!(check(&implied, "1m", &candles(500, 449, 400, 450, 3)).unwrap_err().contains("<= high`"));
        assert!(check(&implied, "1m", &candles(500, 600, 400, 450, -1)).unwrap_err().contains("trades"));
    }

    #[test]
    fn a_comparison_of_the_manifest_holds_across_scales_and_types() {
        let at_least = |number| Invariant {
            left: Operand::Number(number),
            right: Operand::Column("open".into()),
            or_equal: false,
        };
        assert_eq!(check(&[at_least(4)], "1m", &candles(401, 600, 400, 450, 3)), Ok(()));
        assert!(check(&[at_least(4)], "1m", &candles(400, 600, 400, 450, 3)).is_err());
        let unknown = Invariant { left: Operand::Column("no".into()), ..at_least(0) };
        assert_eq!(check(&[unknown], "1m", &candles(0, 0, 0, 0, 0)), Ok(()));
    }
}
