//! What the keys of a forecast take.

use serde_json::json;

use super::Holidays;
use crate::error::{Problem, Report};
use crate::forms::{Form, Integer, TEXTS, Takes};
use crate::node::{Node, Value};
use crate::{names, schema_pieces as schema, units, values};

/// Tables of the lake that hold series.
const ROOTS: [&str; 3] = ["serving", "prophet_input", "batch"];
/// Longest average, in rows.
const LONGEST: i64 = 100_000;
/// Days around a holiday.
const WINDOW: Integer = Integer(0, 366);

pub(super) const SERIES: Form<String> = Form::parsed(
    "`\"serving/NAME\"`, `\"prophet_input/NAME\"` or `\"batch/NAME\"`",
    || schema::matching("(?:serving|prophet_input|batch)/[a-z0-9_-]{1,64}"),
    "a table",
    table,
);
pub(super) const SYMBOLS: Form<Vec<String>> = Form::new(
    "a list of symbols",
    || schema::set(schema::text()),
    |node, report| {
        let symbols = TEXTS.read(node, report)?;
        names::unique(node, &symbols, report);
        if symbols.is_empty() { report.refuse(node, "name at least one") } else { Some(symbols) }
    },
);
pub(super) const GRID: Form<Vec<(String, Vec<String>)>> = Form::new(
    "a table of lists",
    || schema::map(schema::set(json!({ "type": ["string", "number", "boolean"] }))),
    |node, report| {
        values::entries(node, report, |entry, report| {
            let items = values::list(&entry.node, "a list of values", report)?;
            let values: Vec<String> = values::items(items, report, scalar)?;
            names::unique(&entry.node, &values, report);
            if values.is_empty() {
                return report.refuse(&entry.node, "list at least one value");
            }
            Some((entry.key.clone(), values))
        })
    },
);
pub(super) const AVERAGES: Form<Vec<usize>> = Form::new(
    "a list of numbers of rows",
    || schema::list(schema::integer(1..=LONGEST)),
    |node, report| {
        let items = values::list(node, "a list of numbers of rows", report)?;
        let lengths: Vec<usize> =
            values::items(items, report, |item, report| Integer(1, LONGEST).read(item, report))?;
        let shown: Vec<String> = lengths.iter().map(usize::to_string).collect();
        names::unique(node, &shown, report).then_some(lengths)
    },
);
pub(super) const HOLIDAYS: Form<Vec<Holidays>> = Form::new(
    "a table of name = { days = [\"2024-04-20\"], before = 7, after = 7 }",
    || {
        let days = schema::integer(0..=366);
        schema::map(json!({
            "type": "object",
            "properties": { "days": schema::set(schema::text()), "before": days, "after": days },
            "required": ["days"],
            "additionalProperties": false,
        }))
    },
    |node, report| {
        values::entries(node, report, |entry, report| {
            let name = values::table(&entry.node, report).map(|_| entry.key.clone())?;
            holidays(name, &entry.node, report)
        })
    },
);
pub(super) const LEVEL: Form<f64> = Form::new(
    "a number between 0 and 1",
    || schema::or_variable(json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 })),
    |node, report| {
        let level = match &node.value {
            Value::Float(level) => *level,
            Value::Text(text) if text.expanded => text.text.trim().parse().unwrap_or(f64::NAN),
            _ => return values::wrong_type(node, "a number between 0 and 1", report),
        };
        match level > 0.0 && level < 1.0 {
            true => Some(level),
            false => report.refuse(node, "a number between 0 and 1 is needed, like 0.8"),
        }
    },
);
pub(super) const BOUND: Form<f64> = Form::new(
    "a number",
    || schema::or_variable(json!({ "type": "number" })),
    |node, report| match &node.value {
        Value::Float(bound) => Some(*bound),
        Value::Integer(bound) => Some(*bound as f64),
        Value::Text(text) if text.expanded => match text.text.trim().parse::<f64>() {
            Ok(bound) if bound.is_finite() => Some(bound),
            _ => report.refuse(node, "a number is needed, like 100000"),
        },
        _ => values::wrong_type(node, "a number", report),
    },
);

fn table(text: &str) -> Result<String, Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    match text.split_once('/') {
        Some((root, name))
            if ROOTS.contains(&root) && !name.is_empty() && name.len() <= 64 && name.chars().all(plain) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("write it as serving/NAME, prophet_input/NAME or batch/NAME".into()),
    }
}

fn scalar(node: &Node, report: &mut Report) -> Option<String> {
    match &node.value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(yes) => Some(yes.to_string()),
        _ => values::text(node, report),
    }
}

fn holidays(name: String, node: &Node, report: &mut Report) -> Option<Holidays> {
    const KEYS: [&str; 3] = ["days", "before", "after"];
    let (mut days_us, mut before, mut after) = (Vec::new(), Some(0), Some(0));
    for entry in &values::table(node, report)?.entries {
        match entry.key.as_str() {
            "days" => days_us = days(&entry.node, report)?,
            "before" => before = WINDOW.read(&entry.node, report),
            "after" => after = WINDOW.read(&entry.node, report),
            other => {
                let problem = format!("unknown key; {}", crate::error::suggestion(other, &KEYS));
                report.add(entry.key_place, &entry.node.path, problem);
                return None;
            }
        }
    }
    if days_us.is_empty() {
        return report
            .refuse(node, format!("`days` is missing: the days of `{name}`, like [\"2024-04-20\"]"));
    }
    Some(Holidays { name, days_us, before: before?, after: after? })
}

fn days(node: &Node, report: &mut Report) -> Option<Vec<i64>> {
    let items = values::list(node, "a list of days", report)?;
    let day = |item: &Node, report: &mut Report| {
        values::parsed(item, "a day like \"2024-04-20\"", report, units::moment_us)
    };
    let mut days: Vec<i64> = values::items(items, report, day)?;
    days.sort_unstable();
    days.dedup();
    Some(days)
}
