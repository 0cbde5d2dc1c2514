//! Numbers at a cursor.

use super::Cursor;
use crate::swar::{eight_digits, first_digits, leading_digits, low_bytes, non_digits, power_of_10};
use crate::window::Window;

impl Cursor<'_> {
    /// Reads an integer as JSON writes it: no sign, no leading zero, up to 18 digits.
    #[inline(always)]
    pub fn integer(&mut self) -> Option<i64> {
        let word = self.word();
        let count = leading_digits(word);
        if count == 0 || (count > 1 && word as u8 == b'0') {
            return None;
        }
        self.at += count as usize;
        let mut value = first_digits(word, count);
        if count == 8 {
            let word = self.word();
            let more = leading_digits(word);
            if more > 0 {
                value = value * power_of_10(more) + first_digits(word, more);
                self.at += more as usize;
            }
            if more == 8 {
                let word = self.word();
                let most = leading_digits(word);
                if most > 2 {
                    return None;
                }
                if most > 0 {
                    value = value * power_of_10(most) + first_digits(word, most);
                    self.at += most as usize;
                }
            }
        }
        Some(value as i64)
    }

    /// Reads `digits [. digits]` with up to ten digits before the point and up to eight after it, as a mantissa
    /// of `scale` places; `None` also if places would be lost or the mantissa does not fit.
    #[inline(always)]
    pub fn decimal(&mut self, scale: u8) -> Option<i64> {
        let word = self.word();
        let count = leading_digits(word);
        if count == 0 {
            return None;
        }
        self.at += count as usize;
        let mut integer = first_digits(word, count);
        if count == 8 {
            let word = self.word();
            let more = leading_digits(word);
            if more > 2 {
                return None;
            }
            if more > 0 {
                integer = integer * power_of_10(more) + first_digits(word, more);
                self.at += more as usize;
            }
        }
        let mut fraction = 0;
        let word = self.word();
        if word as u8 == b'.' {
            let word = self.word_at(self.at + 1);
            let places = leading_digits(word);
            if places == 0 {
                return None;
            }
            fraction = eight_digits(word & low_bytes(places));
            self.at += 1 + places as usize;
        }
        // Ten digits before the point and eight after it stay below 10^18.
        if scale == 8 {
            return Some((integer * 100_000_000 + fraction) as i64);
        }
        rescale(integer, fraction, scale)
    }
}

/// The decimal at scale 8 from `start` to `end`, of up to eight bytes; `None` leaves it to [`Cursor::decimal`].
#[inline(always)]
pub fn short_decimal(window: &Window, start: usize, end: usize) -> Option<i64> {
    let length = end.wrapping_sub(start) as u32;
    if !(1..=8).contains(&length) {
        return None;
    }
    let word = Cursor::starting_at(window, start).word() & low_bytes(length);
    let marks = non_digits(word) & low_bytes(length);
    if marks == 0 {
        return Some((first_digits(word, length) * 100_000_000) as i64);
    }
    let point = marks.trailing_zeros() / 8;
    let places = length - 1 - point;
    if marks & (marks - 1) != 0 || (word >> (8 * point)) as u8 != b'.' || point == 0 || places == 0 {
        return None;
    }
    let integer = low_bytes(point);
    let digits = word & integer | word >> 8 & !integer;
    Some((first_digits(digits, length - 1) * power_of_10(8 - places)) as i64)
}

/// `integer.fraction` (`fraction` of eight places) at any scale that keeps all of it.
#[cold]
fn rescale(integer: u64, fraction: u64, scale: u8) -> Option<i64> {
    if scale < 8 {
        let unit = power_of_10(8 - u32::from(scale));
        let kept = fraction.is_multiple_of(unit).then_some(fraction / unit)?;
        return Some((integer * power_of_10(u32::from(scale)) + kept) as i64);
    }
    let factor = 10i64.checked_pow(u32::from(scale) - 8)?;
    let at_8 = (integer * 100_000_000 + fraction) as i64;
    at_8.checked_mul(factor)
}
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::window::WINDOW_BYTES;

    fn window(text: &str) -> Window {
        let mut window = [b'x'; WINDOW_BYTES];
        window[..text.len()].copy_from_slice(text.as_bytes());
        window
    }

    proptest! {
        #[test]
        fn integers_agree_with_the_standard_library(value in 0i64..10i64.pow(18), digits in 1u32..19) {
            let value = value % 10i64.pow(digits);
            let text = value.to_string();
            let window = window(&text);
            let mut cursor = Cursor::new(&window);
            prop_assert_eq!(cursor.integer(), Some(value));
            prop_assert!(cursor.is_at(text.len()));
        }

        #[test]
        fn decimals_agree_with_the_full_reader_or_are_left_to_it(integer in 0u64..10_000_000_000, fraction in 0u64..100_000_000, places in 0usize..9, scale in 0u8..12) {
            let text = match places {
                0 => integer.to_string(),
                _ => format!("{integer}.{:0places$}", fraction % 10u64.pow(places as u32)),
            };
            let exact = crate::decimal::Number::read(text.as_bytes()).unwrap().at_scale(scale);
            let window = window(&text);
            let mut cursor = Cursor::new(&window);
            match (cursor.decimal(scale), exact) {
                (Some(mantissa), Ok(exact)) => {
                    prop_assert_eq!((i128::from(mantissa), false), (exact.mantissa, exact.rounded));
                    prop_assert!(cursor.is_at(text.len()));
                }
                (Some(mantissa), Err(_)) => prop_assert!(false, "{} read as {}", text, mantissa),
                (None, exact) => prop_assert!(exact.is_err_and(|_| true) || exact.is_ok_and(|exact| exact.rounded || exact.mantissa > i128::from(i64::MAX))),
            }
        }

        #[test]
        fn short_decimals_agree_with_the_full_reader_or_are_left_to_it(text in "[0-9]{0,7}[.,x]?[0-9]{0,7}", before in "[0-9,]{0,9}", after in "[,\\n0-9.]{0,4}") {
            let window = window(&format!("{before}{text}{after}"));
            let read = short_decimal(&window, before.len(), before.len() + text.len());
            let exact = crate::decimal::Number::read(text.as_bytes()).map(|number| number.at_scale(8).unwrap().mantissa);
            prop_assert_eq!(read.map(i128::from), exact.filter(|_| text.len() <= 8));
        }
    }

    #[test]
    fn a_leading_zero_or_a_nineteenth_digit_is_no_integer_here() {
        for text in ["01", "1234567890123456789", "-1", "", ".5"] {
            assert_eq!(Cursor::new(&window(text)).integer(), None, "{text}");
        }
        assert_eq!(Cursor::new(&window("0")).integer(), Some(0));
    }
}
