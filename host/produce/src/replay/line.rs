//! A line of JSON, with or without the time at which it was received.

use std::borrow::Cow;

use serde::Deserialize;

/// What a message says about itself, wherever its format has it.
#[derive(Debug, Default, PartialEq)]
pub struct About<'a> {
    pub symbol: Option<Cow<'a, str>>,
    /// µs since 1970-01-01 UTC.
    pub event_us: Option<i64>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    s: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    symbol: Option<Cow<'a, str>>,
    #[serde(rename = "T", default)]
    traded: Option<serde_json::Value>,
    #[serde(rename = "E", default)]
    sent: Option<serde_json::Value>,
    #[serde(default)]
    event_time: Option<serde_json::Value>,
    #[serde(borrow, default)]
    data: Option<&'a serde_json::value::RawValue>,
}

/// Takes the receive time off `<ns> <JSON>`; the time in µs, and the rest.
pub fn split_time(line: &[u8]) -> (Option<i64>, &[u8]) {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let time = || std::str::from_utf8(&line[..digits]).ok()?.parse::<i64>().ok();
    match (line.get(digits), digits >= 16, time()) {
        (Some(b' '), true, Some(time_ns)) => (Some(time_ns / 1000), &line[digits + 1..]),
        _ => (None, line),
    }
}

/// `None` where the line is not JSON.
pub fn about(json: &[u8]) -> Option<About<'_>> {
    let text = std::str::from_utf8(json).ok()?;
    if !text.trim_start().starts_with('{') {
        return serde_json::from_str::<serde::de::IgnoredAny>(text).ok().map(|_| About::default());
    }
    let fields: Fields<'_> = serde_json::from_str(text).ok()?;
    if let Some(data) = fields.data
        && let Some(inner) = about(data.get().as_bytes())
        && inner != About::default()
    {
        return Some(inner);
    }
    let time =
        [fields.traded, fields.sent, fields.event_time].into_iter().flatten().find_map(|time| time.as_i64());
    Some(About { symbol: fields.s.or(fields.symbol), event_us: time.map(unit_us) })
}

/// Exchanges send seconds, milliseconds or microseconds; their sizes do not overlap between 1990 and 2200.
pub fn unit_us(time: i64) -> i64 {
    match time.unsigned_abs() {
        0..100_000_000_000 => time * 1_000_000,
        100_000_000_000..100_000_000_000_000 => time * 1_000,
        _ => time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receive_time_is_taken_off_and_nothing_else() {
        let (time_us, rest) = split_time(b"1723161253937085768 {\"a\": 1}");
        assert_eq!((time_us, rest), (Some(1_723_161_253_937_085), &b"{\"a\": 1}"[..]));
        for untouched in [&b"{\"a\":1}"[..], b"17 {}", b"", b"1723161253937085768"] {
            assert_eq!(split_time(untouched), (None, untouched));
        }
    }

    #[test]
    fn symbol_and_time_are_found_bare_in_an_envelope_and_in_tickers() {
        for json in [
            r#"{"e":"trade","E":1723161255343,"s":"BTCUSDT","T":1723161255342}"#,
            r#"{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","T":1723161255342000}}"#,
            r#"{"symbol":"BTCUSDT","event_time":1723161255342,"price":"1"}"#,
        ] {
            let about = about(json.as_bytes()).unwrap();
            assert_eq!(about.symbol.as_deref(), Some("BTCUSDT"), "{json}");
            assert_eq!(about.event_us, Some(1_723_161_255_342_000), "{json}");
        }
    }

    #[test]
    fn what_is_not_json_is_known_to_be_broken() {
        for broken in [&b"{\"s\":\"BTC"[..], b"\xff\xfe", b"hello", b""] {
            assert_eq!(about(broken), None);
        }
    }
}
