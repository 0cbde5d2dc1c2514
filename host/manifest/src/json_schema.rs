//! A JSON schema of the tables that are ours, for editors: `docs/manifest.schema.json`. What it refuses the reader refuses.
//! What depends on other tables, and much of what strings hold, only the reader knows.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use crate::aggregate;
use crate::cluster::Cluster;
use crate::node::{self, Node};
use crate::pipeline::Pipeline;
use crate::table::{Absence, Key, Rule, Table};
use crate::toml;

/// The schema of a whole manifest, as a text that ends with a line's end. Spin's own parts are left open.
pub fn json_schema() -> String {
    let mut cluster = Cluster::declaration().schema();
    // The command line may give what is required here.
    cluster.as_object_mut().map(|cluster| cluster.remove("required"));
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Spin manifest with Tallow's pipelines",
        "$comment": "Made from host/manifest/src: cargo run --release -p tallow-manifest --example reference schema",
        "type": "object",
        "properties": {
            "application": inside("trigger", inside("kafka", cluster)),
            "trigger": inside("kafka", list(Pipeline::declaration().schema())),
        },
    });
    format!("{schema:#}\n")
}

/// A table of which one key is ours.
fn inside(key: &str, schema: Value) -> Value {
    json!({ "type": "object", "properties": { key: schema } })
}

impl Table {
    pub fn schema(&self) -> Value {
        let properties: Map<String, Value> =
            self.keys.iter().map(|key| (key.name.to_owned(), key.described())).collect();
        let required = self.keys.iter().filter(|key| matches!(key.absence, Absence::Mistake));
        let mut schema = json!({
            "type": "object",
            "description": self.about,
            "properties": properties,
            "required": required.map(|key| key.name).collect::<Vec<_>>(),
            "additionalProperties": false,
        });
        let rules: Vec<Value> = self.rules.iter().map(Rule::schema).collect();
        if !rules.is_empty() {
            schema["allOf"] = rules.into();
        }
        schema
    }
}

impl Key {
    /// The schema of its value, with all that a reader of the reference is told.
    fn described(&self) -> Value {
        let mut schema = self.schema.clone();
        let mut text = format!("{}\n\nTakes {}.", self.meaning, self.words);
        match self.absence {
            Absence::Mistake => text.push_str(" Required."),
            Absence::Means(meaning) => text = format!("{text} If absent: {meaning}."),
            Absence::Is(value) => {
                if let Some(value) = toml::value("", value).and_then(|node| in_json(&node)) {
                    schema["default"] = value;
                }
            }
        }
        schema["description"] = text.into();
        schema
    }
}

impl Rule {
    fn schema(&self) -> Value {
        let each = |keys: &[&str]| keys.iter().map(|key| json!({ "required": [key] })).collect::<Value>();
        match self {
            Self::ExactlyOne(keys) => json!({ "oneOf": each(keys) }),
            Self::AtLeastOne(keys, _) => json!({ "anyOf": each(keys) }),
            Self::NotBoth(one, other) => json!({ "not": { "required": [one, other] } }),
        }
    }
}

/// A default; none for what JSON has no value for.
fn in_json(node: &Node) -> Option<Value> {
    match &node.value {
        node::Value::Text(text) => Some(text.text.clone().into()),
        node::Value::Integer(number) => Some((*number).into()),
        node::Value::Float(number) => Some((*number).into()),
        node::Value::Boolean(yes) => Some((*yes).into()),
        node::Value::Datetime | node::Value::Broken => None,
        node::Value::List(items) => items.iter().map(in_json).collect(),
        node::Value::Table(table) => {
            table.entries.iter().map(|entry| Some((entry.key.clone(), in_json(&entry.node)?))).collect()
        }
    }
}

pub(crate) fn text() -> Value {
    json!({ "type": "string" })
}

pub(crate) fn integer(range: RangeInclusive<i64>) -> Value {
    let mut schema = json!({ "type": "integer", "minimum": range.start() });
    if *range.end() < i64::MAX {
        schema["maximum"] = (*range.end()).into();
    }
    schema
}

/// A string that a pattern matches as a whole, or one with a variable in it.
pub(crate) fn matching(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!(r"^(?:{pattern})$|\{{\{{") })
}

/// What is not a string may come from a variable, too.
pub(crate) fn or_variable(schema: Value) -> Value {
    either([schema, json!({ "type": "string", "pattern": r"\{\{.*\}\}" })])
}

pub(crate) fn either<const N: usize>(schemas: [Value; N]) -> Value {
    json!({ "anyOf": schemas.to_vec() })
}

pub(crate) fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// A string or a list of them.
pub(crate) fn one_or_more() -> Value {
    either([text(), list(text())])
}

/// A list of at least one, each different.
pub(crate) fn set(items: Value) -> Value {
    json!({ "type": "array", "items": items, "minItems": 1, "uniqueItems": true })
}

/// A table of keys of the user's choosing.
pub(crate) fn map(values: Value) -> Value {
    json!({ "type": "object", "additionalProperties": values })
}

pub(crate) fn duration() -> Value {
    matching(&format!("0|{DURATION}"))
}

pub(crate) fn signed_duration() -> Value {
    matching(&format!("-?(?:0|{DURATION})"))
}

/// As humantime reads them, months and years left out.
const DURATION: &str = r"(?:\s*[0-9]+\s*(?:us|usec|µs|ms|msec|millis|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wk|wks|weeks?))+\s*";

pub(crate) fn column() -> Value {
    matching("[A-Za-z_][A-Za-z0-9_.-]{0,127}")
}

/// Columns, each with what it is made of.
pub(crate) fn aggregates() -> Value {
    let operations: Vec<&str> = aggregate::names().collect();
    let mut schema = map(matching(&format!(r"\s*(?:{})\s*\([^()]*\)\s*", operations.join("|"))));
    schema["propertyNames"] = column();
    schema["minProperties"] = 1.into();
    schema
}

/// Trailing averages, each with its column and length.
pub(crate) fn averages() -> Value {
    let mut schema = map(matching(r"\s*mean\s*\([^(),]+,\s*[0-9]+\s*\)\s*"));
    schema["propertyNames"] = column();
    schema
}

/// Settings of a component.
pub(crate) fn plain_settings() -> Value {
    map(json!({ "type": ["string", "number", "boolean"] }))
}

/// Settings under dotted names, of which TOML may make tables in tables; the names that are refused, in both ways.
pub(crate) fn settings(refused: &[(&str, &str)]) -> Value {
    let mut schema = map(json!({ "type": ["string", "number", "boolean", "object"] }));
    if !refused.is_empty() {
        let names: Vec<&str> = refused.iter().map(|(name, _)| *name).collect();
        schema["propertyNames"] = json!({ "not": { "enum": names } });
        schema["not"] = json!({ "anyOf": names.iter().map(|name| dotted(name)).collect::<Vec<_>>() });
    }
    schema
}

/// A table that has a name with dots in it, unquoted.
fn dotted(name: &str) -> Value {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let mut schema = json!({ "type": "object", "required": [first] });
    if let Some(rest) = rest {
        schema["properties"] = json!({ first: dotted(rest) });
    }
    schema
}
