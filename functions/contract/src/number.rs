//! Decimals as text: straight to a mantissa, never by way of a float.

/// Mantissas stay below 10^38, so that they fit a 38-digit decimal (Parquet's, Arrow's).
const MAX_DIGITS: i64 = 38;
const LIMIT: i128 = 10i128.pow(MAX_DIGITS as u32);
/// Exponents beyond are all alike: too large, or too small for any scale.
const MAX_EXPONENT: i64 = 1 << 40;

/// A number's parts: `(integer.fraction) * 10^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a> {
    pub negative: bool,
    pub zero: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaled {
    pub mantissa: i128,
    /// Whether non-zero places were cut off, half to even.
    pub rounded: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// More than 38 digits at this scale.
    TooLarge,
    /// Not zero, and zero at this scale.
    BecomesZero,
}

impl Unfit {
    /// What is wrong with the number, for people.
    pub fn fault(self, scale: u8) -> String {
        match self {
            Unfit::TooLarge => format!("more than 38 digits at scale {scale}"),
            Unfit::BecomesZero => format!("not zero, but zero at scale {scale} (raise it by `scales`)"),
        }
    }
}

impl<'a> Number<'a> {
    /// `-? digits [. digits] [e [+-] digits]`: JSON's numbers, leading zeros allowed. `None`: not a decimal.
    pub fn read(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (integer, rest) = digits(rest)?;
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => digits(rest)?,
            rest => (&[][..], rest),
        };
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => exponent(rest)?,
            _ => return None,
        };
        let zero = integer.iter().chain(fraction).all(|&digit| digit == b'0');
        Some(Number { negative, zero, integer, fraction, exponent })
    }

    /// How many digits are written, leading zeros left out.
    pub fn digits(&self) -> usize {
        let digits = self.integer.iter().chain(self.fraction);
        digits.skip_while(|digit| **digit == b'0').count()
    }

    /// The power of ten that the last digit stands for.
    pub fn last_place(&self) -> i64 {
        self.exponent - self.fraction.len() as i64
    }

    /// The mantissa at `scale`, rounded half to even.
    pub fn at_scale(&self, scale: u8) -> Result<Scaled, Unfit> {
        if self.zero {
            return Ok(Scaled { mantissa: 0, rounded: false });
        }
        let mut digits = self.integer.iter().chain(self.fraction).map(|digit| digit - b'0');
        let leading_zeros = digits.clone().take_while(|&digit| digit == 0).count();
        // Significant digits before the place where the mantissa is cut.
        let kept = self.integer.len() as i64 - leading_zeros as i64 + self.exponent + i64::from(scale);
        if kept > MAX_DIGITS {
            return Err(Unfit::TooLarge);
        }
        let mut digits = digits.by_ref().skip(leading_zeros);
        let mut take =
            |count: i64| (0..count).fold(0, |sum: u64, _| sum * 10 + u64::from(digits.next().unwrap_or(0)));
        // 128-bit products are slow in WebAssembly: nineteen digits at a time fit 64 bits.
        let mut mantissa = i128::from(take(kept.clamp(0, 19)));
        if kept > 19 {
            mantissa = mantissa * 10i128.pow(kept as u32 - 19) + i128::from(take(kept - 19));
        }
        // Beyond the first digit cut off, only whether anything is left matters.
        let (first_cut, rest_cut) = match kept {
            0.. => (digits.next().unwrap_or(0), digits.any(|digit| digit != 0)),
            _ => (0, true),
        };
        let up = first_cut > 5 || first_cut == 5 && (rest_cut || mantissa % 2 == 1);
        mantissa += i128::from(up);
        match mantissa {
            0 => Err(Unfit::BecomesZero),
            LIMIT.. => Err(Unfit::TooLarge),
            _ => Ok(Scaled {
                mantissa: if self.negative { -mantissa } else { mantissa },
                rounded: first_cut != 0 || rest_cut,
            }),
        }
    }
}

fn digits(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| bytes.split_at(count))
}

fn exponent(bytes: &[u8]) -> Option<i64> {
    let (sign, rest) = match bytes {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    let (digits, []) = digits(rest)? else { return None };
    let size = digits.iter().fold(0, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(MAX_EXPONENT));
    Some(sign * size)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str, scale: u8) -> Result<(i128, bool), Unfit> {
        Number::read(text.as_bytes()).unwrap().at_scale(scale).map(|scaled| (scaled.mantissa, scaled.rounded))
    }

    #[test]
    fn exchange_decimals_are_exact() {
        assert_eq!(at("61837.63000000", 8), Ok((6_183_763_000_000, false)));
        assert_eq!(at("4e-7", 8), Ok((40, false)));
        assert_eq!(at("1.5E+3", 2), Ok((150_000, false)));
        assert_eq!(at("-0.00271700", 8), Ok((-271_700, false)));
        assert_eq!(at("0e99999999999999999999", 8), Ok((0, false)));
        assert_eq!(at("000123.4500000000000000000", 2), Ok((12_345, false)));
    }

    #[test]
    fn cut_places_round_half_to_even() {
        assert_eq!(at("0.125", 2), Ok((12, true)));
        assert_eq!(at("0.135", 2), Ok((14, true)));
        assert_eq!(at("0.1250000000000000000000000001", 2), Ok((13, true)));
        assert_eq!(at("-2.5", 0), Ok((-2, true)));
        assert_eq!(at("0.6", 0), Ok((1, true)));
        assert_eq!(at("9.99", 1), Ok((100, true)));
    }

    #[test]
    fn a_non_zero_number_never_becomes_zero() {
        assert_eq!(at("0.000000004", 8), Err(Unfit::BecomesZero));
        assert_eq!(at("0.000000005", 8), Err(Unfit::BecomesZero));
        assert_eq!(at("1e-400", 8), Err(Unfit::BecomesZero));
        assert_eq!(at("0.000000006", 8), Ok((1, true)));
    }

    #[test]
    fn more_than_38_digits_do_not_fit() {
        let most = "9".repeat(38);
        assert_eq!(at(&most, 0), Ok((LIMIT - 1, false)));
        assert_eq!(at(&most, 1), Err(Unfit::TooLarge));
        assert_eq!(at(&format!("{most}.5"), 0), Err(Unfit::TooLarge));
        assert_eq!(at("1e999999999999999999999", 0), Err(Unfit::TooLarge));
        assert_eq!(at(&"7".repeat(1_000_000), 8), Err(Unfit::TooLarge));
    }

    #[test]
    fn what_is_no_decimal_is_told() {
        for text in ["", "-", "+1", ".5", "5.", "1e", "1e+", "NaN", "Infinity", "1 ", "1,5", "0x10", "١"] {
            assert_eq!(Number::read(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        /// Against integer arithmetic: the text of `n / 10^places` read at another scale.
        #[test]
        fn agrees_with_integer_arithmetic(n in -10i128.pow(20)..10i128.pow(20), places in 0u32..20, scale in 0u8..14, exponent in -5i64..5) {
            let size = n.unsigned_abs();
            let power = 10u128.pow(places);
            let text = format!("{}{}.{:0width$}e{exponent}", if n < 0 { "-" } else { "" }, size / power, size % power, width = places.max(1) as usize);
            // Value = size * 10^(exponent - places); mantissa = value * 10^scale.
            let shift = exponent - i64::from(places) + i64::from(scale);
            let (expected, rounded) = if shift >= 0 {
                (size * 10u128.pow(shift as u32), false)
            } else {
                let unit = 10u128.pow(-shift as u32);
                let (quotient, rest) = (size / unit, size % unit);
                let up = rest * 2 > unit || rest * 2 == unit && quotient % 2 == 1;
                (quotient + u128::from(up), rest != 0)
            };
            let read = at(&text, scale);
            if size != 0 && expected == 0 {
                prop_assert_eq!(read, Err(Unfit::BecomesZero));
            } else {
                prop_assert_eq!(read, Ok((expected as i128 * if n < 0 { -1 } else { 1 }, rounded)));
            }
        }
    }
}
