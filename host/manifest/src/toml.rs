//! TOML text into the tree of values.

use std::ops::Range;

use toml_edit::{Document, Item, Key, TableLike};

use crate::error::{Problem, Report};
use crate::node::{Entry, Node, Place, Table, Value};

/// The whole manifest as one table; None, with the reason reported, if it is not TOML.
pub(crate) fn read(text: &str, report: &mut Report) -> Option<Node> {
    let places = Places::of(text);
    match Document::parse(text) {
        Ok(document) => Some(places.table("", None, document.as_table())),
        Err(error) => {
            let place = error.span().map(|span| places.at(span.start));
            report.add(place, "", not_toml(&error));
            None
        }
    }
}

struct Places<'a> {
    text: &'a str,
    /// Byte offset of each line's start.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    fn of(text: &'a str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(after_breaks).collect() }
    }

    fn at(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        Place { line, column: before.chars().count() + 1 }
    }

    fn span(&self, span: Option<Range<usize>>) -> Option<Place> {
        span.map(|span| self.at(span.start))
    }

    fn item(&self, path: &str, key_place: Option<Place>, item: &Item) -> Option<Node> {
        match item {
            Item::None => None,
            Item::Value(value) => Some(self.value(path, key_place, value)),
            Item::Table(table) => Some(self.table(path, key_place, table)),
            Item::ArrayOfTables(tables) => {
                let items = tables.iter().enumerate().map(|(index, table)| {
                    let label = label(index, table.get("id").or(table.get("name")).and_then(Item::as_str));
                    self.table(&format!("{path}[{label}]"), key_place, table)
                });
                Some(Node {
                    place: self.span(tables.span()).or(key_place),
                    path: path.to_owned(),
                    value: Value::List(items.collect()),
                })
            }
        }
    }

    fn table(&self, path: &str, key_place: Option<Place>, table: &toml_edit::Table) -> Node {
        let place = self.span(table.span()).or(key_place);
        Node { place, path: path.to_owned(), value: self.entries(path, place, table) }
    }

    fn entries(&self, path: &str, place: Option<Place>, table: &dyn TableLike) -> Value {
        let entries = table.iter().filter_map(|(key, item)| {
            let key_place = self.span(table.key(key).and_then(Key::span)).or(place);
            let node = self.item(&join(path, key), key_place, item)?;
            Some(Entry { key: key.to_owned(), key_place, node })
        });
        Value::Table(Table { entries: entries.collect() })
    }

    fn value(&self, path: &str, key_place: Option<Place>, value: &toml_edit::Value) -> Node {
        let place = self.span(value.span()).or(key_place);
        let value = match value {
            toml_edit::Value::String(text) => Value::text(text.value()),
            toml_edit::Value::Integer(number) => Value::Integer(*number.value()),
            toml_edit::Value::Float(number) => Value::Float(*number.value()),
            toml_edit::Value::Boolean(yes) => Value::Boolean(*yes.value()),
            toml_edit::Value::Datetime(_) => Value::Datetime,
            toml_edit::Value::InlineTable(table) => self.entries(path, place, table),
            toml_edit::Value::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    let name = item.as_inline_table().and_then(|table| table.get("id").or(table.get("name")));
                    let label = label(index, name.and_then(toml_edit::Value::as_str));
                    self.value(&format!("{path}[{label}]"), place, item)
                });
                Value::List(items.collect())
            }
        };
        Node { place, path: path.to_owned(), value }
    }
}

/// The path of a key in a table.
pub fn join(path: &str, key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let key = if !key.is_empty() && key.chars().all(plain) { key.to_owned() } else { format!("{key:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// An element of a list goes by its name, or else by its position from 1.
pub(crate) fn label(index: usize, name: Option<&str>) -> String {
    match name {
        Some(name) if !name.is_empty() && name.len() <= 64 && !name.contains(char::is_control) => {
            name.to_owned()
        }
        _ => format!("#{}", index + 1),
    }
}

/// A single value that is in no file: a default, or a part of the command line.
///
/// # Errors
/// Why it is not TOML.
pub(crate) fn value(path: &str, text: &str) -> Result<Node, Problem> {
    let value: toml_edit::Value = text.parse().map_err(|error| not_toml(&error))?;
    Ok(Places::of("").value(path, None, &value))
}

/// The source line is left out: there may be a password on it.
fn not_toml(error: &toml_edit::TomlError) -> String {
    format!("this is not TOML: {}", error.message().replace('\n', ", "))
}
