//! `[[trigger.kafka.windows]]`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aggregate::{self, Aggregate};
use crate::error::Report;
use crate::node::{Node, Value};
use crate::reader::{self, Reader};
use crate::{names, remote, schema, units};

/// A window of a pipeline: what the window contract calls a spec, and the component that computes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub name: String,
    /// The window component's name.
    pub function: String,
    /// Kinds of rows that it takes; at least one.
    pub kinds: Vec<String>,
    pub shape: Shape,
    /// Shift of the windows against 1970-01-01 00:00 UTC, in microseconds.
    pub offset_us: i64,
    /// Text columns that make the key.
    pub keys: Vec<String>,
    /// Timestamp column of the event time.
    pub time: String,
    pub ids: Option<IdColumns>,
    /// Not part of what the state depends on, no more than the next.
    #[serde(skip)]
    pub on_untracked: OnUntracked,
    /// How long the ids of a key are kept after its newest window closed, in microseconds of event time.
    #[serde(skip)]
    pub keep_ids_us: u64,
    /// In the order in which they are written; at least one.
    pub aggregates: Vec<Aggregate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    Tumbling { size_us: u64 },
    Sliding { size_us: u64, slide_us: u64 },
    Session { gap_us: u64 },
}

/// Columns of a row's id: equal where a row has one id, different where it stands for a range of ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdColumns {
    pub first: String,
    pub last: String,
}

/// What is done where more scattered ids are to be kept than there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUntracked {
    /// Rows whose ids are not known any more are taken in and counted.
    #[default]
    Count,
    /// The pipeline stops before that.
    Halt,
}

/// Columns that every candle has, or that its folder's name gives it.
const RESERVED: [&str; 8] =
    ["window_start", "window_end", "first_id", "last_id", "missing", "complete", "revision", "date"];

/// A sliding window is kept as panes of the greatest common divisor of its size and slide.
const MOST_PANES: u64 = 10_000;

impl Window {
    /// Every column of the parsed rows that the window reads.
    pub fn columns(&self) -> BTreeSet<&str> {
        let ids = self.ids.iter().flat_map(|ids| [&ids.first, &ids.last]);
        let aggregates = self.aggregates.iter().flat_map(|a| a.column.iter().chain(&a.by));
        let columns = self.keys.iter().chain([&self.time]).chain(ids).chain(aggregates);
        columns.map(String::as_str).collect()
    }

    /// Every column of its candles.
    pub(crate) fn output_columns(&self) -> Vec<&str> {
        let of_ids: &[&str] =
            if self.ids.is_some() { &["first_id", "last_id", "missing", "complete"] } else { &[] };
        let own = ["window_start", "window_end", "revision"].iter().chain(of_ids).copied();
        let named = self.keys.iter().chain(self.aggregates.iter().map(|aggregate| &aggregate.name));
        own.chain(named.map(String::as_str)).collect()
    }

    pub(crate) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let reader = Reader::open(node, &schema::WINDOW, report)?;
        let name = reader.required("name", report, names::window);
        let function = reader.required("function", report, remote::read_function);
        let kinds = reader.required("kinds", report, read_kinds);
        let shape = read_shape(&reader, report);
        let offset_us = reader.required("offset", report, |node, report| read_offset(node, shape, report));
        let keys = reader.required("keys", report, read_keys);
        let time = reader.required("time", report, column);
        let ids = reader.optional("ids", report, read_ids);
        let on_untracked = reader.required("on-untracked", report, read_on_untracked);
        let keep_ids = reader.required("keep-ids", report, reader::positive_duration);
        let aggregates = reader.required("aggregates", report, |node, report| {
            read_aggregates(node, keys.as_deref().unwrap_or_default(), report)
        });
        Some(Self {
            name: name?,
            function: function?,
            kinds: kinds?,
            shape: shape?,
            offset_us: offset_us?,
            keys: keys?,
            time: time?,
            ids: ids?,
            on_untracked: on_untracked?,
            keep_ids_us: keep_ids?.as_micros() as u64,
            aggregates: aggregates?,
        })
    }
}

fn column(node: &Node, report: &mut Report) -> Option<String> {
    reader::parsed(node, "a column's name", report, |name| {
        aggregate::check_column(name).map(|()| name.to_owned())
    })
}

pub(crate) fn read_kinds(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    let kinds = reader::texts(node, report)?;
    if kinds.is_empty() || kinds.iter().any(String::is_empty) {
        report.at(node, "name at least one kind of rows, such as \"trade\"");
        return None;
    }
    names::unique(node, &kinds, report).then_some(kinds)
}

fn read_shape(reader: &Reader<'_>, report: &mut Report) -> Option<Shape> {
    let (key, node) = reader.exactly_one(&["tumbling", "sliding", "session"], report)?;
    let length = |node: &Node, report: &mut Report| {
        reader::positive_duration(node, report).map(|duration| duration.as_micros() as u64)
    };
    match key {
        "tumbling" => length(node, report).map(|size_us| Shape::Tumbling { size_us }),
        "session" => length(node, report).map(|gap_us| Shape::Session { gap_us }),
        _ => {
            let sliding = Reader::open(node, &schema::SLIDING, report)?;
            let size_us = sliding.required("size", report, length);
            let slide_us = sliding.required("slide", report, length);
            check_sliding(node, size_us?, slide_us?, report)
        }
    }
}

fn check_sliding(node: &Node, size_us: u64, slide_us: u64, report: &mut Report) -> Option<Shape> {
    if slide_us > size_us {
        report.at(node, "`slide` is longer than `size`: rows between two windows would be in neither");
        return None;
    }
    let pane_us = greatest_common_divisor(size_us, slide_us);
    let panes = size_us / pane_us;
    if panes > MOST_PANES {
        let least = units::show_duration(least_slide_us(size_us));
        let why = match pane_us == slide_us {
            true => format!("a row would be in {panes} windows at once, and {MOST_PANES} are the most"),
            false => format!(
                "a window is kept in pieces of their common divisor, {}: in {panes} pieces, and {MOST_PANES} are the most",
                units::show_duration(pane_us)
            ),
        };
        report.at(node, format!("{why}; write a longer `slide` that divides `size`, such as \"{least}\""));
        return None;
    }
    Some(Shape::Sliding { size_us, slide_us })
}

/// The shortest slide, of whole seconds where the size is that, which divides the size into few enough pieces.
fn least_slide_us(size_us: u64) -> u64 {
    let unit_us = [1_000_000, 1_000].into_iter().find(|unit| size_us.is_multiple_of(*unit)).unwrap_or(1);
    let units = size_us / unit_us;
    let panes = (1..=MOST_PANES).rev().find(|panes| units.is_multiple_of(*panes)).unwrap_or(1);
    units / panes * unit_us
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

pub(crate) fn read_offset(node: &Node, shape: Option<Shape>, report: &mut Report) -> Option<i64> {
    let offset_us = reader::parsed(node, "a duration like \"8h\" or \"-8h\"", report, |text| {
        units::signed_duration_us(text)
    })?;
    let period_us = match shape? {
        Shape::Tumbling { size_us } => size_us,
        Shape::Sliding { slide_us, .. } => slide_us,
        Shape::Session { .. } if offset_us == 0 => return Some(0),
        Shape::Session { .. } => {
            report.at(node, "a session begins with its first row: it has no offset");
            return None;
        }
    };
    if offset_us.unsigned_abs() >= period_us {
        report.at(node, "the offset must be shorter than the window's size (or slide)");
        return None;
    }
    Some(offset_us)
}

fn read_keys(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    let items = reader::list(node, "a list of columns", report)?;
    let keys: Vec<_> = items
        .iter()
        .map(|item| {
            let key = column(item, report)?;
            check_not_reserved(item, &key, report).then_some(key)
        })
        .collect();
    let keys: Vec<String> = keys.into_iter().collect::<Option<_>>()?;
    names::unique(node, &keys, report).then_some(keys)
}

pub(crate) fn read_ids(node: &Node, report: &mut Report) -> Option<IdColumns> {
    if !matches!(node.value, Value::Table(_)) {
        let id = column(node, report)?;
        return Some(IdColumns { first: id.clone(), last: id });
    }
    let reader = Reader::open(node, &schema::IDS, report)?;
    let first = reader.required("first", report, column);
    let last = reader.required("last", report, column);
    Some(IdColumns { first: first?, last: last? })
}

fn read_on_untracked(node: &Node, report: &mut Report) -> Option<OnUntracked> {
    reader::choice(node, &[("count", OnUntracked::Count), ("halt", OnUntracked::Halt)], report)
}

pub(crate) fn read_aggregates(node: &Node, keys: &[String], report: &mut Report) -> Option<Vec<Aggregate>> {
    let table = reader::table(node, report)?;
    if table.entries.is_empty() {
        report.at(node, "name at least one column, like close = \"last(price)\"");
        return None;
    }
    let aggregates: Vec<_> = table
        .entries
        .iter()
        .map(|entry| {
            let aggregate =
                reader::parsed(&entry.node, "an expression like \"max(price)\"", report, |text| {
                    aggregate::parse(&entry.key, text)
                });
            let mut sound = check_not_reserved(&entry.node, &entry.key, report);
            if let Err(problem) = aggregate::check_column(&entry.key) {
                report.add(entry.key_place, &entry.node.path, problem);
                sound = false;
            }
            if keys.contains(&entry.key) {
                report.add(entry.key_place, &entry.node.path, "this is a key column of the window already");
                sound = false;
            }
            aggregate.filter(|_| sound)
        })
        .collect();
    aggregates.into_iter().collect()
}

fn check_not_reserved(node: &Node, name: &str, report: &mut Report) -> bool {
    let reserved = RESERVED.contains(&name);
    if reserved {
        report.at(node, format!("every candle has a `{name}` of its own; choose another name"));
    }
    !reserved
}
