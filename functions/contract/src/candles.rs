//! What holds in every candle, whatever its columns are called.

use std::cmp::Ordering;

use crate::window::Spec;
use crate::{Column, ColumnData, Operation, decimal};

/// One side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side<'a> {
    Zero,
    /// A column of the candle.
    Column(&'a str),
}

/// The comparisons that follow from a window's aggregates, each as (low, high): low is at most high. Of one column, the
/// minimum is at most its first, last and mean value, and these are at most the maximum. Counts are not negative.
///
/// ```
/// use tallow_contract::candles::{Side, implied};
/// use tallow_contract::json;
/// let spec: json::Spec = serde_json::from_str(
///     r#"{"name": "1m", "shape": {"tumbling_us": 60000000}, "aggregates": [
///         {"name": "low", "operation": "min", "column": "price"},
///         {"name": "close", "operation": "last", "column": "price"},
///         {"name": "trades", "operation": "count"}]}"#,
/// )?;
/// let low_to_close = (Side::Column("low"), Side::Column("close"));
/// assert_eq!(implied(&spec.into()), [low_to_close, (Side::Zero, Side::Column("trades"))]);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn implied(spec: &Spec) -> Vec<(Side<'_>, Side<'_>)> {
    let mut implied = Vec::new();
    for low in &spec.aggregates {
        if low.operation == Operation::Count {
            implied.push((Side::Zero, Side::Column(low.name.as_str())));
        }
        for high in &spec.aggregates {
            if let (Some(below), Some(above)) = (rank(low.operation), rank(high.operation))
                && below < above
                && low.column == high.column
            {
                implied.push((Side::Column(low.name.as_str()), Side::Column(high.name.as_str())));
            }
        }
    }
    implied
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

/// A candle's value, comparable with those of other columns.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// `mantissa / 10^scale`.
    Exact {
        mantissa: i128,
        scale: u8,
    },
    Float(f64),
    Text(&'a [u8]),
}

impl<'a> Value<'a> {
    /// An integer, or a time in microseconds.
    pub fn whole(value: i64) -> Self {
        Self::Exact { mantissa: i128::from(value), scale: 0 }
    }

    /// The value of a row; `None` if it is null. The column has the row.
    pub fn of(column: &'a Column, row: usize) -> Option<Self> {
        column.is_valid(row).then(|| match &column.data {
            ColumnData::Int64(values) | ColumnData::TimestampUs(values) => Self::whole(values[row]),
            ColumnData::Decimal(decimals) => {
                Self::Exact { mantissa: decimals.mantissa(row), scale: decimals.scale }
            }
            ColumnData::Float64(values) => Self::Float(values[row]),
            ColumnData::Boolean(values) => Self::whole(i64::from(values[row])),
            ColumnData::Text(text) => Self::Text(text.entry(text.codes[row])),
        })
    }

    /// The order of two values; `None` if they have none, as NaN and text with a number.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            (Self::Exact { mantissa: a, scale: left }, Self::Exact { mantissa: b, scale: right }) => {
                let scale = left.max(right);
                match (decimal::raised(a, scale - left), decimal::raised(b, scale - right)) {
                    (Some(a), Some(b)) => Some(a.cmp(&b)),
                    _ => self.to_f64()?.partial_cmp(&other.to_f64()?),
                }
            }
            _ => self.to_f64()?.partial_cmp(&other.to_f64()?),
        }
    }

    /// The nearest double; `None` for text.
    pub fn to_f64(self) -> Option<f64> {
        match self {
            Self::Exact { mantissa, scale } => Some(decimal::nearest_double(mantissa, scale)),
            Self::Float(value) => Some(value),
            Self::Text(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_numbers_compare_across_scales() {
        let exact = |mantissa, scale| Value::Exact { mantissa, scale };
        assert_eq!(exact(401, 2).compare(Value::whole(4)), Some(Ordering::Greater));
        assert_eq!(exact(400, 2).compare(Value::whole(4)), Some(Ordering::Equal));
        // 10^37 at 38 places does not fit 128 bits: the doubles decide.
        assert_eq!(exact(10i128.pow(37), 0).compare(exact(1, 38)), Some(Ordering::Greater));
        assert_eq!(Value::Float(3.5).compare(exact(351, 2)), Some(Ordering::Less));
    }

    #[test]
    fn nan_and_text_have_no_order_with_numbers() {
        assert_eq!(Value::Float(f64::NAN).compare(Value::whole(1)), None);
        assert_eq!(Value::Text(b"a").compare(Value::whole(1)), None);
        assert_eq!(Value::Text(b"a").compare(Value::Text(b"b")), Some(Ordering::Less));
    }
}
