//! A JSON schema of the tables that are ours, for editors: `docs/manifest.schema.json`. What it refuses the reader refuses.
//! What depends on other tables, and much of what strings hold, only the reader knows.

use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::node::{self, Node};
use crate::pipeline::Pipeline;
use crate::schema_pieces::list;
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
    /// The schema of its value, with all that the reference says.
    fn described(&self) -> Value {
        let mut schema = self.schema.clone();
        let mut text = format!("{}\n\nTakes {}.", self.meaning, self.words);
        match self.absence {
            Absence::Mistake => text.push_str(" Required."),
            Absence::Means(meaning) => text = format!("{text} If absent: {meaning}."),
            Absence::Is(value) => {
                if let Some(value) = toml::value("", value).ok().and_then(|node| in_json(&node)) {
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
