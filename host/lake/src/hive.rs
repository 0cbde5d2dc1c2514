//! Path segments as Hive, Spark and DuckDB read them: `name=value`, the value percent-encoded.

use chrono::DateTime;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tallow_digest::Digest;

/// What Hive writes for a null or empty value; readers give null.
pub const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// File systems hold 255 bytes a segment: this leaves room for the column's name and a suffix.
const MAX_VALUE_BYTES: usize = 200;

/// Set between the head of a value that is too long and its digest; never part of an encoded value.
const CUT: char = '~';

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A value as part of a path: ASCII letters, digits, `-`, `_`, `.` as they are (a dot not in front), all else
/// as `%XX` of its UTF-8. Never empty, never `.` or `..`, without `/`, and two values never give one text. A
/// value too long for a file name is cut and ends in `~` and the sha256 of the whole.
pub fn encode(value: &str) -> String {
    if value.is_empty() {
        return NULL.to_owned();
    }
    let mut encoded = utf8_percent_encode(value, ENCODED).to_string();
    if encoded.starts_with('.') || encoded == NULL {
        encoded = format!("%{:02X}{}", encoded.as_bytes()[0], &encoded[1..]);
    }
    if encoded.len() <= MAX_VALUE_BYTES {
        return encoded;
    }
    let mut head = MAX_VALUE_BYTES - 65;
    // An escape is not cut in two.
    while encoded.as_bytes()[head - 1] == b'%' || encoded.as_bytes()[head - 2] == b'%' {
        head -= 1;
    }
    format!("{}{CUT}{}", &encoded[..head], Digest::of(value.as_bytes()))
}

/// The value that [`encode`] was given. `None` if it was cut or is not UTF-8.
pub fn decode(encoded: &str) -> Option<String> {
    if encoded == NULL {
        return Some(String::new());
    }
    if encoded.contains(CUT) {
        return None;
    }
    percent_decode_str(encoded).decode_utf8().ok().map(|value| value.into_owned())
}

/// `name=value`.
pub fn segment(name: &str, value: &str) -> String {
    format!("{name}={}", encode(value))
}

/// The first and the last microsecond of the years 1 to 9999, which every reader takes for dates: one partition
/// beyond them would turn the column `date` of the whole table into text, or into an error.
const DATES_US: (i64, i64) = (-62_135_596_800_000_000, 253_402_300_799_999_999);

/// `YYYY-MM-DD`, the UTC day of a time in µs since 1970-01-01 UTC; times beyond the years 1 to 9999 are filed under the
/// first or the last day of these.
pub fn day(time_us: i64) -> String {
    let time = DateTime::from_timestamp_micros(time_us.clamp(DATES_US.0, DATES_US.1)).unwrap_or_default();
    time.format("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_symbols_stay_inside_their_segment() {
        let table = [
            ("BTCUSDT", "BTCUSDT"),
            ("BRK.B", "BRK.B"),
            ("../../x", "%2E.%2F..%2Fx"),
            ("..", "%2E."),
            (".", "%2E"),
            ("a/b", "a%2Fb"),
            ("a\\b", "a%5Cb"),
            ("%2e%2e", "%252e%252e"),
            ("a\0b", "a%00b"),
            ("a=b", "a%3Db"),
            ("a b\n", "a%20b%0A"),
            ("~", "%7E"),
            ("币安人生USDT", "%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT"),
            ("", NULL),
            (NULL, "%5F_HIVE_DEFAULT_PARTITION__"),
        ];
        for (value, encoded) in table {
            assert_eq!(encode(value), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(value));
        }
    }

    #[test]
    fn a_symbol_of_4_kb_fits_a_file_name_and_stays_distinct() {
        for unit in ["x", "/", "币"] {
            let long = unit.repeat(4096);
            let encoded = encode(&long);
            assert!(encoded.len() <= MAX_VALUE_BYTES, "{} bytes", encoded.len());
            assert_ne!(encoded, encode(&format!("{long}x")));
            assert_eq!(decode(&encoded), None);
            let head = encoded.split(CUT).next().unwrap();
            percent_decode_str(head).for_each(|byte| assert_ne!(byte, b'%', "an escape was cut: {head}"));
        }
    }

    #[test]
    fn days_are_utc_and_begin_at_midnight() {
        let midnight = 1_723_075_200_000_000; // 2024-08-08T00:00:00Z
        assert_eq!(day(midnight), "2024-08-08");
        assert_eq!(day(midnight - 1), "2024-08-07");
        assert_eq!(day(-1), "1969-12-31");
        assert_eq!(day(253_402_300_799_999_999), "9999-12-31");
    }

    #[test]
    fn days_that_no_reader_takes_for_dates_are_filed_under_the_nearest_that_they_do() {
        for time_us in [253_402_300_800_000_000, i64::MAX] {
            assert_eq!(day(time_us), "9999-12-31");
        }
        assert_eq!(day(-62_135_596_800_000_000), "0001-01-01");
        for time_us in [-62_135_596_800_000_001, i64::MIN] {
            assert_eq!(day(time_us), "0001-01-01");
        }
    }

    proptest! {
        #[test]
        fn encoding_is_reversible_and_safe(value in "\\PC{0,40}|[./%~=_\0]{0,20}") {
            let encoded = encode(&value);
            prop_assert!(!encoded.is_empty() && !encoded.starts_with('.'));
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.%~".contains(&b)));
            match decode(&encoded) {
                Some(decoded) => prop_assert_eq!(decoded, value),
                None => prop_assert!(encoded.len() > 100),
            }
        }
    }
}
