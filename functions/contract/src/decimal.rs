//! Exact decimals: sums, quotients, text. A sum may leave 128 bits on the way and come back: it is kept in 192, so that the result
//! depends on the values alone and not on their order.

pub use crate::double::nearest_double;

/// Largest mantissa that is given out: 38 digits, as in SQL and Parquet.
pub const MAX_MANTISSA: i128 = 10i128.pow(38) - 1;

/// Largest scale that such a mantissa can have.
pub const MAX_SCALE: u8 = 38;

/// A mantissa with all places of its scale, as people write it.
pub fn text(mantissa: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if mantissa < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
    let (whole, places) = digits.split_at(digits.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{places}")
}

/// A sum of up to 2^63 mantissas, in two's complement over 192 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub low: u128,
    pub high: i64,
}

impl Sum {
    #[inline]
    pub fn add(&mut self, value: i128) {
        let (low, carry) = self.low.overflowing_add(value as u128);
        self.low = low;
        self.high = self.high.wrapping_add((value >> 127) as i64).wrapping_add(i64::from(carry));
    }

    pub fn merge(&mut self, other: &Sum) {
        let (low, carry) = self.low.overflowing_add(other.low);
        self.low = low;
        self.high = self.high.wrapping_add(other.high).wrapping_add(i64::from(carry));
    }

    /// The sum, if it has at most 38 digits.
    pub fn value(&self) -> Option<i128> {
        let value = self.low as i128;
        let fits = self.high == (value >> 127) as i64;
        (fits && in_range(value)).then_some(value)
    }
}

/// Whether a mantissa has at most 38 digits.
pub fn in_range(mantissa: i128) -> bool {
    (-MAX_MANTISSA..=MAX_MANTISSA).contains(&mantissa)
}

/// `numerator / denominator`, rounded half even; `None` for a denominator of 0 or a result out of range.
pub fn divide_half_even(numerator: i128, denominator: i128) -> Option<i128> {
    let quotient = numerator.checked_div(denominator)?;
    let rest = numerator.checked_rem(denominator)?.unsigned_abs();
    let left = denominator.unsigned_abs() - rest;
    let away = rest > left || (rest == left && quotient % 2 != 0);
    let step = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
    let rounded = if away { quotient.checked_add(step)? } else { quotient };
    in_range(rounded).then_some(rounded)
}

/// A mantissa with so many places more; `None` if it does not fit 128 bits.
pub fn raised(mantissa: i128, places: u8) -> Option<i128> {
    10i128.checked_pow(u32::from(places))?.checked_mul(mantissa)
}

/// Rows whose 32-bit halves can be added up in 64 bits.
const HALVES: usize = 1 << 30;

const LOW: i64 = 0xFFFF_FFFF;

/// The exact sum of some values. Adding halves in 64 bits rather than values in 128 is what a sandbox does
/// well: there, 128 bits are made of many instructions.
pub fn sum_of(values: &[i64]) -> i128 {
    values.chunks(HALVES).map(|values| Halves::of(values.iter().copied()).value()).sum()
}

/// The exact sum of the products of two columns, from products of 32-bit halves as with [`sum_of`].
pub fn sum_of_products(left: &[i64], right: &[i64]) -> Sum {
    let mut sum = Sum::default();
    for (left, right) in left.chunks(HALVES).zip(right.chunks(HALVES)) {
        if is_short(right) {
            add_short_products(&mut sum, left, right);
        } else if is_short(left) {
            add_short_products(&mut sum, right, left);
        } else {
            add_products(&mut sum, left, right);
        }
    }
    sum
}

/// The low and the high halves of 64-bit numbers, added up apart.
#[derive(Default)]
struct Halves {
    low: i64,
    high: i64,
}

impl Halves {
    fn of(values: impl Iterator<Item = i64>) -> Halves {
        let mut halves = Halves::default();
        values.for_each(|value| halves.add(value));
        halves
    }

    #[inline]
    fn add(&mut self, value: i64) {
        self.low += value & LOW;
        self.high += value >> 32;
    }

    #[inline]
    fn add_unsigned(&mut self, value: u64) {
        self.low += value as i64 & LOW;
        self.high += (value >> 32) as i64;
    }

    fn value(&self) -> i128 {
        (i128::from(self.high) << 32) + i128::from(self.low)
    }
}

/// Whether all values are from 0 to 2^32 - 1.
fn is_short(values: &[i64]) -> bool {
    values.iter().fold(0, |bits, &value| bits | value) & !LOW == 0
}

fn add_short_products(sum: &mut Sum, left: &[i64], short: &[i64]) {
    let (mut low, mut middle) = (Halves::default(), Halves::default());
    for (&left, &short) in left.iter().zip(short) {
        low.add_unsigned((left & LOW) as u64 * short as u64);
        middle.add((left >> 32) * short);
    }
    sum.add(low.value() + (middle.value() << 32));
}

fn add_products(sum: &mut Sum, left: &[i64], right: &[i64]) {
    let (mut low, mut middle, mut high) = (Halves::default(), Halves::default(), Halves::default());
    for (&left, &right) in left.iter().zip(right) {
        low.add_unsigned((left & LOW) as u64 * (right & LOW) as u64);
        middle.add((left >> 32) * (right & LOW));
        middle.add((left & LOW) * (right >> 32));
        high.add((left >> 32) * (right >> 32));
    }
    sum.add(low.value() + (middle.value() << 32));
    let high = high.value();
    sum.merge(&Sum { low: (high as u128) << 64, high: (high >> 64) as i64 });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            assert_eq!(text(mantissa, scale), shown);
        }
    }

    /// Values of every size, so that short columns come too.
    fn values() -> impl Strategy<Value = Vec<(i64, i64)>> {
        (0u32..64, 0u32..64).prop_flat_map(|(left, right)| {
            prop::collection::vec(
                (any::<i64>().prop_map(move |v| v >> left), any::<i64>().prop_map(move |v| v >> right)),
                0..20,
            )
        })
    }

    proptest! {
        #[test]
        fn sums_by_halves_are_the_sums(pairs in values(), positive: bool) {
            let of = |value: i64| if positive { value & i64::MAX } else { value };
            let (left, right): (Vec<i64>, Vec<i64>) = pairs.iter().map(|&(a, b)| (of(a), of(b))).unzip();
            prop_assert_eq!(sum_of(&left), left.iter().map(|&value| i128::from(value)).sum::<i128>());
            let mut sum = Sum::default();
            left.iter().zip(&right).for_each(|(&a, &b)| sum.add(i128::from(a) * i128::from(b)));
            prop_assert_eq!(sum_of_products(&left, &right), sum);
        }
    }

    #[test]
    fn the_largest_products_add_up() {
        for value in [i64::MIN, i64::MAX, -1] {
            let values = vec![value; 1000];
            let mut sum = Sum::default();
            values.iter().for_each(|&value| sum.add(i128::from(value) * i128::from(value)));
            assert_eq!(sum_of_products(&values, &values), sum, "{value}");
        }
    }

    #[test]
    fn halves_go_to_the_even_neighbour_on_both_sides_of_zero() {
        let cases =
            [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (7, -2, -4), (1, 3, 0), (2, 3, 1), (-2, 3, -1)];
        for (numerator, denominator, expected) in cases {
            assert_eq!(divide_half_even(numerator, denominator), Some(expected), "{numerator}/{denominator}");
        }
        assert_eq!(divide_half_even(1, 0), None);
        assert_eq!(divide_half_even(i128::MIN, -1), None);
    }

    #[test]
    fn a_sum_that_leaves_128_bits_and_comes_back_is_exact() {
        let mut sum = Sum::default();
        for value in [i128::MAX, i128::MAX, 7, i128::MIN, i128::MIN, 2] {
            sum.add(value);
        }
        assert_eq!(sum.value(), Some(7));
        sum.add(i128::MAX);
        assert_eq!(sum.value(), None, "more than 38 digits");
        sum.add(-i128::MAX);
        assert_eq!(sum.value(), Some(7));
    }

    #[test]
    fn merging_sums_adds_them() {
        let (mut left, mut right) = (Sum::default(), Sum::default());
        left.add(i128::MAX);
        left.add(i128::MAX);
        right.add(-i128::MAX);
        right.add(-i128::MAX);
        right.add(-1);
        left.merge(&right);
        assert_eq!(left.value(), Some(-1));
    }
}
