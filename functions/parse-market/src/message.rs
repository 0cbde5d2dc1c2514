//! A message: the fields of a JSON object, or the items of an array, each value as the bytes that write it.

use std::borrow::Cow;

use crate::json::{Scanner, Value, array, members, unescaped};
use crate::reason::{Apart, Step, excerpt};

/// Most keys of a message that are longer than a letter: no market message has a third of it.
const MAX_LONG_KEYS: usize = 250;

/// The fields of an object. Keys of one letter, which most of the exchange's are, have a fixed place.
pub(crate) struct Message<'a> {
    text: &'a [u8],
    letters: [Value<'a>; 64],
    /// A bit a letter that is there, and that is there more than once.
    present: u64,
    twice: u64,
    long: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// The outermost level of a JSON text.
pub(crate) enum Shape<'a> {
    /// Its fields are in the message.
    Object,
    Array(Vec<Value<'a>>),
}

impl<'a> Message<'a> {
    pub fn new() -> Self {
        Message { text: b"", letters: [Value(b""); 64], present: 0, twice: 0, long: Vec::new() }
    }

    /// Reads a whole text, which is UTF-8: nothing but white space may follow the object or array.
    pub fn read(&mut self, text: &'a [u8]) -> Step<Shape<'a>> {
        (self.text, self.present, self.twice) = (text, 0, 0);
        self.long.clear();
        let mut scanner = Scanner::new(text);
        match scanner.peek() {
            b'{' => {
                members(text, |key, value| self.insert(key, value))?;
                Ok(Shape::Object)
            }
            b'[' => array(text).map(Shape::Array),
            _ => {
                scanner.stop::<()>("an object or array");
                Err(scanner.fault())
            }
        }
    }

    #[inline]
    fn insert(&mut self, written: &'a [u8], value: Value<'a>) -> Step<()> {
        match letter(written) {
            Some(letter) => {
                self.insert_letter(letter, value);
                Ok(())
            }
            None => self.insert_long(written, value),
        }
    }

    #[inline]
    fn insert_letter(&mut self, letter: usize, value: Value<'a>) {
        self.twice |= self.present & 1 << letter;
        self.present |= 1 << letter;
        self.letters[letter] = value;
    }

    fn insert_long(&mut self, written: &'a [u8], value: Value<'a>) -> Step<()> {
        let key = unescaped("JSON: key", written)?;
        if let Some(letter) = letter(key.as_bytes()) {
            self.insert_letter(letter, value);
            return Ok(());
        }
        if self.long.len() == MAX_LONG_KEYS {
            return Err(Apart::rejected(format!("unknown message: more than {MAX_LONG_KEYS} keys")));
        }
        self.long.push((key, value));
        Ok(())
    }

    /// The first `count` keys, in the message's order, as written.
    pub fn first_keys(&self, count: usize) -> Vec<&'a [u8]> {
        let mut keys = Vec::new();
        // The text has been read before, so it has no fault.
        let _ = members(self.text, |key, _| {
            if keys.len() < count {
                keys.push(key);
            }
            Ok(())
        });
        keys
    }

    pub fn has(&self, key: &str) -> bool {
        match letter(key.as_bytes()) {
            Some(letter) => self.present >> letter & 1 == 1,
            None => self.long.iter().any(|(known, _)| known == key),
        }
    }

    /// The value of a key; `None` if it is absent or null. A message with a key twice is broken: either value
    /// could be meant.
    #[inline(always)]
    pub fn get(&self, key: &str) -> Step<Option<Value<'a>>> {
        match letter(key.as_bytes()) {
            Some(letter) if self.twice >> letter & 1 == 0 => {
                let value = self.letters[letter];
                Ok((self.present >> letter & 1 == 1 && !value.is_null()).then_some(value))
            }
            _ => self.get_long(key),
        }
    }

    fn get_long(&self, key: &str) -> Step<Option<Value<'a>>> {
        let mut values = self.long.iter().filter(|(known, _)| known == key).map(|(_, value)| *value);
        let value = values.next();
        if letter(key.as_bytes()).is_some() || values.next().is_some() {
            return Err(Apart::rejected(format!("JSON: key {} is there twice", excerpt(key.as_bytes()))));
        }
        Ok(value.filter(|value| !value.is_null()))
    }

    /// The value of a key as column `name` needs it.
    #[inline(always)]
    pub fn required(&self, name: &str, key: &str) -> Step<Value<'a>> {
        match self.get(key)? {
            Some(value) => Ok(value),
            None => Err(Apart::rejected(format!("{name}: missing (key {})", excerpt(key.as_bytes())))),
        }
    }
}

/// Place of a key of one byte from `@` to DEL, all letters among them.
#[inline]
fn letter(key: &[u8]) -> Option<usize> {
    match key {
        &[letter @ 64..128] => Some(usize::from(letter) - 64),
        _ => None,
    }
}
