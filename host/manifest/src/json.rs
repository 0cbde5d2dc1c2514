//! JSON into the tree of values.

use serde_json::Value as Json;

use crate::error::Report;
use crate::node::{Entry, Node, Table, Value};
use crate::toml::{join, label};

/// A table that no text holds.
pub(crate) fn table<'a>(path: &str, entries: impl IntoIterator<Item = (&'a str, Value)>) -> Node {
    let entries = entries.into_iter().map(|(key, value)| Entry {
        key: key.to_owned(),
        key_place: None,
        node: Node { place: None, path: join(path, key), value },
    });
    let value = Value::Table(Table { entries: entries.collect() });
    Node { place: None, path: path.to_owned(), value }
}

pub(crate) fn node(path: &str, json: &Json, report: &mut Report) -> Node {
    Node { place: None, path: path.to_owned(), value: value(path, json, report) }
}

pub(crate) fn value(path: &str, json: &Json, report: &mut Report) -> Value {
    match json {
        Json::String(it) => Value::text(it),
        Json::Bool(yes) => Value::Boolean(*yes),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Integer(number),
            (None, Some(number)) => Value::Float(number),
            (None, None) => broken(path, report),
        },
        // What TOML calls `nan` and `inf`.
        Json::Null => broken(path, report),
        Json::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| {
                let name = item.get("id").or(item.get("name")).and_then(Json::as_str);
                node(&format!("{path}[{}]", label(index, name)), item, report)
            });
            Value::List(items.collect())
        }
        Json::Object(map) => {
            let entries = map.iter().map(|(key, json)| Entry {
                key: key.clone(),
                key_place: None,
                node: node(&join(path, key), json, report),
            });
            Value::Table(Table { entries: entries.collect() })
        }
    }
}

fn broken(path: &str, report: &mut Report) -> Value {
    report.add(None, path, "this is not a number that can be used");
    Value::Broken
}
