//! Exact sums. A sum may leave 128 bits on the way and come back: it is kept in 192, so that the result
//! depends on the values alone and not on their order.

/// Largest mantissa that is given out: 38 digits, as in SQL and Parquet.
pub const MAX_MANTISSA: i128 = 10i128.pow(38) - 1;

/// Largest scale that such a mantissa can have.
pub const MAX_SCALE: u8 = 38;

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

    /// The sum, where it has at most 38 digits.
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

/// `numerator / denominator`, rounded half even; none for a denominator of 0 or a result out of range.
pub fn divide_half_even(numerator: i128, denominator: i128) -> Option<i128> {
    let quotient = numerator.checked_div(denominator)?;
    let rest = numerator.checked_rem(denominator)?.unsigned_abs();
    let left = denominator.unsigned_abs() - rest;
    let away = rest > left || (rest == left && quotient % 2 != 0);
    let step = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
    let rounded = if away { quotient.checked_add(step)? } else { quotient };
    in_range(rounded).then_some(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

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
