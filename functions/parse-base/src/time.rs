//! Event times: microseconds since 1970-01-01 UTC, from 1970 to the end of 9999.

use crate::calendar::{DAY_US, clock_us, day_number};
use crate::date::{digits, seconds_us};
use crate::decimal::{Number, Unfit};

/// The last event time: 9999-12-31T23:59:59.999999Z.
pub const MAX_US: i64 = 253_402_300_799_999_999;
/// Exchange times below are milliseconds (up to the year 5138), from here on microseconds (from 1973).
const FIRST_AS_US: i64 = 100_000_000_000_000;
/// Unix times below are seconds (up to the year 5138).
const FIRST_AS_MS: i64 = 100_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTime {
    Before1970,
    After9999,
}

impl NoTime {
    /// What is wrong with the time.
    pub fn fault(self) -> &'static str {
        match self {
            NoTime::Before1970 => "before 1970",
            NoTime::After9999 => "after 9999",
        }
    }
}

/// An exchange's time: milliseconds, or microseconds (Binance since 2025-01-01), told by its size.
#[inline]
pub fn from_exchange(value: i64) -> Result<i64, NoTime> {
    match value {
        ..0 => Err(NoTime::Before1970),
        0..FIRST_AS_US => Ok(value * 1000),
        FIRST_AS_US..=MAX_US => Ok(value),
        _ => Err(NoTime::After9999),
    }
}

/// A unix time without a fraction: seconds, or milliseconds, microseconds or nanoseconds by its size. `20240102` and
/// `20240102235900` are dates: there are no klines of August 1970 or of the years from 2594.
#[inline]
pub fn from_unix_integer(value: i64) -> Result<i64, NoTime> {
    match value {
        19_700_101..=20_991_231 => Ok(compact(value, 0).unwrap_or(value * 1_000_000)),
        0..FIRST_AS_MS => Ok(value * 1_000_000),
        19_700_101_000_000..=20_991_231_235_959 => {
            Ok(compact(value / 1_000_000, value % 1_000_000).unwrap_or(value * 1_000))
        }
        ..=MAX_US => from_exchange(value),
        _ => Ok(value / 1_000),
    }
}

/// A date of eight digits and a time of day of six; `None` if there is no such moment.
#[cold]
fn compact(date: i64, time_of_day: i64) -> Option<i64> {
    let day = day_number(date / 10_000, date / 100 % 100, date % 100)?;
    Some(day * DAY_US + clock_us(time_of_day / 10_000, time_of_day / 100 % 100, time_of_day % 100)?)
}

/// A unix time: as [`from_unix_integer`], with a fraction or not.
pub fn from_unix(number: &Number<'_>) -> Result<i64, NoTime> {
    if number.negative && !number.zero {
        return Err(NoTime::Before1970);
    }
    // Less than half a microsecond after 1970 is 1970.
    let us = match number.at_scale(6) {
        Ok(scaled) => scaled.mantissa,
        Err(Unfit::BecomesZero) => 0,
        Err(Unfit::TooLarge) => return Err(NoTime::After9999),
    };
    let us = match us / 1_000_000 {
        whole if us % 1_000_000 == 0 && whole < i128::from(FIRST_AS_US) => {
            return from_unix_integer(whole as i64);
        }
        seconds if seconds < i128::from(FIRST_AS_MS) => us,
        ms if ms < i128::from(FIRST_AS_US) => us / 1_000,
        whole_us if whole_us <= i128::from(MAX_US) => whole_us,
        ns if ns <= i128::from(i64::MAX) => ns / 1_000,
        _ => return Err(NoTime::After9999),
    };
    Ok(us as i64)
}

/// A date, or a date and a time of day, as ISO 8601 and databases write them: `2011-08-18`,
/// `2011-08-18 00:00:00`, `2011-08-18T01:30:00.5+02:00`. UTC unless a zone is written. `None` for any other text.
pub fn from_iso(text: &[u8]) -> Option<Result<i64, NoTime>> {
    let (year, rest) = digits(text, 4, 4)?;
    let (month, rest) = digits(after(rest, b"-/")?, 2, 2)?;
    let (day, rest) = digits(after(rest, b"-/")?, 2, 2)?;
    let day = day_number(year, month, day)?;
    let (time_of_day_us, zone_us) = match rest {
        [] => (0, 0),
        [b' ' | b'T' | b't', rest @ ..] => {
            let (time_us, rest) = time_of_day(rest)?;
            (time_us, zone(rest)?)
        }
        _ => return None,
    };
    let time_us = day * DAY_US + time_of_day_us - zone_us;
    Some(match time_us {
        ..0 => Err(NoTime::Before1970),
        0..=MAX_US => Ok(time_us),
        _ => Err(NoTime::After9999),
    })
}

/// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.ffffff`, in microseconds, and what comes after it.
fn time_of_day(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hours, rest) = digits(text, 2, 2)?;
    let (minutes, rest) = digits(after(rest, b":")?, 2, 2)?;
    let (of_minute_us, rest) = match rest {
        [b':', rest @ ..] => seconds_us(rest)?,
        rest => (0, rest),
    };
    let sound = hours < 24 && minutes < 60 && of_minute_us < 60_000_000;
    sound.then_some(((hours * 60 + minutes) * 60_000_000 + of_minute_us, rest))
}

/// `Z`, ` UTC`, `+HH:MM`, `-HHMM`, `+HH` or nothing, in microseconds east of UTC.
fn zone(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text.trim_ascii_start() {
        [] | b"Z" | b"z" | b"UTC" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = rest.split_at_checked(2)?;
    let two = |text| digits(text, 2, 2).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number);
    let (hours, minutes) = match rest {
        [] => (two(hours)?, 0),
        [b':', minutes @ ..] | minutes => (two(hours)?, two(minutes)?),
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000_000)
}

fn after<'t>(text: &'t [u8], separators: &[u8]) -> Option<&'t [u8]> {
    let (first, rest) = text.split_first()?;
    separators.contains(first).then_some(rest)
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
    fn nanoseconds_and_dates_of_digits_alone_are_told_by_their_size() {
        // date -u -d '2024-01-02 23:59:00' +%s
        for (text, us) in [
            ("1646092800000000000", 1_646_092_800_000_000),
            ("1646092800123456789", 1_646_092_800_123_456),
            ("20240102", 1_704_153_600_000_000),
            ("20240102235900", 1_704_239_940_000_000),
            ("20240102.0", 1_704_153_600_000_000),
            // No day, so seconds.
            ("20241301", 20_241_301_000_000),
        ] {
            assert_eq!(unix(text), Ok(us), "{text}");
        }
    }

    #[test]
    fn dates_and_times_of_day_are_utc_unless_a_zone_is_written() {
        // date -u -d '…' +%s
        for (text, seconds) in [
            ("2011-08-18 00:00:00", 1_313_625_600),
            ("2011-08-18", 1_313_625_600),
            ("2011/08/18", 1_313_625_600),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("2024-02-29T23:59", 1_709_251_140),
            ("2024-03-01 01:00:00+02:00", 1_709_247_600),
            ("2024-02-29 18:30:00-0530", 1_709_251_200),
            ("2024-03-01 00:00:00 UTC", 1_709_251_200),
            ("2000-12-31T00:00:00+00", 978_220_800),
            ("9999-12-31T23:59:59", 253_402_300_799),
        ] {
            assert_eq!(from_iso(text.as_bytes()), Some(Ok(seconds * 1_000_000)), "{text}");
        }
        assert_eq!(from_iso(b"1970-01-01T00:00:00.25"), Some(Ok(250_000)));
        assert_eq!(from_iso(b"1969-12-31"), Some(Err(NoTime::Before1970)));
        for text in [
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-1-1",
            "24-01-01",
            "2024-01-01x",
            "2024-01-01T24:00",
            "2024-01-01 00:60",
            "2024-01-01T",
            "2024-01-01 00:00:00.",
            "2024-01-01 00:00 CET",
            "2024-01-01 00:00+1",
            "",
        ] {
            assert_eq!(from_iso(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_unix_time_without_a_fraction_reads_the_same_as_any() {
        for value in [
            0,
            1,
            99_999_999_999,
            100_000_000_000,
            1_723_161_255,
            1_723_161_255_342,
            MAX_US,
            MAX_US + 1,
            -1,
            i64::MAX,
            20_240_102,
            20_241_301,
            20_240_102_235_900,
        ] {
            assert_eq!(from_unix_integer(value), unix(&value.to_string()), "{value}");
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
        assert_eq!(unix("99999999999999999999"), Err(NoTime::After9999));
        assert_eq!(unix("1e300"), Err(NoTime::After9999));
        assert_eq!(unix("1e-300"), Ok(0));
    }
}
