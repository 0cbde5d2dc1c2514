//! Topics that get a pipeline's results: `[trigger.kafka.windows.kafka]`, `[trigger.kafka.late-rows]` and
//! `[trigger.kafka.dead-letters]`.

use crate::forms::{Choice, Form, Integer};
use crate::names;
use crate::table::table;

table! {
    /// The topic that gets a window's candles.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct WindowTopic in "[trigger.kafka.windows.kafka]",
        "A topic that gets the window's candles, each exactly once, in addition to the lake.";
    fn read(reader, report);

    "The topic. It must exist. Records are keyed by the window's keys."
    pub topic: String = key("topic", names::TOPIC, required());

    "Which rows go out: a window's candle when it closes; or in addition, at each epoch's end, the open windows that changed \
     in it; or, whenever something changed, all windows since the result began."
    pub mode: OutputMode = key("mode", MODE, default("\"append\""));

    "With `complete`, the pipeline stops if there are more rows than this: each change sends them all."
    let most: Option<u64> = key("most-rows", Integer(1, 1_000_000), none("10000"));

    "Rows that the topic may get at each change."
    pub most_rows: u64 = from(match (most?, mode?) {
        (Some(_), OutputMode::Append | OutputMode::Update) => {
            let node = reader.get("most-rows").unwrap_or_else(|| reader.node());
            report.refuse(node, "only the mode `complete` sends all rows: write `mode = \"complete\"`, or remove this")
        }
        (most, _) => Some(most.unwrap_or(10_000)),
    });

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
    /// All windows, whenever one changes or closes.
    Complete,
}

pub(crate) const MODE: Choice<OutputMode> = Choice(&[
    ("append", OutputMode::Append),
    ("update", OutputMode::Update),
    ("complete", OutputMode::Complete),
]);
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
