//! From the text of a JSON value to what a column takes; numbers stay exact.

use std::borrow::Cow;

use crate::decimal::Number;
use crate::reason::{Apart, Step, fault};
use crate::swar;
use crate::time;

/// A value as it is written: UTF-8. Faults name the column or field that needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a>(pub &'a [u8]);

impl<'a> Value<'a> {
    #[inline]
    pub fn is_null(self) -> bool {
        // Nothing else in JSON begins so.
        self.0.first() == Some(&b'n')
    }

    pub fn is_object(self) -> bool {
        self.0.starts_with(b"{")
    }

    pub fn is_array(self) -> bool {
        self.0.starts_with(b"[")
    }

    /// The bytes between the quotes of a string without escapes; those of a number as written.
    #[inline]
    pub fn plain(self) -> &'a [u8] {
        match self.0 {
            [b'"', inner @ .., b'"'] => inner,
            other => other,
        }
    }

    /// The text of a string; of a number or boolean the text as written.
    pub fn text(self, name: &str) -> Step<Cow<'a, str>> {
        match self.0 {
            [b'"', inner @ .., b'"'] => unescaped(name, inner),
            [b'{' | b'[', ..] => Err(self.fault(name, "not a text or number")),
            other => Ok(String::from_utf8_lossy(other)),
        }
    }

    /// The text of a string, and of nothing else.
    pub fn string(self, name: &str) -> Step<Cow<'a, str>> {
        if self.0.starts_with(b"\"") { self.text(name) } else { Err(self.fault(name, "not a string")) }
    }

    #[inline]
    pub fn integer(self, name: &str) -> Step<i64> {
        match swar::long_digits(self.0) {
            Some(value) => Ok(value as i64),
            None => self.any_integer(name),
        }
    }

    fn any_integer(self, name: &str) -> Step<i64> {
        let parsed = std::str::from_utf8(self.0).ok().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| {
            let digits = self.0.strip_prefix(b"-").unwrap_or(self.0);
            let is_integer = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            self.fault(name, if is_integer { "beyond 64 bits" } else { "not an integer" })
        })
    }

    pub fn boolean(self, name: &str) -> Step<bool> {
        match self.0 {
            b"true" => Ok(true),
            b"false" => Ok(false),
            _ => Err(self.fault(name, "not a boolean")),
        }
    }

    /// An exchange's time (milliseconds or microseconds) as microseconds.
    pub fn exchange_time(self, name: &str) -> Step<i64> {
        time::from_exchange(self.integer(name)?).map_err(|fault| self.fault(name, fault.fault()))
    }

    /// A unix time (seconds, or finer by its size) as microseconds.
    pub fn unix_time(self, name: &str) -> Step<i64> {
        let text = self.text(name)?;
        let number = Number::read(text.as_bytes()).ok_or_else(|| self.fault(name, "not a unix time"))?;
        time::from_unix(&number).map_err(|fault| self.fault(name, fault.fault()))
    }

    #[cold]
    pub fn fault(self, name: &str, what: &str) -> Box<Apart> {
        fault(name, what, self.plain())
    }
}

/// The text of a string that is written so between its quotes.
pub fn unescaped<'a>(name: &str, written: &'a [u8]) -> Step<Cow<'a, str>> {
    let text = std::str::from_utf8(written).map_err(|_| Value(written).fault(name, "not UTF-8"))?;
    if !written.contains(&b'\\') {
        return Ok(Cow::Borrowed(text));
    }
    serde_json::from_str(&format!("\"{text}\""))
        .map(Cow::Owned)
        .map_err(|_| Value(written).fault(name, "half a surrogate pair is no text"))
}
