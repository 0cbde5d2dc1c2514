//! The exact sum of doubles, kept as doubles that do not overlap (Shewchuk 1997, as Python's `math.fsum`): a value
//! that went in comes out again without a trace, so that a moving sum does not drift.

/// Beyond it a sum could leave the doubles on the way.
const LARGEST: f64 = 1e290;

/// A sum that depends on the values in it alone, not on their order nor on what was in it before.
#[derive(Clone, Debug, Default)]
pub struct ExactSum {
    /// By magnitude, ascending.
    parts: Vec<f64>,
    /// Values in it that are infinite, no number, or too large.
    unsound: u32,
}

impl ExactSum {
    pub fn add(&mut self, value: f64) {
        if is_sound(value) { self.take_in(value) } else { self.unsound += 1 }
    }

    /// Takes back a value that was added.
    pub fn remove(&mut self, value: f64) {
        if is_sound(value) { self.take_in(-value) } else { self.unsound -= 1 }
    }

    fn take_in(&mut self, mut value: f64) {
        let mut kept = 0;
        for index in 0..self.parts.len() {
            let part = self.parts[index];
            let (large, small) = if value.abs() < part.abs() { (part, value) } else { (value, part) };
            let sum = large + small;
            let rest = small - (sum - large);
            if rest != 0.0 {
                self.parts[kept] = rest;
                kept += 1;
            }
            value = sum;
        }
        self.parts.truncate(kept);
        if value != 0.0 {
            self.parts.push(value);
        }
    }

    /// The double that is nearest to the sum, half to even; `None` if some value is no sound number.
    pub fn value(&self) -> Option<f64> {
        if self.unsound > 0 {
            return None;
        }
        let mut parts = self.parts.iter().rev().copied();
        let Some(mut sum) = parts.next() else { return Some(0.0) };
        let mut rest = 0.0;
        for part in parts.by_ref() {
            let before = sum;
            sum = before + part;
            rest = part - (sum - before);
            if rest != 0.0 {
                break;
            }
        }
        // Half-way between two doubles as far as was seen: what comes after decides.
        if let Some(next) = parts.next()
            && ((rest < 0.0 && next < 0.0) || (rest > 0.0 && next > 0.0))
        {
            let twice = rest * 2.0;
            let other = sum + twice;
            if other - sum == twice {
                sum = other;
            }
        }
        sum.is_finite().then_some(sum)
    }
}

fn is_sound(value: f64) -> bool {
    value.abs() <= LARGEST
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(values: &[f64]) -> Option<f64> {
        let mut sum = ExactSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.value()
    }

    /// Python 3: `math.fsum`.
    #[test]
    fn sums_are_those_of_python() {
        let cases: [(&[f64], f64); 7] = [
            (&[], 0.0),
            (&[0.1; 10], 1.0),
            (&[1e100, 1.0, -1e100], 1.0),
            (&[1e16, 1.0, 1e-16], 1.000_000_000_000_000_2e16),
            (&[9_007_199_254_740_992.0, 1.0, 1e-20], 9_007_199_254_740_994.0),
            (&[9_007_199_254_740_992.0, 1.0, -1e-20], 9_007_199_254_740_992.0),
            (&[61_837.63, 0.1, -61_837.63], 0.1),
        ];
        for (values, expected) in cases {
            assert_eq!(sum(values), Some(expected), "{values:?}");
        }
    }

    #[test]
    fn a_value_that_is_no_number_spoils_the_sum_as_long_as_it_is_in() {
        let mut sum = ExactSum::default();
        for wrong in [f64::NAN, f64::INFINITY, -1e301] {
            sum.add(1.5);
            sum.add(wrong);
            assert_eq!(sum.value(), None);
            sum.remove(wrong);
            sum.remove(1.5);
            assert_eq!(sum.value(), Some(0.0));
        }
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter_and_what_was_removed_leaves_no_trace(
            mut values in prop::collection::vec(-1e12f64..1e12, 1..40),
            gone in prop::collection::vec(-1e290f64..1e290, 0..10),
        ) {
            let forward = sum(&values);
            values.reverse();
            let mut moving = ExactSum::default();
            gone.iter().for_each(|value| moving.add(*value));
            values.iter().for_each(|value| moving.add(*value));
            gone.iter().for_each(|value| moving.remove(*value));
            prop_assert_eq!(moving.value(), forward);
        }

        #[test]
        fn a_sum_of_integers_is_theirs(values in prop::collection::vec(-(1i64 << 52)..(1 << 52), 0..40)) {
            let floats: Vec<f64> = values.iter().map(|value| *value as f64).collect();
            let whole: i128 = values.iter().map(|value| i128::from(*value)).sum();
            prop_assert_eq!(sum(&floats), Some(whole as f64));
        }
    }
}
