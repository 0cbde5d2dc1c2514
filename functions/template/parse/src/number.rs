//! Exact decimals, and times as text.

/// A decimal as it was written: `mantissa / 10^places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    mantissa: i128,
    places: u32,
}

/// Digits that a decimal may have: what 128 bits hold.
const MAX_DIGITS: usize = 38;

impl Decimal {
    /// `-?digits[.digits]`; `None` for any other text, or one of more than 38 digits.
    pub fn read(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let ends_in_point = digits.ends_with('.');
        if whole.is_empty() || ends_in_point || !is_digits(whole) || !is_digits(places) {
            return None;
        }
        if whole.len() + places.len() > MAX_DIGITS {
            return None;
        }
        let mantissa: i128 = format!("{whole}{places}").parse().ok()?;
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }, places: places.len() as u32 })
    }

    /// The mantissa with so many places, rounded half to even, and whether it was rounded; `None` if it does not fit
    /// 38 digits, or becomes zero and was not.
    pub fn at_scale(self, scale: u8) -> Option<(i128, bool)> {
        let scale = u32::from(scale);
        let largest = 10i128.pow(MAX_DIGITS as u32) - 1;
        if scale >= self.places {
            let scaled = self.mantissa.checked_mul(10i128.checked_pow(scale - self.places)?)?;
            return (scaled.abs() <= largest).then_some((scaled, false));
        }
        let unit = 10i128.checked_pow(self.places - scale)?;
        let (quotient, rest) = (self.mantissa / unit, self.mantissa % unit);
        let up = match rest.abs().cmp(&(unit - rest.abs())) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => quotient % 2 != 0,
            std::cmp::Ordering::Greater => true,
        };
        let rounded = quotient + if up { self.mantissa.signum() } else { 0 };
        (rounded != 0 || self.mantissa == 0).then_some((rounded, rest != 0))
    }
}

/// Microseconds since 1970-01-01 UTC of `2024-01-01T00:00:00Z`, `2024-01-01T00:00:00.123456Z`; `None` for any other text.
/// Places beyond the sixth are cut off.
pub fn utc_us(text: &str) -> Option<i64> {
    let bytes = text.strip_suffix('Z')?.as_bytes();
    let number = |from: usize, digits: usize| {
        let digits = bytes.get(from..from + digits)?;
        let all_digits = digits.iter().all(u8::is_ascii_digit);
        all_digits.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    };
    for (at, separator) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if bytes.get(at) != Some(&separator) {
            return None;
        }
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if !(1..=12).contains(&month) || !(1..=days(year, month)).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let places = match bytes.get(19) {
        None => 0,
        Some(b'.') if bytes.len() > 20 => number(20, bytes.len() - 20).and_then(|_| micros(&bytes[20..]))?,
        Some(_) => return None,
    };
    let seconds = (days_before(year, month) + day - 1) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(seconds * 1_000_000 + places)
}

/// Digits after the second's point as microseconds.
fn micros(digits: &[u8]) -> Option<i64> {
    let padded = digits.iter().chain(b"000000").take(6);
    Some(padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn days(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the month's first (Howard Hinnant's `days_from_civil`).
fn days_before(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_round_half_to_even() {
        let at = |text: &str, scale| Decimal::read(text)?.at_scale(scale);
        assert_eq!(at("42000.10", 8), Some((4_200_010_000_000, false)));
        assert_eq!(at("0.125", 2), Some((12, true)));
        assert_eq!(at("-0.135", 2), Some((-14, true)));
        assert_eq!(at("0.001", 2), None, "it is not zero and would become zero");
        assert_eq!(at("99999999999999999999999999999999999999", 1), None);
        for wrong in ["", "-", ".5", "5.", "1e3", "1,5", "NaN", " 1", "1.2.3"] {
            assert_eq!(Decimal::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_read_to_the_microsecond() {
        assert_eq!(utc_us("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(utc_us("2024-02-29T12:00:00.25Z"), Some(1_709_208_000_250_000));
        assert_eq!(utc_us("1969-12-31T23:59:59.999999999Z"), Some(-1));
        for wrong in ["", "Z", "2023-02-29T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.1xZ"] {
            assert_eq!(utc_us(wrong), None, "{wrong}");
        }
    }
}
