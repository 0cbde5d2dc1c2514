//! Durations and sizes as people write them.

use std::time::Duration;

use crate::error::Problem;

/// `500ms`, `2s`, `1m`, `1h 30m`, `1w`; whole microseconds.
pub fn duration(text: &str) -> Result<Duration, Problem> {
    const FORM: &str =
        "write a number and a unit (us, ms, s, m, h, d, w), like \"500ms\", \"2s\" or \"1h 30m\"";
    if let Some(calendar) = calendar_unit(text) {
        return Err(format!("`{calendar}` has no fixed length; write days or weeks (a minute is `m`)").into());
    }
    let duration = humantime::parse_duration(text).map_err(|_| format!("not a duration; {FORM}"))?;
    if duration.subsec_nanos() % 1000 != 0 {
        return Err("finer than a microsecond, which is what event time is kept in".into());
    }
    if i64::try_from(duration.as_micros()).is_err() {
        return Err("longer than event time can hold (292,000 years)".into());
    }
    Ok(duration)
}

/// A unit of months or years, which are not all of one length.
fn calendar_unit(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_alphabetic())
        .find(|unit| *unit == "M" || unit.starts_with("mon") || unit.starts_with('y'))
}

/// As [`duration`] reads it.
pub(crate) fn show_duration(us: u64) -> String {
    humantime::format_duration(Duration::from_micros(us)).to_string()
}

/// `duration` with a sign, in microseconds.
pub(crate) fn signed_duration_us(text: &str) -> Result<i64, Problem> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    Ok(sign * duration(text)?.as_micros() as i64)
}

/// A day, `2024-08-09` (its first moment), or a moment, `2024-08-09T12:30:00Z`; µs since 1970-01-01 UTC.
pub fn moment_us(text: &str) -> Result<i64, Problem> {
    let text = text.trim();
    let whole = if text.len() == "2024-08-09".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let moment = humantime::parse_rfc3339(&whole)
        .map_err(|_| "write a day like 2024-08-09, or a moment like 2024-08-09T12:30:00Z (UTC)")?;
    let since = moment.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).map_err(|_| "too far in the future".into())
}

/// `64MiB`, `1GB`, `4096`: bytes.
pub fn bytes(text: &str) -> Result<u64, Problem> {
    const UNITS: [(&str, u64); 8] = [
        ("", 1),
        ("B", 1),
        ("kB", 1000),
        ("KiB", 1 << 10),
        ("MB", 1_000_000),
        ("MiB", 1 << 20),
        ("GB", 1_000_000_000),
        ("GiB", 1 << 30),
    ];
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    let scale = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    match (number.parse::<u64>(), scale) {
        (Ok(number), Some((_, scale))) => {
            number.checked_mul(*scale).ok_or("too large: more than 16 EiB".into())
        }
        _ => Err("not a size; write a whole number and a unit (KiB, MiB, GiB, kB, MB, GB), like \"64MiB\", \
                  or plain bytes"
            .into()),
    }
}

/// A size in the largest unit that divides it.
pub(crate) fn show_bytes(bytes: u64) -> String {
    [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        .iter()
        .find(|(scale, _)| bytes != 0 && bytes.is_multiple_of(*scale))
        .map_or_else(|| format!("{bytes} bytes"), |(scale, unit)| format!("{} {unit}", bytes / scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_what_their_units_say() {
        for (text, micros) in [
            ("1us", 1),
            ("500ms", 500_000),
            ("2s", 2_000_000),
            ("1m", 60_000_000),
            ("1h", 3_600_000_000),
            ("1d", 86_400_000_000),
            ("1w", 604_800_000_000),
            ("1h 30m", 5_400_000_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text).map(|d| d.as_micros()), Ok(micros), "{text}");
        }
    }

    #[test]
    fn durations_without_a_fixed_length_or_beyond_microseconds_are_refused() {
        for text in ["1M", "2 months", "1y", "1 year", "1ns", "1500ns", "5", "", "s", "-1s", "300000y", "1x"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration("1M").unwrap_err().to_string().contains("a minute is `m`"));
    }

    #[test]
    fn an_offset_may_be_negative() {
        assert_eq!(signed_duration_us("-8h"), Ok(-28_800_000_000));
        assert_eq!(signed_duration_us("8h"), Ok(28_800_000_000));
    }

    #[test]
    fn a_moment_is_a_day_or_a_time_in_utc() {
        assert_eq!(moment_us("2024-08-09"), Ok(1_723_161_600_000_000));
        assert_eq!(moment_us("2024-08-09T00:00:01.5Z"), Ok(1_723_161_601_500_000));
        for text in ["", "2024-08", "09.08.2024", "2024-13-01", "2024-08-09T00:00:00+07:00", "today"] {
            assert!(moment_us(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_tell_powers_of_ten_from_powers_of_two() {
        for (text, size) in [
            ("64MiB", 67_108_864),
            ("512KiB", 524_288),
            ("1GB", 1_000_000_000),
            ("1 GiB", 1_073_741_824),
            ("7", 7),
            ("3kB", 3000),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in ["", "MiB", "1.5MiB", "-1", "1TBX", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
