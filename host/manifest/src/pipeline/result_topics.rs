//! The topics that a pipeline writes its results into.

use regex::Regex;

use super::Pipeline;
use crate::error::Report;
use crate::node::{Node, Value};
use crate::sink_influxdb::PointMode;
use crate::sink_topics::OutputMode;
use crate::topics::Topics;

impl Pipeline {
    /// Whether a window of that name goes out while it is open.
    pub fn updates(&self, window: &str) -> bool {
        let points = self.windows.iter().filter(|it| it.name == window).find_map(|it| it.influxdb.as_ref());
        self.mode(window).is_some_and(|mode| mode != OutputMode::Append)
            || points.is_some_and(|points| points.mode == PointMode::Update)
    }

    /// Whether all windows of that name go out whenever one changes.
    pub fn completes(&self, window: &str) -> bool {
        self.mode(window) == Some(OutputMode::Complete)
    }

    fn mode(&self, window: &str) -> Option<OutputMode> {
        let window = self.windows.iter().find(|it| it.name == window);
        window.and_then(|it| it.kafka.as_ref()).map(|topic| topic.mode)
    }

    /// Every topic that gets results, with the path of the key that names it.
    pub fn result_topics(&self) -> Vec<(&str, String)> {
        let of = |key: &str| format!("trigger.kafka[{}].{key}.topic", self.id);
        let windows = self.windows.iter().filter_map(|window| {
            let topic = window.kafka.as_ref()?.topic.as_str();
            Some((topic, of(&format!("windows[{}].kafka", window.name))))
        });
        let rekey = self.rekey.iter().map(|it| (it.topic.as_str(), of("rekey")));
        let late = self.late_rows.iter().map(|it| (it.topic.as_str(), of("late-rows")));
        let dead = self.dead_letters.iter().map(|it| (it.topic.as_str(), of("dead-letters")));
        windows.chain(rekey).chain(late).chain(dead).collect()
    }

    /// Reports topics that would be read again as they are written, or that would mix results with markers.
    pub(crate) fn check_result_topics(&self, node: &Node, report: &mut Report) {
        let reads = |topic: &str| match &self.topics {
            Topics::Names(names) => names.iter().any(|name| name == topic),
            Topics::Pattern(pattern) => {
                Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(topic))
            }
        };
        for (topic, key) in self.result_topics() {
            let problem = match topic {
                _ if reads(topic) => {
                    format!("this pipeline reads `{topic}`: it would take its own results for records")
                }
                _ if topic == self.marker_topic => {
                    format!("`{topic}` is the pipeline's `marker-topic`, which holds markers alone")
                }
                _ => continue,
            };
            let path: Vec<&str> = key.split('.').skip(2).collect();
            report.at(find(node, &path).unwrap_or(node), problem);
        }
    }
}

/// The node of a path below a pipeline's; windows are found by their label.
fn find<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    let [first, rest @ ..] = path else { return Some(node) };
    let child = match first.split_once('[') {
        None => node.find(&[first])?,
        Some((list, _)) => match &node.find(&[list])?.value {
            Value::List(items) => items.iter().find(|item| item.path.ends_with(first))?,
            _ => return None,
        },
    };
    find(child, rest)
}
