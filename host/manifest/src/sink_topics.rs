//! Topics that get a pipeline's results: `[trigger.kafka.windows.kafka]`, `[trigger.kafka.late-rows]` and
//! `[trigger.kafka.dead-letters]`.

use crate::error::Report;
use crate::forms::{Choice, Form, Takes};
use crate::names;
use crate::node::Node;
use crate::table::table;

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
