//! Typed values out of the tree. Each function reports what is wrong and gives `None`, so that reading continues
//! and every mistake is found in one go.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::{Problem, Report, quoted};
use crate::node::{Entry, Node, Table, Text, Value};
use crate::secret::Secret;
use crate::units;

/// Reports a value of another type than `wanted`; one that was broken before is reported by then.
pub(crate) fn wrong_type<T>(node: &Node, wanted: &str, report: &mut Report) -> Option<T> {
    if !matches!(node.value, Value::Broken) {
        report.at(node, format!("this is {}, but {wanted} is needed", node.what()));
    }
    None
}

pub(crate) fn table<'a>(node: &'a Node, report: &mut Report) -> Option<&'a Table> {
    node.as_table().or_else(|| wrong_type(node, "a table", report))
}

pub(crate) fn list<'a>(node: &'a Node, wanted: &str, report: &mut Report) -> Option<&'a [Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        _ => wrong_type(node, wanted, report),
    }
}

/// A string that may be shown: one with a secret in it is refused.
pub(crate) fn shown_text<'a>(node: &'a Node, wanted: &str, report: &mut Report) -> Option<&'a Text> {
    match &node.value {
        Value::Text(text) if text.secret => {
            report.refuse(
                node,
                "a secret variable cannot be used here, where its value would be shown; secrets go into \
                 [application.trigger.kafka.client], [application.trigger.kafka.lake-options], `token` beside \
                 `remote`, and `token` and `password` of [trigger.kafka.windows.influxdb]",
            )
        }
        Value::Text(text) => Some(text),
        _ => {
            wrong_type(node, wanted, report)
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
        _ => wrong_type(node, "a string", report),
    }
}

pub(crate) fn parsed<T>(
    node: &Node,
    wanted: &str,
    report: &mut Report,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
) -> Option<T> {
    let text = shown_text(node, wanted, report)?;
    parse(&text.text).map_err(|problem| report.at(node, format!("{}: {problem}", text.shown()))).ok()
}

pub(crate) fn texts(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    items(list(node, "a list of strings", report)?, report, text)
}

/// A string or a list of them.
pub(crate) fn one_or_more(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    match node.value {
        Value::List(_) => texts(node, report),
        _ => Some(vec![text(node, report)?]),
    }
}

pub(crate) fn boolean(node: &Node, report: &mut Report) -> Option<bool> {
    match &node.value {
        Value::Boolean(yes) => Some(*yes),
        Value::Text(text) if text.expanded => parsed(node, "true or false", report, |text| {
            text.trim().parse().map_err(|_| "this must be true or false".into())
        }),
        _ => wrong_type(node, "true or false", report),
    }
}

pub(crate) fn integer(node: &Node, within: RangeInclusive<i64>, report: &mut Report) -> Option<i64> {
    let number = match &node.value {
        Value::Integer(number) => *number,
        Value::Text(text) if text.expanded => parsed(node, "an integer", report, |text| {
            text.trim().parse().map_err(|_| "this must be an integer".into())
        })?,
        _ => {
            return wrong_type(node, "an integer", report);
        }
    };
    if !within.contains(&number) {
        let (from, to) = within.into_inner();
        let range = if to == i64::MAX { format!("at least {from}") } else { format!("{from} to {to}") };
        return report.refuse(node, format!("{number} is out of range; it must be {range}"));
    }
    Some(number)
}

pub(crate) fn duration(node: &Node, report: &mut Report) -> Option<Duration> {
    parsed(node, "a duration like \"2s\"", report, units::duration)
}

pub(crate) fn positive_duration(node: &Node, report: &mut Report) -> Option<Duration> {
    let duration = duration(node, report)?;
    if duration.is_zero() {
        return report.refuse(node, "this must be longer than zero");
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
        return report.refuse(node, format!("a size from {from} to {to} is needed"));
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
            .ok_or_else(|| format!("one of {} is needed", quoted(&names)).into())
    })
}

/// A component's own settings, as strings.
pub(crate) fn plain_settings(node: &Node, report: &mut Report) -> Option<BTreeMap<String, String>> {
    entries(node, report, |entry, report| {
        let value = match &entry.node.value {
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(yes) => yes.to_string(),
            _ => text(&entry.node, report)?,
        };
        Some((entry.key.clone(), value))
    })
}

/// What all items of a list are.
pub(crate) fn items<T, C: FromIterator<T>>(
    items: &[Node],
    report: &mut Report,
    mut read: impl FnMut(&Node, &mut Report) -> Option<T>,
) -> Option<C> {
    let items: Vec<_> = items.iter().map(|item| read(item, report)).collect();
    items.into_iter().collect()
}

/// What all entries of a table are.
pub(crate) fn entries<T, C: FromIterator<T>>(
    node: &Node,
    report: &mut Report,
    mut read: impl FnMut(&Entry, &mut Report) -> Option<T>,
) -> Option<C> {
    let entries: Vec<_> = table(node, report)?.entries.iter().map(|entry| read(entry, report)).collect();
    entries.into_iter().collect()
}
