//! JSON by serde_json, one level at a time: a message is a list of keys with the text of their values, so that
//! numbers stay exact and what nobody asks for is never built.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::decimal::Number;
use crate::reason::{Apart, Step, excerpt};
use crate::time::{self, NoTime};

/// Most keys of a message: no market message has a third of it.
const MAX_KEYS: usize = 250;
/// `Message::short` of a key that is not there, and of one that is there twice.
const ABSENT: u8 = u8::MAX;
const TWICE: u8 = u8::MAX - 1;

/// The keys of an object with the text of their values.
pub(crate) struct Message<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// Index in `fields` of keys of one ASCII letter: most of the exchange's.
    short: [u8; 128],
}

/// The outermost level of a JSON text.
#[derive(Debug)]
pub(crate) enum Shape<'a> {
    /// Its fields are in the message.
    Object,
    Array(Vec<&'a RawValue>),
}

impl<'a> Message<'a> {
    pub fn new() -> Self {
        Message { fields: Vec::with_capacity(16), short: [ABSENT; 128] }
    }

    /// Reads a whole text: nothing but white space may follow the object or array.
    pub fn read(&mut self, text: &'a str) -> Step<Shape<'a>> {
        self.fields.clear();
        self.short = [ABSENT; 128];
        let mut json = serde_json::Deserializer::from_str(text);
        let shape = self.deserialize(&mut json).and_then(|shape| json.end().map(|()| shape));
        shape.map_err(|error| json_fault(text, &error))
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(key, _)| key.as_ref())
    }

    pub fn has(&self, key: &str) -> bool {
        match key.as_bytes() {
            &[letter @ 0..128] => self.short[usize::from(letter)] != ABSENT,
            _ => self.keys().any(|known| known == key),
        }
    }

    /// The value of a key; `None` where it is absent or null. A key given twice is a broken message: nobody
    /// could say which one is meant.
    pub fn get(&self, key: &str) -> Step<Option<&'a RawValue>> {
        let twice = || Apart::rejected(format!("JSON: key {} is there twice", excerpt(key)));
        let value = match key.as_bytes() {
            &[letter @ 0..128] => match self.short[usize::from(letter)] {
                TWICE => return Err(twice()),
                index => self.fields.get(usize::from(index)).map(|(_, value)| *value),
            },
            _ => {
                let mut values =
                    self.fields.iter().filter(|(known, _)| known == key).map(|(_, value)| *value);
                let value = values.next();
                if values.next().is_some() {
                    return Err(twice());
                }
                value
            }
        };
        Ok(value.filter(|value| value.get() != "null"))
    }

    /// The value of a key as column `name` needs it.
    pub fn required(&self, name: &str, key: &str) -> Step<&'a RawValue> {
        self.get(key)?.ok_or_else(|| Apart::rejected(format!("{name}: missing (key {})", excerpt(key))))
    }
}

/// The text of a string; of a number or boolean the text as written.
pub(crate) fn text<'a>(name: &str, value: &'a RawValue) -> Step<Cow<'a, str>> {
    let raw = value.get();
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return match raw.as_bytes().first() {
            Some(b'{' | b'[') | None => {
                Err(Apart::rejected(format!("{name}: not a text or number: {}", excerpt(raw))))
            }
            Some(_) => Ok(Cow::Borrowed(raw)),
        };
    };
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw)
        .map(Cow::Owned)
        .map_err(|_| Apart::rejected(format!("{name}: not Unicode: {}", excerpt(raw))))
}

/// The text of a string, and of nothing else.
pub(crate) fn string<'a>(name: &str, value: &'a RawValue) -> Step<Cow<'a, str>> {
    if value.get().starts_with('"') {
        text(name, value)
    } else {
        Err(Apart::rejected(format!("{name}: not a string: {}", excerpt(value.get()))))
    }
}

pub(crate) fn integer(name: &str, value: &RawValue) -> Step<i64> {
    let raw = value.get();
    raw.parse().map_err(|_| {
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let what = if is_integer { "beyond 64 bits" } else { "not an integer" };
        Apart::rejected(format!("{name}: {what}: {}", excerpt(raw)))
    })
}

pub(crate) fn boolean(name: &str, value: &RawValue) -> Step<bool> {
    match value.get() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Apart::rejected(format!("{name}: not a boolean: {}", excerpt(other)))),
    }
}

/// An exchange's time (milliseconds or microseconds) as microseconds.
pub(crate) fn exchange_time(name: &str, value: &RawValue) -> Step<i64> {
    time::from_exchange(integer(name, value)?).map_err(|fault| no_time(name, value, fault))
}

/// A unix time (seconds, or finer by its size) as microseconds.
pub(crate) fn unix_time(name: &str, value: &RawValue) -> Step<i64> {
    let text = text(name, value)?;
    let number = Number::read(&text)
        .ok_or_else(|| Apart::rejected(format!("{name}: not a unix time: {}", excerpt(&text))))?;
    time::from_unix(&number).map_err(|fault| no_time(name, value, fault))
}

fn no_time(name: &str, value: &RawValue, fault: NoTime) -> Apart {
    let what = match fault {
        NoTime::Before1970 => "before 1970",
        NoTime::After9999 => "after 9999",
    };
    Apart::rejected(format!("{name}: {what}: {}", excerpt(value.get())))
}

/// serde_json's message, with the place as a byte of the whole text instead of a line and column.
fn json_fault(text: &str, error: &serde_json::Error) -> Apart {
    let lines_before = error.line().saturating_sub(1);
    let line_start: usize = text.split_inclusive('\n').take(lines_before).map(str::len).sum();
    let message = error.to_string();
    let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
    let what = what.strip_prefix("EOF while parsing").map_or(what.to_owned(), |what| format!("EOF in{what}"));
    let shown: String = what.chars().take(100).collect();
    Apart::rejected(format!("JSON: {shown} at byte {}", line_start + error.column()))
}

impl<'de> DeserializeSeed<'de> for &mut Message<'de> {
    type Value = Shape<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Shape<'de>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Message<'de> {
    type Value = Shape<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or array")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Shape<'de>, M::Error> {
        while let Some(Key(key)) = map.next_key()? {
            if self.fields.len() == MAX_KEYS {
                return Err(M::Error::custom(format_args!("more than {MAX_KEYS} keys")));
            }
            if let &[letter @ 0..128] = key.as_bytes() {
                let index = &mut self.short[usize::from(letter)];
                *index = if *index == ABSENT { self.fields.len() as u8 } else { TWICE };
            }
            self.fields.push((key, map.next_value()?));
        }
        Ok(Shape::Object)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Shape<'de>, S::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Shape::Array(all))
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        json.deserialize_str(KeyVisitor)
    }
}
