//! Trailing averages: of each row and those before it, partial at the start.

use tallow_contract::decimal::{MAX_SCALE, Sum, divide_half_even};
use tallow_contract::{Column, ValueType};

use crate::columns::Values;
use crate::exact::ExactSum;

/// Decimal places that an average has more than its column.
const MORE_PLACES: u8 = 8;

/// The averages of a column's values over `length` rows, as a column. The first `before` rows count and get none.
/// A row of whose window no value is there has none either.
pub fn average(name: &str, kind: ValueType, values: &Values, length: usize, before: usize) -> Column {
    match values {
        Values::Integers(values) => {
            let scale = if let ValueType::Decimal(scale) = kind { scale } else { 0 };
            let places = (scale + MORE_PLACES).min(MAX_SCALE);
            let power = 10i128.pow(u32::from(places - scale));
            let mean = |sum: &Sum, count| divide_half_even(sum.value()?.checked_mul(power)?, count);
            let means = trailing(values, length, before, Sum::add, |sum, value| sum.add(-value), mean);
            Values::Integers(means).into_column(name, ValueType::Decimal(places))
        }
        Values::Floats(values) => {
            let mean = |sum: &ExactSum, count| sum.value().map(|sum| sum / count as f64);
            let means = trailing(values, length, before, ExactSum::add, ExactSum::remove, mean);
            Values::Floats(means).into_column(name, ValueType::Float64)
        }
        Values::Booleans(values) => Values::Floats(vec![None; values.len() - before]).into_column(name, kind),
        Values::Texts(values) => Values::Floats(vec![None; values.len() - before]).into_column(name, kind),
    }
}

fn trailing<S: Default, T: Copy>(
    values: &[Option<T>],
    length: usize,
    before: usize,
    add: impl Fn(&mut S, T),
    remove: impl Fn(&mut S, T),
    mean: impl Fn(&S, i128) -> Option<T>,
) -> Vec<Option<T>> {
    let mut sum = S::default();
    let mut count = 0;
    let mut means = Vec::with_capacity(values.len() - before);
    for (row, value) in values.iter().enumerate() {
        if let Some(value) = value {
            add(&mut sum, *value);
            count += 1;
        }
        if let Some(Some(gone)) = row.checked_sub(length).map(|gone| values[gone]) {
            remove(&mut sum, gone);
            count -= 1;
        }
        if row >= before {
            means.push(if count > 0 { mean(&sum, count) } else { None });
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tallow_contract::{ColumnData, Decimals};

    use super::*;

    #[test]
    fn averages_are_partial_at_the_start_and_skip_what_is_null() {
        let values = Values::Floats(vec![Some(1.0), None, Some(4.0), Some(7.0), None, None]);
        let column = average("ma2", ValueType::Float64, &values, 2, 0);
        assert_eq!(column.data, ColumnData::Float64(vec![1.0, 1.0, 4.0, 5.5, 7.0, 0.0]));
        assert_eq!(column.validity, Some(vec![0b01_1111]));
    }

    #[test]
    fn a_decimal_average_has_eight_places_more_and_is_rounded_half_even() {
        // 0.01, 0.02, 0.02: thirds.
        let values = Values::Integers(vec![Some(1), Some(2), Some(2)]);
        let column = average("ma3", ValueType::Decimal(2), &values, 3, 0);
        let expected =
            Decimals { scale: 10, values: vec![100_000_000, 150_000_000, 166_666_667], high: None };
        assert_eq!(column.data, ColumnData::Decimal(expected));
    }

    proptest! {
        /// The same by going through each row's window.
        #[test]
        fn moving_sums_are_sums(
            values in prop::collection::vec(prop::option::of(-1_000_000i64..1_000_000), 1..60),
            length in 1usize..12,
            before in 0usize..5,
        ) {
            let before = before.min(values.len());
            let wide: Vec<Option<i128>> = values.iter().map(|value| value.map(i128::from)).collect();
            let floats: Vec<Option<f64>> = values.iter().map(|value| value.map(|value| value as f64)).collect();
            let mut expected = Vec::new();
            for row in before..values.len() {
                let window: Vec<i64> =
                    values[(row + 1).saturating_sub(length)..=row].iter().flatten().copied().collect();
                let sum: i64 = window.iter().sum();
                expected.push((!window.is_empty()).then(|| sum as f64 / window.len() as f64));
            }
            let column = average("a", ValueType::Float64, &Values::Floats(floats), length, before);
            prop_assert_eq!(&column, &Values::Floats(expected.clone()).into_column("a", ValueType::Float64));
            let column = average("a", ValueType::Int64, &Values::Integers(wide), length, before);
            if let ColumnData::Decimal(decimals) = column.data {
                for (row, expected) in expected.iter().enumerate() {
                    let found = decimals.mantissa(row) as f64 / 1e8;
                    prop_assert!((found - expected.unwrap_or(0.0)).abs() <= 1e-8);
                }
            }
        }
    }
}
