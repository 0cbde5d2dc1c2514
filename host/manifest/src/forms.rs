//! What keys take: how a value is read, what the reference calls it, and its JSON schema.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Problem, Report};
use crate::node::Node;
use crate::schema_pieces::{self as schema, either, matching, or_variable};
use crate::{aggregate, units, values};

pub(crate) const KIB: u64 = 1 << 10;
pub(crate) const MIB: u64 = 1 << 20;
pub(crate) const GIB: u64 = 1 << 30;
/// A size that nothing reaches.
pub(crate) const ANY_SIZE: u64 = 1024 * GIB;

pub(crate) trait Described {
    /// The type and unit, as they follow "it takes".
    fn words(&self) -> String;
    fn schema(&self) -> Value;
}

pub(crate) trait Takes<T> {
    fn read(&self, node: &Node, report: &mut Report) -> Option<T>;
}

/// A form of values that is put together by hand.
pub(crate) struct Form<T> {
    words: &'static str,
    schema: fn() -> Value,
    read: Read<T>,
}

enum Read<T> {
    Node(fn(&Node, &mut Report) -> Option<T>),
    /// A string; what it is to be, and how it is parsed.
    Text(&'static str, fn(&str) -> Result<T, Problem>),
}

impl<T> Form<T> {
    pub const fn new(
        words: &'static str,
        schema: fn() -> Value,
        read: fn(&Node, &mut Report) -> Option<T>,
    ) -> Self {
        Self { words, schema, read: Read::Node(read) }
    }

    /// A string that is parsed; `wanted` is what a message calls it.
    pub const fn parsed(
        words: &'static str,
        schema: fn() -> Value,
        wanted: &'static str,
        parse: fn(&str) -> Result<T, Problem>,
    ) -> Self {
        Self { words, schema, read: Read::Text(wanted, parse) }
    }

    /// The same under another name.
    pub const fn called(self, words: &'static str) -> Self {
        Self { words, ..self }
    }
}

impl Form<()> {
    /// A form that is read by an expression, with what the form itself does not know.
    pub const fn shown(words: &'static str, schema: fn() -> Value) -> Self {
        Self::new(words, schema, |_, _| Some(()))
    }
}

impl<T> Described for Form<T> {
    fn words(&self) -> String {
        self.words.to_owned()
    }

    fn schema(&self) -> Value {
        (self.schema)()
    }
}

impl<T> Takes<T> for Form<T> {
    fn read(&self, node: &Node, report: &mut Report) -> Option<T> {
        match self.read {
            Read::Node(read) => read(node, report),
            Read::Text(wanted, parse) => values::parsed(node, wanted, report, parse),
        }
    }
}

/// A whole number from the first to the second.
pub(crate) struct Integer(pub i64, pub i64);

impl Integer {
    fn range(&self) -> RangeInclusive<i64> {
        self.0..=self.1
    }
}

impl Described for Integer {
    fn words(&self) -> String {
        match self.1 >= i64::from(u32::MAX) {
            true => format!("{} or more", self.0),
            false => format!("{} to {}", self.0, self.1),
        }
    }

    fn schema(&self) -> Value {
        or_variable(schema::integer(self.range()))
    }
}

impl<T: TryFrom<i64>> Takes<T> for Integer {
    fn read(&self, node: &Node, report: &mut Report) -> Option<T> {
        T::try_from(values::integer(node, self.range(), report)?).ok()
    }
}

/// Bytes from the first to the second, as an integer or with a unit.
pub(crate) struct Size(pub u64, pub u64);

impl Described for Size {
    fn words(&self) -> String {
        match self.1 == ANY_SIZE {
            true => "a size".to_owned(),
            false => format!("a size up to {}", units::show_bytes(self.1)),
        }
    }

    fn schema(&self) -> Value {
        let units = matching(r"\s*[0-9]+\s*(?:(?:[kKmMgG][iI]?)?[bB])?\s*");
        either([schema::integer(self.0 as i64..=self.1 as i64), units])
    }
}

impl Takes<u64> for Size {
    fn read(&self, node: &Node, report: &mut Report) -> Option<u64> {
        values::bytes(node, self.0..=self.1, report)
    }
}

/// One of several words, each with what it means to the code.
pub(crate) struct Choice<T: 'static>(pub &'static [(&'static str, T)]);

impl<T: Copy + PartialEq> Choice<T> {
    /// The word, as the manifest writes it.
    pub fn word(&self, meant: T) -> &'static str {
        self.0.iter().find(|(_, choice)| *choice == meant).map_or("", |(word, _)| word)
    }
}

impl<T> Described for Choice<T> {
    fn words(&self) -> String {
        let words: Vec<String> = self.0.iter().map(|(word, _)| format!("`\"{word}\"`")).collect();
        match words.split_last() {
            Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            _ => words.concat(),
        }
    }

    fn schema(&self) -> Value {
        let words: Vec<&str> = self.0.iter().map(|(word, _)| *word).collect();
        or_variable(json!({ "enum": words }))
    }
}

impl<T: Copy> Takes<T> for Choice<T> {
    fn read(&self, node: &Node, report: &mut Report) -> Option<T> {
        values::choice(node, self.0, report)
    }
}

pub(crate) const BOOLEAN: Form<bool> =
    Form::new("a boolean", || or_variable(json!({ "type": "boolean" })), values::boolean);
pub(crate) const TEXT: Form<String> = Form::new("a string", schema::text, values::text);
pub(crate) const COMPONENT: Form<String> = TEXT.called("a component's name");
pub(crate) const TEXTS: Form<Vec<String>> =
    Form::new("a list of strings", || schema::list(schema::text()), values::texts);
pub(crate) const DURATION: Form<Duration> = Form::new("a duration", schema::duration, values::duration);
pub(crate) const DURATION_US: Form<i64> = Form::new("a duration", schema::duration, |node, report| {
    values::duration(node, report).map(|duration| duration.as_micros() as i64)
});
pub(crate) const POSITIVE_DURATION: Form<Duration> =
    Form::new("a duration", schema::duration, values::positive_duration);
pub(crate) const POSITIVE_US: Form<u64> = Form::new("a duration", schema::duration, |node, report| {
    values::positive_duration(node, report).map(|duration| duration.as_micros() as u64)
});
pub(crate) const COLUMN: Form<String> =
    Form::parsed("a column", schema::column, "a column's name", aggregate::column);
/// A component's own settings.
pub(crate) const PLAIN_SETTINGS: Form<std::collections::BTreeMap<String, String>> =
    Form::new("a table of strings, numbers and booleans", schema::plain_settings, values::plain_settings);
