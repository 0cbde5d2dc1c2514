//! JSON schemas of values, as keys use them.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::aggregate;

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
