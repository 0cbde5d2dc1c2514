//! Topics that get a pipeline's results: `[trigger.kafka.windows.kafka]`, `[trigger.kafka.late-rows]` and
//! `[trigger.kafka.dead-letters]`.

use regex::Regex;

use crate::error::Report;
use crate::forms::{Choice, Form, Takes};
use crate::names;
use crate::node::Node;
use crate::pipeline::Pipeline;
use crate::table::table;
use crate::topics::Topics;

table! {
    /// The topic that gets a window's candles.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct WindowTopic in "[trigger.kafka.windows.kafka]",
        "A topic that gets the window's candles, each exactly once, in addition to the lake.";
    fn read(reader, report);

    "The topic. It must exist. Records are keyed by the window's keys."
    pub topic: String = key("topic", names::TOPIC, required());

    "Which rows go out: a window's candle when it closes, or in addition, at each epoch's end, the open windows that changed \
     in it."
    pub mode: OutputMode = key("mode", MODE, default("\"append\""), read_mode);

    "How a candle is written: as a JSON object of its columns."
    let _format: () = key("format", FORMAT, default("\"json\""));

    "How decimals are written: as strings, of which every reader keeps all digits, or as numbers."
    pub decimals: JsonDecimals = key("decimals", DECIMALS, default("\"string\""));

    "How times are written: as text in UTC, or in whole milliseconds since 1970-01-01 UTC, rounded down."
    pub times: JsonTimes = key("times", TIMES, default("\"rfc3339\""));
}

table! {
    /// A topic that gets records as they came.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct LateRows in "[trigger.kafka.late-rows]",
        "A topic that gets late rows, with the untouched key and bytes of their records, in addition to the lake.";
    fn read(reader, report);

    "The topic. It must exist."
    pub topic: String = key("topic", names::TOPIC, required());
}

table! {
    /// A topic that gets records as they came.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct DeadLetters in "[trigger.kafka.dead-letters]",
        "A topic that gets dead letters, with the untouched key and bytes of their records, in addition to the lake.";
    fn read(reader, report);

    "The topic. It must exist."
    pub topic: String = key("topic", names::TOPIC, required());
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonDecimals {
    String,
    Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonTimes {
    Rfc3339,
    EpochMs,
}

/// Which rows of a window go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputMode {
    /// Closed windows.
    Append,
    /// Open windows that changed in an epoch, too.
    Update,
}

pub(crate) const MODE: Choice<OutputMode> =
    Choice(&[("append", OutputMode::Append), ("update", OutputMode::Update)]);
const FORMAT: Choice<()> = Choice(&[("json", ())]);
pub(crate) const DECIMALS: Choice<JsonDecimals> =
    Choice(&[("string", JsonDecimals::String), ("number", JsonDecimals::Number)]);
pub(crate) const TIMES: Choice<JsonTimes> =
    Choice(&[("rfc3339", JsonTimes::Rfc3339), ("epoch-ms", JsonTimes::EpochMs)]);

pub(crate) const WINDOW_TOPIC: Form<WindowTopic> =
    Form::new("a table", || WindowTopic::declaration().schema(), WindowTopic::read);
pub(crate) const LATE_ROWS: Form<LateRows> =
    Form::new("a table", || LateRows::declaration().schema(), LateRows::read);
pub(crate) const DEAD_LETTERS: Form<DeadLetters> =
    Form::new("a table", || DeadLetters::declaration().schema(), DeadLetters::read);

fn read_mode(node: &Node, report: &mut Report) -> Option<OutputMode> {
    if node.as_str() == Some("complete") {
        let problem = "windows that have closed are not kept, so the whole result cannot be sent each time; with \
                       `update`, the last record of each window is the whole result, and the lake holds it as a table";
        return report.refuse(node, problem);
    }
    MODE.read(node, report)
}

impl Pipeline {
    /// Whether a window of that name goes out while it is open.
    pub fn updates(&self, window: &str) -> bool {
        let topic = self.windows.iter().find(|it| it.name == window).and_then(|it| it.kafka.as_ref());
        topic.is_some_and(|topic| topic.mode == OutputMode::Update)
    }

    /// Every topic that gets results, with the path of the key that names it.
    pub fn result_topics(&self) -> Vec<(&str, String)> {
        let of = |key: &str| format!("trigger.kafka[{}].{key}.topic", self.id);
        let windows = self.windows.iter().filter_map(|window| {
            let topic = window.kafka.as_ref()?.topic.as_str();
            Some((topic, of(&format!("windows[{}].kafka", window.name))))
        });
        let late = self.late_rows.iter().map(|it| (it.topic.as_str(), of("late-rows")));
        let dead = self.dead_letters.iter().map(|it| (it.topic.as_str(), of("dead-letters")));
        windows.chain(late).chain(dead).collect()
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
            crate::node::Value::List(items) => items.iter().find(|item| item.path.ends_with(first))?,
            _ => return None,
        },
    };
    find(child, rest)
}
