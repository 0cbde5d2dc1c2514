//! What was seen at one place of the messages.

use std::collections::BTreeMap;

use parse_base::decimal::Number;
use parse_base::json::{Value, array, members, unescaped};
use parse_base::time::from_iso;

/// Values of a place that are told apart.
const MOST_VALUES: usize = 12;
/// Objects and arrays within each other that are looked into.
const DEEPEST: usize = 32;

#[derive(Debug, Default)]
pub(crate) struct Place {
    /// Messages that have the place, whatever its value.
    pub there: u64,
    pub nulls: u64,
    pub booleans: u64,
    pub objects: u64,
    pub arrays: u64,
    pub numbers: Numbers,
    /// Numbers that are written as strings.
    pub number_texts: Numbers,
    /// Strings that are times as in RFC 3339.
    pub times: u64,
    /// Other strings.
    pub texts: u64,
    /// How often each of the first few different strings came.
    pub values: BTreeMap<String, u64>,
    /// In the order in which they first came.
    pub members: Vec<(String, Place)>,
    pub items: Option<Box<Place>>,
}

/// Numbers at one place.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    pub integers: u64,
    /// With a fraction or an exponent.
    pub fractions: u64,
    /// Most places after the point.
    pub places: u8,
    /// The integers' range.
    pub range: Option<(i64, i64)>,
    /// Integers beyond 64 bits, or with zeros before them.
    pub odd: u64,
}

impl Place {
    pub fn see(&mut self, value: Value<'_>, depth: usize) {
        self.there += 1;
        match value.0 {
            [b'n', ..] => self.nulls += 1,
            [b't' | b'f', ..] => self.booleans += 1,
            [b'{', ..] if depth < DEEPEST => {
                self.objects += 1;
                // It has been read before, so it has no fault.
                _ = members(value.0, |key, value| {
                    self.member(&unescaped("key", key)?).see(value, depth + 1);
                    Ok(())
                });
            }
            [b'[', ..] if depth < DEEPEST => {
                self.arrays += 1;
                let items = self.items.get_or_insert_default();
                array(value.0).into_iter().flatten().for_each(|item| items.see(item, depth + 1));
            }
            [b'"', ..] => self.see_text(value),
            [b'{' | b'[', ..] => self.texts += 1,
            number => self.numbers.see(number),
        }
    }

    fn member(&mut self, key: &str) -> &mut Place {
        let at = match self.members.iter().position(|(known, _)| known == key) {
            Some(at) => at,
            None => {
                self.members.push((key.to_owned(), Place::default()));
                self.members.len() - 1
            }
        };
        &mut self.members[at].1
    }

    fn see_text(&mut self, value: Value<'_>) {
        let text = value.text("").unwrap_or_default();
        if self.values.len() < MOST_VALUES || self.values.contains_key(&*text) {
            *self.values.entry(text.clone().into_owned()).or_default() += 1;
        }
        if Number::read(text.as_bytes()).is_some() {
            self.number_texts.see(text.as_bytes());
        } else if from_iso(text.as_bytes()).is_some_and(|time| time.is_ok()) {
            self.times += 1;
        } else {
            self.texts += 1;
        }
    }
}

impl Numbers {
    fn see(&mut self, written: &[u8]) {
        let text = String::from_utf8_lossy(written);
        let digits = text.strip_prefix('-').unwrap_or(&text);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            self.fractions += 1;
            let last = Number::read(written).map_or(0, |number| number.last_place());
            self.places = self.places.max(u8::try_from(-last).unwrap_or(0));
            return;
        }
        self.integers += 1;
        match text.parse::<i64>() {
            Ok(value) if digits.len() == 1 || !digits.starts_with('0') => {
                let (low, high) = self.range.unwrap_or((value, value));
                self.range = Some((low.min(value), high.max(value)));
            }
            _ => self.odd += 1,
        }
    }

    pub fn all(&self) -> u64 {
        self.integers + self.fractions
    }
}
