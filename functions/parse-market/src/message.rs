//! A message: the fields of a JSON object, or the items of an array, each value as the text that writes it.

use std::borrow::Cow;

use crate::reason::{Apart, Step, excerpt};
use crate::scan::{Fault, Scanner};
use crate::value::Value;

/// Most keys of a message: no market message has a third of it.
const MAX_KEYS: usize = 250;
/// Most items of an array: an exchange answers with 1,500 klines at most.
const MAX_ITEMS: usize = 100_000;
/// `Message::short` of a key that is not there, and of one that is there twice.
const ABSENT: u8 = u8::MAX;
const TWICE: u8 = u8::MAX - 1;

/// The fields of an object.
pub(crate) struct Message<'a> {
    fields: Vec<(Cow<'a, str>, Value<'a>)>,
    /// Index in `fields` of keys of one ASCII letter: most of the exchange's.
    short: [u8; 128],
}

/// The outermost level of a JSON text.
pub(crate) enum Shape<'a> {
    /// Its fields are in the message.
    Object,
    Array(Vec<Value<'a>>),
}

impl<'a> Message<'a> {
    pub fn new() -> Self {
        Message { fields: Vec::with_capacity(32), short: [ABSENT; 128] }
    }

    /// Reads a whole text: nothing but white space may follow the object or array.
    pub fn read(&mut self, text: &'a str) -> Step<Shape<'a>> {
        for (key, _) in self.fields.drain(..) {
            if let &[letter @ 0..128] = key.as_bytes() {
                self.short[usize::from(letter)] = ABSENT;
            }
        }
        let mut scanner = Scanner::new(text);
        let fault = |fault: Fault| fault.in_text(text);
        let shape = if scanner.accept(b'{') {
            self.members(&mut scanner, text)?;
            Shape::Object
        } else if scanner.peek() == b'[' {
            return array(text).map(Shape::Array);
        } else {
            return scanner.fault("not an object or array").map_err(fault);
        };
        scanner.end().map_err(fault)?;
        Ok(shape)
    }

    fn members(&mut self, scanner: &mut Scanner<'a>, text: &'a str) -> Step<()> {
        if scanner.accept(b'}') {
            return Ok(());
        }
        loop {
            let key = scanner.key().map_err(|fault| fault.in_text(text))?;
            let value = scanner.value().map_err(|fault| fault.in_text(text))?;
            self.insert(key, Value(value))?;
            if scanner.accept(b'}') {
                return Ok(());
            }
            if !scanner.accept(b',') {
                return scanner
                    .fault("not a comma or the end of an object")
                    .map_err(|fault| fault.in_text(text));
            }
        }
    }

    fn insert(&mut self, written: &'a str, value: Value<'a>) -> Step<()> {
        if self.fields.len() == MAX_KEYS {
            return Err(Apart::rejected(format!("unknown message: more than {MAX_KEYS} keys")));
        }
        let key = crate::value::unescaped("JSON: key", written)?;
        if let &[letter @ 0..128] = key.as_bytes() {
            let index = &mut self.short[usize::from(letter)];
            *index = if *index == ABSENT { self.fields.len() as u8 } else { TWICE };
        }
        self.fields.push((key, value));
        Ok(())
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
    pub fn get(&self, key: &str) -> Step<Option<Value<'a>>> {
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
        Ok(value.filter(|value| !value.is_null()))
    }

    /// The value of a key as column `name` needs it.
    pub fn required(&self, name: &str, key: &str) -> Step<Value<'a>> {
        self.get(key)?.ok_or_else(|| Apart::rejected(format!("{name}: missing (key {})", excerpt(key))))
    }
}

/// The items of a text that is an array.
pub(crate) fn array(text: &str) -> Step<Vec<Value<'_>>> {
    let mut scanner = Scanner::new(text);
    let fault = |fault: Fault| fault.in_text(text);
    if !scanner.accept(b'[') {
        return scanner.fault("not an array").map_err(fault);
    }
    let items = items(&mut scanner).map_err(fault)?;
    scanner.end().map_err(fault)?;
    Ok(items)
}

fn items<'a>(scanner: &mut Scanner<'a>) -> Result<Vec<Value<'a>>, Fault> {
    let mut items = Vec::new();
    if scanner.accept(b']') {
        return Ok(items);
    }
    loop {
        if items.len() == MAX_ITEMS {
            return scanner.fault("more items than any answer has");
        }
        items.push(Value(scanner.value()?));
        if scanner.accept(b']') {
            return Ok(items);
        }
        if !scanner.accept(b',') {
            return scanner.fault("not a comma or the end of an array");
        }
    }
}
