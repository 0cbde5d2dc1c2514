//! Times: written as RFC 3339 in UTC, read also as a date or as microseconds.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// Microseconds since 1970-01-01 UTC; written as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

/// A time from text.
pub fn from_text(text: &str) -> Option<i64> {
    let at = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_micros());
    let local =
        |format| NaiveDateTime::parse_from_str(text, format).map(|time| time.and_utc().timestamp_micros());
    let day = || {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
        day.map(|day| day.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
    };
    at.or_else(|_| local("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| local("%Y-%m-%d %H:%M:%S%.f"))
        .or_else(|_| day())
        .ok()
}

/// RFC 3339; the number if the year has more than four digits.
pub fn to_json(time_us: i64) -> serde_json::Value {
    match DateTime::from_timestamp_micros(time_us) {
        Some(time) if (0..=9999).contains(&chrono::Datelike::year(&time)) => {
            time.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
        }
        _ => time_us.into(),
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_json(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Times;
        impl Visitor<'_> for Times {
            type Value = Time;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time: microseconds since 1970-01-01 UTC, or text like 2024-01-31T12:00:00Z or 2024-01-31")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Time, E> {
                Ok(Time(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Time, E> {
                i64::try_from(value)
                    .map(Time)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(value), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
                from_text(text)
                    .map(Time)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_usual_form_and_written_in_one() {
        for text in [
            "2024-01-31T12:00:00Z",
            "2024-01-31T19:00:00+07:00",
            "2024-01-31T12:00:00",
            "2024-01-31 12:00:00.000",
        ] {
            assert_eq!(from_text(text), Some(1_706_702_400_000_000), "{text}");
        }
        assert_eq!(from_text("2024-01-31"), Some(1_706_659_200_000_000));
        assert_eq!(from_text("31/01/2024"), None);
        assert_eq!(to_json(1_706_702_400_000_000), "2024-01-31T12:00:00Z");
        assert_eq!(to_json(1_706_702_400_123_456), "2024-01-31T12:00:00.123456Z");
        assert_eq!(to_json(i64::MAX), i64::MAX);
    }
}
