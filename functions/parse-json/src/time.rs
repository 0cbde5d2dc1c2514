//! Event times as a schema says they are written: microseconds since 1970-01-01 UTC, from 1970 to the end of 9999.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveTime};
use parse_base::decimal::{Number, Unfit};
use parse_base::json::Value;
use parse_base::reason::Step;
use parse_base::time::{MAX_US, NoTime, from_iso};
use tallow_contract::Refusal;
use tallow_contract::schema::TimeForm;

/// A [`TimeForm`] made ready.
#[derive(Debug)]
pub(crate) enum Form {
    Iso,
    /// A number whose unit is so many decimal places from a second.
    Unix {
        places: u8,
    },
    Pattern(Vec<Item<'static>>),
}

impl Form {
    /// # Errors
    /// It is not a pattern of strftime.
    pub fn new(form: &TimeForm) -> Result<Self, Refusal> {
        Ok(match form {
            TimeForm::Iso => Form::Iso,
            TimeForm::Seconds => Form::Unix { places: 0 },
            TimeForm::Milliseconds => Form::Unix { places: 3 },
            TimeForm::Microseconds => Form::Unix { places: 6 },
            TimeForm::Nanoseconds => Form::Unix { places: 9 },
            TimeForm::Pattern(pattern) => Form::Pattern(
                StrftimeItems::new(pattern)
                    .parse_to_owned()
                    .map_err(|_| format!("`{pattern}` is no pattern of strftime"))?,
            ),
        })
    }

    #[inline]
    pub fn read(&self, name: &str, value: Value<'_>) -> Step<i64> {
        if let Form::Unix { places: 3 } = self
            && let Some(ms @ 0..=9_999_999_999_999) = parse_base::swar::long_digits(value.plain())
        {
            return Ok(ms as i64 * 1000);
        }
        self.any(name, value)
    }

    fn any(&self, name: &str, value: Value<'_>) -> Step<i64> {
        let time = match self {
            Form::Unix { places } => {
                let number = Number::read(value.plain())
                    .ok_or_else(|| value.fault(name, "not a number, as the column's unit asks"))?;
                unix(&number, *places)
            }
            Form::Iso => {
                let text = value.string(name).map_err(|_| {
                    value.fault(name, "not a string; a number needs the column's `unit` (\"s\", \"ms\" …)")
                })?;
                from_iso(text.as_bytes()).ok_or_else(|| value.fault(name, "not a time as in RFC 3339"))?
            }
            Form::Pattern(items) => {
                let text = value.text(name)?;
                by_pattern(&text, items)
                    .ok_or_else(|| value.fault(name, "not a time by the column's `pattern`"))?
            }
        };
        time.map_err(|fault| value.fault(name, fault.fault()))
    }
}

/// What is finer than a microsecond is cut off, so that no time moves into the next window.
fn unix(number: &Number<'_>, places: u8) -> Result<i64, NoTime> {
    if number.negative && !number.zero {
        return Err(NoTime::Before1970);
    }
    match number.at_scale(9 - places) {
        Ok(ns) => within(ns.mantissa / 1000),
        Err(Unfit::BecomesZero) => Ok(0),
        Err(Unfit::TooLarge) => Err(NoTime::After9999),
    }
}

fn within(us: i128) -> Result<i64, NoTime> {
    match us {
        ..0 => Err(NoTime::Before1970),
        _ => i64::try_from(us).ok().filter(|us| *us <= MAX_US).ok_or(NoTime::After9999),
    }
}

/// UTC if the pattern has no zone, midnight if it has no time of day.
fn by_pattern(text: &str, items: &[Item<'_>]) -> Option<Result<i64, NoTime>> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, items.iter()).ok()?;
    let us = match parsed.to_datetime() {
        Ok(time) => time.timestamp_micros(),
        Err(_) if parsed.offset().is_some() => return None,
        Err(_) => match parsed.to_naive_datetime_with_offset(0) {
            Ok(time) => time.and_utc().timestamp_micros(),
            Err(_) if parsed.hour_mod_12().is_some() || parsed.minute().is_some() => return None,
            Err(_) => parsed.to_naive_date().ok()?.and_time(NaiveTime::MIN).and_utc().timestamp_micros(),
        },
    };
    debug_assert!(DateTime::from_timestamp_micros(us).is_some());
    Some(within(i128::from(us)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: TimeForm, text: &str) -> Result<i64, String> {
        Form::new(&form).unwrap().read("t", Value(text.as_bytes())).map_err(|apart| apart.reason().to_owned())
    }

    #[test]
    fn a_unix_time_is_exact_and_cut_below_a_microsecond() {
        for (form, text) in [
            (TimeForm::Seconds, "1723161255.3429999"),
            (TimeForm::Milliseconds, "\"1723161255342.9999\""),
            (TimeForm::Microseconds, "1723161255342999.9"),
            (TimeForm::Nanoseconds, "1723161255342999999"),
        ] {
            assert_eq!(read(form, text), Ok(1_723_161_255_342_999), "{text}");
        }
        assert_eq!(read(TimeForm::Milliseconds, "1723161255342"), Ok(1_723_161_255_342_000));
        assert_eq!(read(TimeForm::Seconds, "1e-300"), Ok(0));
        assert_eq!(read(TimeForm::Seconds, "-1").unwrap_err(), "t: before 1970: \"-1\"");
        assert_eq!(read(TimeForm::Seconds, "1e12").unwrap_err(), "t: after 9999: \"1e12\"");
    }

    #[test]
    fn a_number_without_a_unit_says_what_it_needs() {
        let error = read(TimeForm::Iso, "1723161255342").unwrap_err();
        assert!(error.starts_with("t: not a string; a number needs the column's `unit`"), "{error}");
        assert_eq!(read(TimeForm::Iso, "\"2024-02-29T23:59:59Z\""), Ok(1_709_251_199_000_000));
    }

    #[test]
    fn a_pattern_may_have_a_zone_or_a_day_alone() {
        let read = |pattern: &str, text: &str| read(TimeForm::Pattern(pattern.to_owned()), text);
        // date -u -d '…' +%s
        assert_eq!(read("%d/%m/%Y %H:%M:%S%.f", "\"29/02/2024 23:59:59.5\""), Ok(1_709_251_199_500_000));
        assert_eq!(read("%Y-%m-%d %H:%M %z", "\"2024-03-01 01:00 +0200\""), Ok(1_709_247_600_000_000));
        assert_eq!(read("%Y%m%d", "20240229"), Ok(1_709_164_800_000_000));
        assert_eq!(
            read("%b %d %Y", "\"Feb 30 2024\"").unwrap_err(),
            "t: not a time by the column's `pattern`: \"Feb 30 2024\""
        );
        assert!(Form::new(&TimeForm::Pattern("%Q".to_owned())).is_err());
    }
}
