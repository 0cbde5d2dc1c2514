//! Typed values out of the tree. Each function reports what is wrong and gives None, so that reading goes on
//! and every mistake is found in one go.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::{Report, quoted, suggestion};
use crate::node::{Node, Table, Text, Value};
use crate::schema::{self, Fallback};
use crate::secret::{Secret, Setting};
use crate::{toml, units};

/// One table of the manifest, read by its schema.
pub(crate) struct Reader<'a> {
    node: &'a Node,
    table: &'a Table,
    schema: &'static schema::Table,
}

impl<'a> Reader<'a> {
    /// Reports the keys that the schema does not know.
    pub fn open(node: &'a Node, schema: &'static schema::Table, report: &mut Report) -> Option<Self> {
        let table = table(node, report)?;
        for entry in &table.entries {
            if schema.keys.iter().any(|key| key.name == entry.key) {
                continue;
            }
            let problem = match schema.refused.iter().find(|(key, _)| *key == entry.key) {
                Some((_, why)) => (*why).to_owned(),
                None => format!("unknown key; {}", suggestion(&entry.key, &schema.key_names())),
            };
            report.add(entry.key_place, &entry.node.path, problem);
        }
        Some(Self { node, table, schema })
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// A key that is written or has a default. Reports it missing otherwise.
    pub fn required<T>(
        &self,
        key: &str,
        report: &mut Report,
        read: impl FnOnce(&Node, &mut Report) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(node) => read(&node, report),
            None => {
                let takes = self.schema.key(key).map_or("", |key| key.takes);
                report.at(self.node, format!("`{key}` is missing; it takes {takes}"));
                None
            }
        }
    }

    /// A key that may be absent: `Some(None)` then.
    pub fn optional<T>(
        &self,
        key: &str,
        report: &mut Report,
        read: impl FnOnce(&Node, &mut Report) -> Option<T>,
    ) -> Option<Option<T>> {
        self.get(key).map_or(Some(None), |node| read(&node, report).map(Some))
    }

    /// Which one of several keys is written. Reports none and several.
    pub fn exactly_one(
        &self,
        keys: &[&'static str],
        report: &mut Report,
    ) -> Option<(&'static str, &'a Node)> {
        let written: Vec<_> =
            keys.iter().filter_map(|key| self.table.get(key).map(|node| (*key, node))).collect();
        match written[..] {
            [one] => Some(one),
            [] => {
                report.at(self.node, format!("one of {} is missing", quoted(keys)));
                None
            }
            [_, (_, second), ..] => {
                report.at(second, format!("only one of {} can be given", quoted(keys)));
                None
            }
        }
    }

    /// The reader of a table inside this one; an absent one is read as an empty one, so that defaults hold.
    pub fn inner(
        &self,
        key: &str,
        schema: &'static schema::Table,
        report: &mut Report,
    ) -> Option<Reader<'a>> {
        static EMPTY: Node =
            Node { place: None, path: String::new(), value: Value::Table(Table { entries: Vec::new() }) };
        Reader::open(self.table.get(key).unwrap_or(&EMPTY), schema, report)
    }

    fn get(&self, key: &str) -> Option<Cow<'a, Node>> {
        debug_assert!(self.schema.key(key).is_some(), "{} has no `{key}`", self.schema.header);
        if let Some(node) = self.table.get(key) {
            return Some(Cow::Borrowed(node));
        }
        match self.schema.key(key)?.default {
            Fallback::Is(text) => toml::value(&format!("{}.{key}", self.node.path), text).map(Cow::Owned),
            Fallback::Required | Fallback::Absent(_) => None,
        }
    }
}

fn wrong_type(node: &Node, wanted: &str, report: &mut Report) {
    if !matches!(node.value, Value::Broken) {
        report.at(node, format!("this is {}, but {wanted} is needed", node.what()));
    }
}

pub(crate) fn table<'a>(node: &'a Node, report: &mut Report) -> Option<&'a Table> {
    if node.as_table().is_none() {
        wrong_type(node, "a table", report);
    }
    node.as_table()
}

pub(crate) fn list<'a>(node: &'a Node, wanted: &str, report: &mut Report) -> Option<&'a [Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        _ => {
            wrong_type(node, wanted, report);
            None
        }
    }
}

/// A string that may be shown: one with a secret in it is refused.
pub(crate) fn shown_text<'a>(node: &'a Node, wanted: &str, report: &mut Report) -> Option<&'a Text> {
    match &node.value {
        Value::Text(text) if text.secret => {
            report.at(
                node,
                "a secret variable cannot be used here, where its value would be shown; secrets go into \
                 [application.trigger.kafka.client], [application.trigger.kafka.lake-options] and `token` beside \
                 `remote`",
            );
            None
        }
        Value::Text(text) => Some(text),
        _ => {
            wrong_type(node, wanted, report);
            None
        }
    }
}

pub(crate) fn text(node: &Node, report: &mut Report) -> Option<String> {
    shown_text(node, "a string", report).map(|text| text.text.clone())
}

/// A string that is never shown: it may come from a secret variable.
pub(crate) fn secret(node: &Node, report: &mut Report) -> Option<Secret> {
    match &node.value {
        Value::Text(text) => {
            report.secrets.learn(&text.text);
            Some(Secret::new(text.text.clone()))
        }
        _ => {
            wrong_type(node, "a string", report);
            None
        }
    }
}

pub(crate) fn parsed<T>(
    node: &Node,
    wanted: &str,
    report: &mut Report,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let text = shown_text(node, wanted, report)?;
    parse(&text.text).map_err(|problem| report.at(node, format!("{}: {problem}", text.shown()))).ok()
}

pub(crate) fn texts(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    let items = list(node, "a list of strings", report)?;
    let texts: Vec<_> = items.iter().map(|item| text(item, report)).collect();
    texts.into_iter().collect()
}

pub(crate) fn boolean(node: &Node, report: &mut Report) -> Option<bool> {
    match &node.value {
        Value::Boolean(yes) => Some(*yes),
        Value::Text(text) if text.expanded => parsed(node, "true or false", report, |text| {
            text.trim().parse().map_err(|_| "this must be true or false".to_owned())
        }),
        _ => {
            wrong_type(node, "true or false", report);
            None
        }
    }
}

pub(crate) fn integer(node: &Node, within: RangeInclusive<i64>, report: &mut Report) -> Option<i64> {
    let number = match &node.value {
        Value::Integer(number) => *number,
        Value::Text(text) if text.expanded => parsed(node, "an integer", report, |text| {
            text.trim().parse().map_err(|_| "this must be an integer".to_owned())
        })?,
        _ => {
            wrong_type(node, "an integer", report);
            return None;
        }
    };
    if !within.contains(&number) {
        let (from, to) = within.into_inner();
        let range = if to == i64::MAX { format!("at least {from}") } else { format!("{from} to {to}") };
        report.at(node, format!("{number} is out of range; it must be {range}"));
        return None;
    }
    Some(number)
}

pub(crate) fn duration(node: &Node, report: &mut Report) -> Option<Duration> {
    parsed(node, "a duration like \"2s\"", report, units::duration)
}

/// A duration of event time, in microseconds.
pub(crate) fn duration_us(node: &Node, report: &mut Report) -> Option<i64> {
    duration(node, report).map(|duration| duration.as_micros() as i64)
}

pub(crate) fn positive_duration(node: &Node, report: &mut Report) -> Option<Duration> {
    let duration = duration(node, report)?;
    if duration.is_zero() {
        report.at(node, "this must be longer than zero");
        return None;
    }
    Some(duration)
}

/// A size in bytes, as an integer or with a unit.
pub(crate) fn bytes(node: &Node, within: RangeInclusive<u64>, report: &mut Report) -> Option<u64> {
    let bytes = match &node.value {
        Value::Integer(number) => u64::try_from(*number).unwrap_or(0),
        _ => parsed(node, "a size like \"64MiB\"", report, units::bytes)?,
    };
    if !within.contains(&bytes) {
        let (from, to) = (units::show_bytes(*within.start()), units::show_bytes(*within.end()));
        report.at(node, format!("a size from {from} to {to} is needed"));
        return None;
    }
    Some(bytes)
}

pub(crate) fn choice<T: Copy>(node: &Node, choices: &[(&str, T)], report: &mut Report) -> Option<T> {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    parsed(node, &format!("one of {}", quoted(&names)), report, |text| {
        choices
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, choice)| *choice)
            .ok_or_else(|| format!("one of {} is needed", quoted(&names)))
    })
}

/// Settings under names of somebody else's choosing, as strings. Dotted keys that TOML made tables of
/// (`security.protocol = "SSL"`) are put together again. `refused` names those that may not be set, with why.
pub(crate) fn settings(
    node: &Node,
    refused: &[(&str, &str)],
    report: &mut Report,
) -> Option<BTreeMap<String, Setting>> {
    let mut settings = BTreeMap::new();
    let mut open: Vec<(String, &Node)> = vec![(String::new(), node)];
    while let Some((prefix, node)) = open.pop() {
        for entry in &table(node, report)?.entries {
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
            wrong_type(node, "a string, a number or a boolean", report);
            return None;
        }
    };
    let setting = Setting::new(name, value, secret);
    if let Setting::Secret(secret) = &setting {
        report.secrets.learn(secret.expose());
    }
    Some(setting)
}
