//! Which topics a pipeline reads, and from where.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};
use tallow_record::TopicPartition;

use crate::error::{Problem, Report};
use crate::forms::{Choice, Described, Form, Takes};
use crate::node::Node;
use crate::{names, schema_pieces, units, values};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topics {
    /// At least one, each once.
    Names(Vec<String>),
    /// A regular expression that begins with `^`.
    Pattern(String),
}

/// Where a pipeline without a checkpoint starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartingOffsets {
    Earliest,
    Latest,
    /// Partitions that are not named start at their earliest record.
    At(BTreeMap<TopicPartition, i64>),
    /// At the first record that Kafka received at that time or later, µs since 1970-01-01 UTC.
    Time(i64),
}

pub(crate) const TOPIC: Form<Topics> = Form::new(
    "a topic's name",
    || names::TOPIC.schema(),
    |node, report| names::TOPIC.read(node, report).map(|topic| Topics::Names(vec![topic])),
);

pub(crate) const TOPICS: Form<Topics> = Form::new(
    "a list of topic names",
    || schema_pieces::set(names::TOPIC.schema()),
    |node, report| {
        let names = names::list(node, "a list of topic names", &names::TOPIC, report)?;
        if names.is_empty() {
            return report.refuse(node, "name at least one topic");
        }
        Some(Topics::Names(names))
    },
);

pub(crate) const PATTERN: Form<Topics> = Form::parsed(
    "a regular expression that begins with `^`",
    || schema_pieces::matching(r"\^.*"),
    "a regular expression",
    parse_pattern,
);

fn parse_pattern(pattern: &str) -> Result<Topics, Problem> {
    if !pattern.starts_with('^') {
        return Err("a pattern begins with `^`, like \"^trades-.*\"; a plain name goes into `topic`".into());
    }
    // Matched against whole names by the same crate.
    Regex::new(pattern).map_err(|error| {
        let why = error.to_string().lines().last().unwrap_or_default().replace("error: ", "");
        format!("not a regular expression: {why}")
    })?;
    Ok(Topics::Pattern(pattern.to_owned()))
}

pub(crate) const STARTING_OFFSETS: Form<StartingOffsets> = Form::new(
    "`\"earliest\"`, `\"latest\"`, a table of \"topic/partition\" = offset, or `{ time = \"2024-08-09\" }`",
    starting_offsets_schema,
    read_starting_offsets,
);

fn starting_offsets_schema() -> Value {
    let mut offsets = schema_pieces::map(schema_pieces::or_variable(schema_pieces::integer(0..=i64::MAX)));
    offsets["propertyNames"] = json!({ "pattern": "^[A-Za-z0-9._-]{1,249}/[0-9]+$" });
    let time = json!({
        "type": "object",
        "properties": { "time": schema_pieces::text() },
        "required": ["time"],
        "additionalProperties": false,
    });
    schema_pieces::either([WORDS.schema(), offsets, time])
}

const WORDS: Choice<bool> = Choice(&[("earliest", false), ("latest", true)]);

fn read_starting_offsets(node: &Node, report: &mut Report) -> Option<StartingOffsets> {
    let Some(table) = node.as_table() else {
        let latest = WORDS.read(node, report)?;
        return Some(if latest { StartingOffsets::Latest } else { StartingOffsets::Earliest });
    };
    if let Some(time) = table.entries.iter().find(|entry| entry.key == "time") {
        if table.entries.len() > 1 {
            return report
                .refuse(node, "`time` is for all partitions: write it alone, or offsets by partition");
        }
        let form = "a day or a moment like \"2024-08-09T12:30:00Z\"";
        return values::parsed(&time.node, form, report, units::moment_us).map(StartingOffsets::Time);
    }
    let offsets = values::entries(node, report, |entry, report| {
        let partition = read_partition(&entry.key);
        if partition.is_none() {
            let problem = "a partition is written \"topic/number\", like \"trades/0\"; `time` starts all of them at a day \
                           or a moment";
            report.add(entry.key_place, &entry.node.path, problem);
        }
        let offset = values::integer(&entry.node, 0..=i64::MAX, report);
        Some((partition?, offset?))
    });
    offsets.map(StartingOffsets::At)
}

fn read_partition(text: &str) -> Option<TopicPartition> {
    let (topic, number) = text.rsplit_once('/')?;
    let number: i32 = number.parse().ok().filter(|number| *number >= 0)?;
    Some(TopicPartition::new(&names::topic(topic).ok()?, number))
}
