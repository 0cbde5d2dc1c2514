//! Settings that are passed on to a client library under its own names.

use std::collections::BTreeMap;

use crate::error::Report;
use crate::forms::Form;
use crate::node::{Node, Value};
use crate::secret::Setting;
use crate::{schema_pieces, values};

/// Options of an object store.
pub(crate) const STORE_OPTIONS: Form<BTreeMap<String, Setting>> = Form::new(
    "a table of object-store options",
    || schema_pieces::settings(&[]),
    |node, report| read(node, &[], report),
);

/// Settings under a library's own names, as strings. Dotted keys that TOML made tables of
/// (`security.protocol = "SSL"`) are put together again. `refused` names those that may not be set, with why.
pub(crate) fn read(
    node: &Node,
    refused: &[(&str, &str)],
    report: &mut Report,
) -> Option<BTreeMap<String, Setting>> {
    let mut settings = BTreeMap::new();
    let mut open: Vec<(String, &Node)> = vec![(String::new(), node)];
    while let Some((prefix, node)) = open.pop() {
        for entry in &values::table(node, report)?.entries {
            let name = format!("{prefix}{}", entry.key);
            if matches!(entry.node.value, Value::Table(_)) {
                open.push((format!("{name}."), &entry.node));
                continue;
            }
            if let Some((_, why)) = refused.iter().find(|(refused, _)| *refused == name) {
                report.add(entry.key_place, &entry.node.path, format!("`{name}` cannot be set: {why}"));
            }
            let Some(setting) = setting(&name, &entry.node, report) else { continue };
            if settings.insert(name.clone(), setting).is_some() {
                report.add(entry.key_place, &entry.node.path, format!("`{name}` is given twice"));
            }
        }
    }
    Some(settings)
}

fn setting(name: &str, node: &Node, report: &mut Report) -> Option<Setting> {
    let (value, secret) = match &node.value {
        Value::Text(text) => (text.text.clone(), text.secret),
        Value::Integer(number) => (number.to_string(), false),
        Value::Float(number) => (number.to_string(), false),
        Value::Boolean(yes) => (yes.to_string(), false),
        _ => {
            return values::wrong_type(node, "a string, a number or a boolean", report);
        }
    };
    let setting = Setting::new(name, value, secret);
    if let Setting::Secret(secret) = &setting {
        report.secrets.learn(secret.expose());
    }
    Some(setting)
}
