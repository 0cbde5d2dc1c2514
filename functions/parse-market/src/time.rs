//! Event times: microseconds since 1970-01-01 UTC, from 1970 to the end of 9999.

use crate::decimal::Number;

/// 9999-12-31T23:59:59.999999Z.
const MAX_US: i64 = 253_402_300_799_999_999;
/// Exchange times below are milliseconds (up to the year 5138), from here on microseconds (from 1973).
const FIRST_AS_US: i64 = 100_000_000_000_000;
/// Unix times below are seconds (up to the year 5138).
const FIRST_AS_MS: i64 = 100_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTime {
    Before1970,
    After9999,
}

/// An exchange's time: milliseconds, or microseconds (Binance since 2025-01-01), told by its size.
#[inline]
pub(crate) fn from_exchange(value: i64) -> Result<i64, NoTime> {
    match value {
        ..0 => Err(NoTime::Before1970),
        0..FIRST_AS_US => Ok(value * 1000),
        FIRST_AS_US..=MAX_US => Ok(value),
        _ => Err(NoTime::After9999),
    }
}

/// A unix time: seconds, with a fraction or not; milliseconds or microseconds where its size says so.
pub(crate) fn from_unix(number: &Number<'_>) -> Result<i64, NoTime> {
    if number.negative && !number.zero {
        return Err(NoTime::Before1970);
    }
    // Less than half a microsecond after 1970 is 1970.
    let us = match number.at_scale(6) {
        Ok(scaled) => scaled.mantissa,
        Err(crate::decimal::Unfit::BecomesZero) => 0,
        Err(crate::decimal::Unfit::TooLarge) => return Err(NoTime::After9999),
    };
    let us = match us / 1_000_000 {
        seconds if seconds < i128::from(FIRST_AS_MS) => us,
        ms if ms < i128::from(FIRST_AS_US) => us / 1_000,
        us => us,
    };
    if us > i128::from(MAX_US) { Err(NoTime::After9999) } else { Ok(us as i64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> Result<i64, NoTime> {
        from_unix(&Number::read(text.as_bytes()).unwrap())
    }

    #[test]
    fn milliseconds_and_microseconds_of_one_moment_are_the_same_time() {
        assert_eq!(from_exchange(1_723_161_255_342), Ok(1_723_161_255_342_000));
        assert_eq!(from_exchange(1_723_161_255_342_000), Ok(1_723_161_255_342_000));
        for text in ["1723161255.342", "1723161255342", "1723161255342000", "1.723161255342e9"] {
            assert_eq!(unix(text), Ok(1_723_161_255_342_000), "{text}");
        }
    }

    #[test]
    fn only_1970_to_9999_are_times() {
        assert_eq!(from_exchange(0), Ok(0));
        assert_eq!(from_exchange(-1), Err(NoTime::Before1970));
        assert_eq!(from_exchange(i64::MIN), Err(NoTime::Before1970));
        assert_eq!(from_exchange(MAX_US), Ok(MAX_US));
        assert_eq!(from_exchange(MAX_US + 1), Err(NoTime::After9999));
        assert_eq!(from_exchange(i64::MAX), Err(NoTime::After9999));
        assert_eq!(unix("-0.5"), Err(NoTime::Before1970));
        assert_eq!(unix("1e300"), Err(NoTime::After9999));
        assert_eq!(unix("1e-300"), Ok(0));
    }
}
