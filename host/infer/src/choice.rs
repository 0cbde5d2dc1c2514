//! What a place of the messages is.

use crate::place::{Numbers, Place};

/// Most places that a decimal keeps, and how many it keeps if nothing is said.
const MOST_SCALE: u8 = 18;
const DEFAULT_SCALE: u8 = 8;
/// 2001-09-09 and 2100-01-01, in seconds: numbers between them may be times.
const SECONDS: std::ops::RangeInclusive<i64> = 1_000_000_000..=4_102_444_800;
const UNITS: [(&str, i64); 4] = [("s", 1), ("ms", 1_000), ("us", 1_000_000), ("ns", 1_000_000_000)];
/// Words in the names of times.
const TIME_WORDS: [&str; 9] = ["time", "date", "stamp", "_at", "_ts", "ts_", "created", "updated", "sent"];
/// Names of times that are nothing else.
const TIME_NAMES: [&str; 4] = ["ts", "T", "E", "at"];

/// What a column is, as the manifest writes it.
pub(crate) struct Choice {
    pub type_: &'static str,
    /// More keys of the column.
    pub more: String,
    /// What is unsure.
    pub doubt: Option<String>,
}

impl Choice {
    fn sure(type_: &'static str) -> Self {
        Self { type_, more: String::new(), doubt: None }
    }

    fn doubtful(type_: &'static str, doubt: impl Into<String>) -> Self {
        Self { doubt: Some(doubt.into()), ..Self::sure(type_) }
    }
}

/// What a place that holds no objects or arrays is.
pub(crate) fn choose(key: &str, place: &Place) -> Choice {
    let forms = [
        ("true or false", place.booleans),
        ("numbers", place.numbers.all()),
        ("numbers in quotes", place.number_texts.all()),
        ("times", place.times),
        ("texts", place.texts),
    ];
    let there: Vec<&str> = forms.iter().filter(|(_, count)| *count > 0).map(|(form, _)| *form).collect();
    match there[..] {
        [] => Choice::doubtful("text", "only null in the sample"),
        ["true or false"] => Choice::sure("boolean"),
        ["times"] => Choice::sure("timestamp"),
        ["texts"] => Choice::sure("text"),
        ["numbers"] => number(key, &place.numbers),
        ["numbers in quotes"] => number(key, &place.number_texts),
        ["numbers", "numbers in quotes"] => Choice {
            doubt: Some("written with and without quotes".to_owned()),
            ..decimal(place.numbers.places.max(place.number_texts.places))
        },
        _ => Choice::doubtful("text", format!("holds {}", there.join(" and "))),
    }
}

fn number(key: &str, numbers: &Numbers) -> Choice {
    if numbers.fractions > 0 {
        return decimal(numbers.places);
    }
    if numbers.odd > 0 {
        return Choice::doubtful("text", "digits that are no 64-bit integer, or with zeros before them");
    }
    let Some((low, high)) = numbers.range else { return Choice::sure("int64") };
    let unit = UNITS.iter().find(|(_, per_second)| {
        SECONDS.contains(&(low / per_second)) && SECONDS.contains(&(high / per_second))
    });
    let Some((unit, _)) = unit else { return Choice::sure("int64") };
    let lower = key.to_lowercase();
    if TIME_NAMES.contains(&key) || TIME_WORDS.iter().any(|word| lower.contains(word)) {
        return Choice { more: format!("unit = \"{unit}\""), ..Choice::sure("timestamp") };
    }
    Choice::doubtful("int64", format!("could be a time: {{ type = \"timestamp\", unit = \"{unit}\" }}"))
}

fn decimal(places: u8) -> Choice {
    if places > MOST_SCALE {
        return Choice::doubtful(
            "float64",
            format!("{places} places after the point, more than a decimal keeps"),
        );
    }
    // Other messages may have more places than the sample.
    let more = if places > DEFAULT_SCALE { format!("scale = {places}") } else { String::new() };
    Choice { more, ..Choice::sure("decimal") }
}
