//! `[[trigger.kafka.windows]]`.

mod fill;
mod shape;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use self::fill::FILL;
pub use self::fill::{Fill, FillWith};
pub use self::shape::Shape;
pub(crate) use self::shape::{OFFSET, read_offset};
use self::shape::{SESSION, SLIDING, TUMBLING};
use crate::aggregate::{self, Aggregate};
use crate::error::Report;
use crate::forms::{COLUMN, Choice, Form, POSITIVE_US, Takes};
use crate::node::Node;
use crate::sink_influxdb::{self, PointMode, WINDOW_POINTS, WindowPoints};
use crate::sink_topics::{OutputMode, WINDOW_TOPIC, WindowTopic};
use crate::table::{Rule, only, table};
use crate::{names, remote, schema_pieces, values};

table! {
    /// A window of a pipeline: what the window contract calls a spec, and the component that computes it.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Window in "[[trigger.kafka.windows]]",
        "A window over the pipeline's rows. Its candles go to the table `speed/<pipeline>_<window>`.";
    rule Rule::ExactlyOne(&["tumbling", "sliding", "session"]);
    rule Rule::NotBoth("ids", "latest-by");
    fn read(reader, report);

    "The window's name."
    pub name: String = key("name", names::WINDOW, required());

    "The window function; all windows of a pipeline name the same one."
    pub function: String = key("function", remote::FUNCTION, default("\"window\""));

    "The rows that it takes."
    pub kinds: Vec<String> =
        key("kinds", KINDS.called("a list of kinds of rows, such as `[\"trade\"]`"), required());

    "Windows of this size, one after the other. Exactly one of `tumbling`, `sliding` and `session` is given."
    let tumbling: Option<Shape> = key("tumbling", TUMBLING, none("`sliding` or `session` says it"));

    "Windows of this size, one every `slide`."
    let sliding: Option<Shape> = key("sliding", SLIDING, none("`tumbling` or `session` says it"));

    "Windows that end after a pause of this length."
    let session: Option<Shape> = key("session", SESSION, none("`tumbling` or `sliding` says it"));

    "Which windows there are."
    pub shape: Shape = from(only([tumbling, sliding, session]));

    "Shift of the windows against 1970-01-01 00:00 UTC; shorter than the size or slide."
    pub offset_us: i64 =
        key("offset", OFFSET, default("\"0s\""), |node, report| read_offset(node, shape, report));

    "Columns that make the key. With `[]` there is one candle for all rows."
    pub keys: Vec<String> = key("keys", KEYS, required());

    "The event time; all windows of a pipeline go by the same column."
    pub time: String = key("time", COLUMN, default("\"event_time\""));

    "Id column, or the columns of a range of ids: duplicates are dropped and missing ids counted."
    pub ids: Option<IdColumns> = key("ids", IDS, none("duplicates and holes are not seen"));

    "What to do when the scattered ids of all open windows together take more than a quarter of `limits.memory`. `count` \
     forgets the lowest ids: a row with such an id is taken in even if it came before, it is counted as `untracked`, and \
     `complete` of its window is null. `halt` stops the pipeline before that."
    #[serde(skip)]
    pub on_untracked: OnUntracked = key("on-untracked", ON_UNTRACKED, default("\"count\""));

    "A key whose windows are all closed is forgotten after this much event time. Its next window has `complete = false`, \
     like the first window of a new key."
    #[serde(skip)]
    pub keep_ids_us: u64 = key("keep-ids", POSITIVE_US, default("\"7d\""));

    "Column (int64 or timestamp) by which rows replace each other: of rows of one key and event time only the one with \
     the highest value counts, of equal ones the last. So a candle of a topic counts once, in its newest revision."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_by: Option<String> = key("latest-by", COLUMN, none("every row counts"));

    "Whether windows without rows, between the first and the last window of a key that have some, are published and marked: \
     `previous` as the window before (sums and counts 0), `null` without values, `zero` with 0. For tumbling windows."
    let fill_with: Option<FillWith> = key("fill", FILL, none("windows without rows have no candle"));

    "A silence of a key that is longer than this is not filled. The first candle after it says in `unfilled` how many \
     windows were left out."
    let fill_for: Option<u64> = key("fill-for", POSITIVE_US, none("60 windows, where `fill` is given"));

    "How windows without rows are filled."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<Fill> =
        from(fill::read(&reader, shape?, fill_with?, (fill_for?, keep_ids_us?), report));
    "A topic that gets the candles, too."
    #[serde(skip)]
    pub kafka: Option<WindowTopic> =
        key("kafka", WINDOW_TOPIC, none("candles go to the lake alone"), |node, report| {
            let topic = WINDOW_TOPIC.read(node, report)?;
            if let (OutputMode::Complete, Some(Shape::Session { .. })) = (topic.mode, shape) {
                let problem = "sessions grow and merge, so that a session that was sent may be none any more: write \
                               `mode = \"append\"` or \"update\"";
                return report.refuse(node.find(&["mode"]).unwrap_or(node), problem);
            }
            Some(topic)
        });

    "The candle's columns, in the order in which they are written."
    pub aggregates: Vec<Aggregate> = key("aggregates", AGGREGATES, required(), |node, report| {
        let keys = keys.as_deref().unwrap_or_default();
        let aggregates = read_aggregates(node, keys, report)?;
        if let Some(Some(_)) = fill {
            fill::check_names(node, keys, &aggregates, report)?;
        }
        Some(aggregates)
    });

    "A database of InfluxDB that gets the candles, too."
    #[serde(skip)]
    pub influxdb: Option<WindowPoints> =
        key("influxdb", WINDOW_POINTS, none("candles go to the lake alone"), |node, report| {
            let points = WINDOW_POINTS.read(node, report)?;
            if let (PointMode::Update, Some(Shape::Session { .. })) = (points.mode, shape) {
                let problem = "sessions grow and merge, so that the point of an open one may be of a session that is gone: write \
                               `mode = \"append\"`";
                return report.refuse(node.find(&["mode"]).unwrap_or(node), problem);
            }
            let (keys, aggregates) = (keys.as_deref()?, aggregates.as_deref()?);
            sink_influxdb::check_columns(&points, node, keys, aggregates, report).then_some(points)
        });
}

table! {
    /// Columns of a row's id: equal if a row has one id, different if it has a range of ids.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct IdColumns in "ids", "The columns of a range of ids.";
    fn read(reader, report);

    "First id of the range."
    pub first: String = key("first", COLUMN, required());

    "Last id of the range."
    pub last: String = key("last", COLUMN, required());
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

impl Window {
    /// Every column of the parsed rows that the window reads.
    pub fn columns(&self) -> BTreeSet<&str> {
        let ids = self.ids.iter().flat_map(|ids| [&ids.first, &ids.last]);
        let aggregates = self.aggregates.iter().flat_map(|a| a.column.iter().chain(&a.by));
        let columns =
            self.keys.iter().chain([&self.time]).chain(&self.latest_by).chain(ids).chain(aggregates);
        columns.map(String::as_str).collect()
    }

    /// Every column of its candles.
    pub(crate) fn output_columns(&self) -> Vec<&str> {
        let of_ids: &[&str] =
            if self.ids.is_some() { &["first_id", "last_id", "missing", "complete"] } else { &[] };
        let of_fill: &[&str] = if self.fill.is_some() { &Fill::COLUMNS } else { &[] };
        let own = ["window_start", "window_end", "revision"].iter().chain(of_ids).chain(of_fill).copied();
        let named = self.keys.iter().chain(self.aggregates.iter().map(|aggregate| &aggregate.name));
        own.chain(named.map(String::as_str)).collect()
    }
}

pub(crate) const KINDS: Form<Vec<String>> = Form::new(
    "a list of kinds of rows",
    || schema_pieces::set(json!({ "type": "string", "minLength": 1 })),
    |node, report| {
        let kinds = values::texts(node, report)?;
        if kinds.is_empty() || kinds.iter().any(String::is_empty) {
            return report.refuse(node, "name at least one kind of rows, such as \"trade\"");
        }
        names::unique(node, &kinds, report).then_some(kinds)
    },
);
pub(crate) const KEYS: Form<Vec<String>> = Form::new(
    "a list of text columns",
    || json!({ "type": "array", "items": schema_pieces::column(), "uniqueItems": true }),
    |node, report| {
        let items = values::list(node, "a list of columns", report)?;
        let keys: Vec<String> = values::items(items, report, |item, report| {
            let key = COLUMN.read(item, report)?;
            check_not_reserved(item, &key, report).then_some(key)
        })?;
        names::unique(node, &keys, report).then_some(keys)
    },
);
pub(crate) const IDS: Form<IdColumns> = Form::new(
    "a column, or `{ first = \"…\", last = \"…\" }`",
    || schema_pieces::either([schema_pieces::column(), IdColumns::declaration().schema()]),
    |node, report| {
        if node.as_table().is_some() {
            return IdColumns::read(node, report);
        }
        let id = COLUMN.read(node, report)?;
        Some(IdColumns { first: id.clone(), last: id })
    },
);
const ON_UNTRACKED: Choice<OnUntracked> =
    Choice(&[("count", OnUntracked::Count), ("halt", OnUntracked::Halt)]);
pub(crate) const AGGREGATES: Form<()> =
    Form::shown("a table of name = \"operation(column)\"", schema_pieces::aggregates);

pub(crate) fn read_aggregates(node: &Node, keys: &[String], report: &mut Report) -> Option<Vec<Aggregate>> {
    if values::table(node, report)?.entries.is_empty() {
        return report.refuse(node, "name at least one column, like close = \"last(price)\"");
    }
    values::entries(node, report, |entry, report| {
        let form = "an expression like \"max(price)\"";
        let aggregate = values::parsed(&entry.node, form, report, |text| aggregate::parse(&entry.key, text));
        let mut sound = check_not_reserved(&entry.node, &entry.key, report);
        if let Err(problem) = aggregate::column(&entry.key) {
            report.add(entry.key_place, &entry.node.path, problem);
            sound = false;
        }
        if keys.contains(&entry.key) {
            report.add(entry.key_place, &entry.node.path, "this is a key column of the window already");
            sound = false;
        }
        aggregate.filter(|_| sound)
    })
}

fn check_not_reserved(node: &Node, name: &str, report: &mut Report) -> bool {
    let reserved = RESERVED.contains(&name);
    if reserved {
        report.at(node, format!("every candle already has a `{name}`; choose another name"));
    }
    !reserved
}
