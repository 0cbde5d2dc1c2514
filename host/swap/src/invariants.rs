//! What must hold for every candle: comparisons of its columns, from the aggregates themselves and from the manifest.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use tallow_contract::candles::{self, Side, Value};
use tallow_engine::Spec;
use tallow_manifest::{Invariant, Operand};

/// What follows from a window's aggregates, as [`candles::implied`] says.
pub fn implied(spec: &Spec) -> Vec<Invariant> {
    let operand = |side| match side {
        Side::Zero => Operand::Number(0),
        Side::Column(name) => Operand::Column(name.to_owned()),
    };
    let at_most = |(low, high)| Invariant { left: operand(low), right: operand(high), or_equal: true };
    candles::implied(spec).into_iter().map(at_most).collect()
}

/// Checks candles. Comparisons that name a column that is not there, or not a number, are passed over, and so are
/// rows without a value. Says which candle breaks what; `None` if none does.
pub fn broken(invariants: &[Invariant], window: &str, candles: &RecordBatch) -> Option<String> {
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
                return Some(format!(
                    "a candle of window `{window}` (row {row}) breaks {}: {} and {}",
                    text(invariant),
                    low.to_f64().unwrap_or(f64::NAN),
                    high.to_f64().unwrap_or(f64::NAN)
                ));
            }
        }
    }
    None
}

fn text(invariant: &Invariant) -> String {
    let operand = |operand: &Operand| match operand {
        Operand::Column(name) => name.clone(),
        Operand::Number(number) => number.to_string(),
    };
    let sign = if invariant.or_equal { "<=" } else { "<" };
    format!("`{} {sign} {}`", operand(&invariant.left), operand(&invariant.right))
}

enum Number<'a> {
    Fixed(i64),
    Of(&'a ArrayRef),
}

fn side<'a>(operand: &Operand, candles: &'a RecordBatch) -> Option<Number<'a>> {
    match operand {
        Operand::Number(number) => Some(Number::Fixed(*number)),
        Operand::Column(name) => {
            let column = candles.column_by_name(name)?;
            let numeric = matches!(
                column.data_type(),
                DataType::Int64 | DataType::Float64 | DataType::Decimal128(..) | DataType::Timestamp(..)
            );
            numeric.then_some(Number::Of(column))
        }
    }
}

impl Number<'_> {
    fn value(&self, row: usize) -> Option<Value<'static>> {
        let column = match self {
            Self::Fixed(number) => return Some(Value::whole(*number)),
            Self::Of(column) => column,
        };
        if column.is_null(row) {
            return None;
        }
        Some(match column.data_type() {
            DataType::Float64 => Value::Float(column.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal128(_, scale) => Value::Exact {
                mantissa: column.as_primitive::<Decimal128Type>().value(row),
                // A function's scales are not negative.
                scale: u8::try_from(*scale).ok()?,
            },
            DataType::Timestamp(..) => {
                Value::whole(column.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            _ => Value::whole(column.as_primitive::<Int64Type>().value(row)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Decimal128Array, Int64Array};
    use arrow_schema::{Field, Schema};
    use tallow_engine::{Aggregate, Operation, Shape};

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
        assert_eq!(broken(&implied, "1m", &candles(500, 600, 400, 450, 3)), None);
        let error = broken(&implied, "1m", &candles(500, 600, 501, 550, 3)).unwrap();
        assert!(error.contains("`low <= open`: 5.01 and 5"), "{error}");
        assert!(broken(&implied, "1m", &candles(500, 449, 400, 450, 3)).unwrap().contains("<= high`"));
        assert!(broken(&implied, "1m", &candles(500, 600, 400, 450, -1)).unwrap().contains("trades"));
    }

    #[test]
    fn a_comparison_of_the_manifest_holds_across_scales_and_types() {
        let at_least = |number| Invariant {
            left: Operand::Number(number),
            right: Operand::Column("open".into()),
            or_equal: false,
        };
        assert_eq!(broken(&[at_least(4)], "1m", &candles(401, 600, 400, 450, 3)), None);
        assert!(broken(&[at_least(4)], "1m", &candles(400, 600, 400, 450, 3)).is_some());
        let unknown = Invariant { left: Operand::Column("no".into()), ..at_least(0) };
        assert_eq!(broken(&[unknown], "1m", &candles(0, 0, 0, 0, 0)), None);
    }
}
