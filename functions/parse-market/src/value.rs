//! From the text of a JSON value to what a column takes; numbers stay exact.

use std::borrow::Cow;

use crate::decimal::Number;
use crate::reason::{Apart, Step, excerpt};
use crate::time::{self, NoTime};

/// A value as it is written. Faults name the column or field that needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a>(pub &'a str);

impl<'a> Value<'a> {
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    /// The text of a string; of a number or boolean the text as written.
    pub fn text(self, name: &str) -> Step<Cow<'a, str>> {
        match self.0.as_bytes() {
            [b'"', .., b'"'] => unescaped(name, &self.0[1..self.0.len() - 1]),
            [b'{' | b'[', ..] => {
                Err(Apart::rejected(format!("{name}: not a text or number: {}", excerpt(self.0))))
            }
            _ => Ok(Cow::Borrowed(self.0)),
        }
    }

    /// The text of a string, and of nothing else.
    pub fn string(self, name: &str) -> Step<Cow<'a, str>> {
        if self.0.starts_with('"') {
            self.text(name)
        } else {
            Err(Apart::rejected(format!("{name}: not a string: {}", excerpt(self.0))))
        }
    }

    pub fn integer(self, name: &str) -> Step<i64> {
        self.0.parse().map_err(|_| {
            let digits = self.0.strip_prefix('-').unwrap_or(self.0);
            let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let what = if is_integer { "beyond 64 bits" } else { "not an integer" };
            Apart::rejected(format!("{name}: {what}: {}", excerpt(self.0)))
        })
    }

    pub fn boolean(self, name: &str) -> Step<bool> {
        match self.0 {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(Apart::rejected(format!("{name}: not a boolean: {}", excerpt(other)))),
        }
    }

    /// An exchange's time (milliseconds or microseconds) as microseconds.
    pub fn exchange_time(self, name: &str) -> Step<i64> {
        time::from_exchange(self.integer(name)?).map_err(|fault| self.no_time(name, fault))
    }

    /// A unix time (seconds, or finer by its size) as microseconds.
    pub fn unix_time(self, name: &str) -> Step<i64> {
        let text = self.text(name)?;
        let number = Number::read(&text)
            .ok_or_else(|| Apart::rejected(format!("{name}: not a unix time: {}", excerpt(&text))))?;
        time::from_unix(&number).map_err(|fault| self.no_time(name, fault))
    }

    fn no_time(self, name: &str, fault: NoTime) -> Apart {
        let what = match fault {
            NoTime::Before1970 => "before 1970",
            NoTime::After9999 => "after 9999",
        };
        Apart::rejected(format!("{name}: {what}: {}", excerpt(self.0)))
    }
}

/// The text of a string that is written so between its quotes.
pub(crate) fn unescaped<'a>(name: &str, written: &'a str) -> Step<Cow<'a, str>> {
    if !written.bytes().any(|byte| byte == b'\\') {
        return Ok(Cow::Borrowed(written));
    }
    serde_json::from_str(&format!("\"{written}\"")).map(Cow::Owned).map_err(|_| {
        Apart::rejected(format!("{name}: half a surrogate pair is no text: {}", excerpt(written)))
    })
}
