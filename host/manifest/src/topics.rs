//! Which topics a pipeline reads, and from where.

use std::collections::BTreeMap;

use regex::Regex;
use tallow_record::TopicPartition;

use crate::error::Report;
use crate::names;
use crate::node::{Node, Value};
use crate::reader::{self, Reader};
use crate::units;

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

pub(crate) fn read_topics(reader: &Reader<'_>, report: &mut Report) -> Option<Topics> {
    let (key, node) = reader.exactly_one(&["topic", "topics", "topic-pattern"], report)?;
    match key {
        "topic" => names::topic(node, report).map(|topic| Topics::Names(vec![topic])),
        "topics" => {
            let items = reader::list(node, "a list of topic names", report)?;
            let names: Vec<_> = items.iter().map(|item| names::topic(item, report)).collect();
            let names: Vec<String> = names.into_iter().collect::<Option<_>>()?;
            if names.is_empty() {
                report.at(node, "name at least one topic");
                return None;
            }
            names::unique(node, &names, report).then_some(Topics::Names(names))
        }
        _ => reader::parsed(node, "a regular expression", report, |pattern| {
            if !pattern.starts_with('^') {
                return Err("a pattern begins with `^`, like \"^trades-.*\"; a plain name goes into `topic`"
                    .to_owned());
            }
            // Matched against whole names by the same crate.
            Regex::new(pattern).map_err(|error| {
                let why = error.to_string().lines().last().unwrap_or_default().replace("error: ", "");
                format!("not a regular expression: {why}")
            })?;
            Ok(Topics::Pattern(pattern.to_owned()))
        }),
    }
}

pub(crate) fn read_starting_offsets(node: &Node, report: &mut Report) -> Option<StartingOffsets> {
    let Value::Table(table) = &node.value else {
        let choices = [("earliest", false), ("latest", true)];
        let latest = reader::choice(node, &choices, report)?;
        return Some(if latest { StartingOffsets::Latest } else { StartingOffsets::Earliest });
    };
    if let Some(time) = table.entries.iter().find(|entry| entry.key == "time") {
        if table.entries.len() > 1 {
            report.at(node, "`time` is for all partitions: write it alone, or offsets by partition");
            return None;
        }
        let form = "a day or a moment like \"2024-08-09T12:30:00Z\"";
        return reader::parsed(&time.node, form, report, units::moment_us).map(StartingOffsets::Time);
    }
    let offsets: Vec<_> = table
        .entries
        .iter()
        .map(|entry| {
            let partition = read_partition(&entry.key);
            if partition.is_none() {
                let problem = "a partition is written \"topic/number\", like \"trades/0\"; `time` starts all of them \
                               at a day or a moment";
                report.add(entry.key_place, &entry.node.path, problem);
            }
            let offset = reader::integer(&entry.node, 0..=i64::MAX, report);
            Some((partition?, offset?))
        })
        .collect();
    offsets.into_iter().collect::<Option<_>>().map(StartingOffsets::At)
}

fn read_partition(text: &str) -> Option<TopicPartition> {
    let (topic, number) = text.rsplit_once('/')?;
    let number: i32 = number.parse().ok().filter(|number| *number >= 0)?;
    names::check_topic(topic).ok()?;
    Some(TopicPartition::new(topic, number))
}
