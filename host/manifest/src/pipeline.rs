//! `[[trigger.kafka]]`: a pipeline.

mod faults;
mod meaning;
mod points;
mod result_topics;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tallow_digest::Digest;

use self::faults::ON_BAD_FUNCTION;
pub(crate) use self::faults::{ON_DATA_LOSS, ON_REJECT, ON_REJECT_OF_LINES};
pub use self::faults::{OnBadFunction, OnDataLoss, OnReject};
use crate::error::{Report, suggestion};
use crate::forms::{
    BOOLEAN, Choice, DURATION, DURATION_US, Described, Form, Integer, PLAIN_SETTINGS, POSITIVE_DURATION,
    Takes,
};
use crate::limits::{Epoch, LIMITS, Limits};
use crate::node::Node;
use crate::readers::readers;
use crate::rekey::{self, REKEY, Rekey};
use crate::remote::FUNCTION;
use crate::schema::{self, MESSAGES, Messages};
use crate::sink_topics::{DEAD_LETTERS, DeadLetters, LATE_ROWS, LateRows};
use crate::swap::Swap;
use crate::table::{Rule, only, table};
use crate::topics::{self, StartingOffsets, Topics};
use crate::window::Window;
use crate::{config_digest, names, schema_pieces, values};

const RESERVED: &str = "Spin keeps this key for itself; name the parse component with `parse = \"…\"` and the window \
                        component with `function = \"…\"` in [[trigger.kafka.windows]]";

table! {
    /// A pipeline with everything decided.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Pipeline in "[[trigger.kafka]]", "A pipeline: topics, one parse function, one or more windows.";
    refused "component": RESERVED;
    refused "components": RESERVED;
    refused "dependencies": RESERVED;
    refused "shards": "not supported by this version of tallow; remove the key";
    rule Rule::ExactlyOne(&["topic", "topics", "topic-pattern"]);
    rule Rule::AtLeastOne(&["windows", "rekey"], "`windows` is missing; it takes one or more [[trigger.kafka.windows]]");
    fn read_keys(reader, report);

    "The pipeline's name: its tables, its log and its state go by it."
    pub id: String = key("id", names::PIPELINE, required());

    "The topic to read. Exactly one of `topic`, `topics` and `topic-pattern` is given."
    let topic: Option<Topics> = key("topic", topics::TOPIC, none("`topics` or `topic-pattern` says it"));

    "Several topics to read."
    let several: Option<Topics> = key("topics", topics::TOPICS, none("`topic` or `topic-pattern` says it"));

    "All topics whose whole names match, those that appear later included."
    let pattern: Option<Topics> = key("topic-pattern", topics::PATTERN, none("`topic` or `topics` says it"));

    "What is read."
    pub topics: Topics = from(only([topic, several, pattern]));

    "The function that makes rows of records."
    pub parse: String =
        key("parse", FUNCTION.called("a component's name, or `{ component = \"…\" }`"), required());

    "The parse function's own settings."
    let settings: BTreeMap<String, String> = key("parse-settings", PLAIN_SETTINGS, empty("no settings"));

    "What the messages hold, for a parse function that reads any JSON."
    let messages: Option<Messages> = key("schema", MESSAGES, none("the parse function knows its messages"));

    "The windows; at least one, all of one function and one time column."
    pub windows: Vec<Window> = key("windows", windows::WINDOWS, empty("`rekey` says what is done"), |node, report| {
        let messages = messages.as_ref().and_then(Option::as_ref);
        windows::read(node, messages.map(|it| it.schema.event_time.as_str()), report)
    });

    "A topic that gets the records under another key."
    pub rekey: Option<Rekey> = key("rekey", REKEY, none("records stay where they are"), |node, report| {
        let messages = messages.as_ref().and_then(Option::as_ref);
        let event_time = messages.map(|it| it.schema.event_time.as_str());
        rekey::read(node, event_time, windows.as_deref().unwrap_or_default(), report)
    });

    "Decimal places that are kept of a decimal column. Values with more are rounded half to even and counted."
    let written_scales: BTreeMap<String, u8> =
        key("scales", SCALES, empty("what the schema states, else 8"), |node, report| {
            read_scales(node, windows.as_deref().unwrap_or_default(), report)
        });

    "Decimal places kept of each column."
    pub scales: BTreeMap<String, u8> = from({
        let stated = messages.as_ref()?.as_ref().map(|it| it.scales.clone()).unwrap_or_default();
        Some(stated.into_iter().chain(written_scales?).collect())
    });

    "How far the watermark stays behind the newest event time. Rows may come this late."
    pub delay_us: i64 = key("delay", DURATION_US, default("\"2s\""));

    "A row whose event time is further ahead of the clock than this is set aside."
    pub max_future_us: i64 = key("max-future", DURATION_US, default("\"60s\""));

    "A partition that has been at its end for this long no longer holds the watermark back. With `--available-now` a \
     drained or empty partition never does."
    pub idle_after: Duration = key("idle-after", DURATION, default("\"10s\""));

    "Whether the watermark follows the clock while all partitions are idle. If not, it goes to the newest event \
     time of all of them minus `delay` and stays there."
    pub idle_advance: bool = key("idle-advance", BOOLEAN, default("false"));

    "Where a pipeline without a checkpoint starts. Partitions that a table leaves out start at their earliest record. A \
     time is a day or a moment in UTC: partitions start at the first record whose Kafka timestamp is at or after it, or \
     at their end if there is none."
    pub starting_offsets: StartingOffsets =
        key("starting-offsets", topics::STARTING_OFFSETS, default("\"earliest\""));

    "What to do when records are gone that the checkpoint still needs."
    pub on_data_loss: OnDataLoss = key("on-data-loss", ON_DATA_LOSS, default("\"halt\""));

    "What to do with a record that the parse function rejects; `drop` counts it. `permissive` asks a function with a \
     schema not to reject it: what cannot be read is null, and the schema's `raw-column` has the record's value. Without \
     an event time it is a dead letter all the same."
    pub on_reject: OnReject = key("on-reject", ON_REJECT, default("\"dead-letter\""));

    "The parse function's settings, with the schema as one of them."
    pub parse_settings: BTreeMap<String, String> = from(schema::settings(
        reader.node(),
        settings?,
        messages?,
        on_reject? == OnReject::Permissive,
        &readers(windows.as_deref().unwrap_or_default(), rekey.as_ref().and_then(Option::as_ref)),
        report
    ));

    "What a start does when a function's file has changed since the last run and does not pass its checks. `last-good` \
     continues with the functions of that run, which the lake keeps, and warns."
    pub on_bad_function: OnBadFunction = key("on-bad-function", ON_BAD_FUNCTION, default("\"stop\""));

    "Instances of the parse function that work side by side."
    pub parse_workers: Option<usize> =
        key("parse-workers", Integer(1, 64), none("decided by the number of processors"));

    "Kafka clients that fetch side by side."
    pub fetch_clients: usize = key("fetch-clients", Integer(1, 16), default("1"));

    "How often to look for new topics and partitions."
    pub new_partitions_every: Duration = key("new-partitions-every", POSITIVE_DURATION, default("\"30s\""));

    "Whether `tallow up` fetches missing and incomplete windows automatically: at its start, and when a window closes \
     incomplete. [application.trigger.kafka.backfill.NAME] says from where."
    pub auto_backfill: bool = key("backfill", Choice(&[("manual", false), ("auto", true)]), default("\"manual\""));

    "Whether the records themselves are kept in the lake with each commit, so that `tallow verify` can compute it again \
     when the topic no longer holds them."
    pub archive: bool = key("archive", BOOLEAN, default("false"));

    "How many of the newest commits the log keeps, with the state, output and archive of each. `tallow verify` can look \
     this far back. All of them are read at a start."
    pub verify_retention: u64 = key("verify-retention", Integer(2, 100_000), default("100"));

    "When an epoch ends."
    pub epoch: Epoch = key("epoch", EPOCH, inner("its defaults"));

    "What a function and the queues may take."
    pub limits: Limits = key("limits", LIMITS, inner("its defaults"));

    "How candles are written."
    let lake: Lake = key("lake", LAKE, inner("its defaults"));

    "How decimals are written into the lake."
    pub decimals: Decimals = from(lake.map(|lake| lake.decimals));

    "A topic that gets late rows, too."
    pub late_rows: Option<LateRows> = key("late-rows", LATE_ROWS, none("late rows go to the lake alone"));

    "A topic that gets dead letters, too."
    pub dead_letters: Option<DeadLetters> =
        key("dead-letters", DEAD_LETTERS, none("dead letters go to the lake alone"));

    "The compacted topic in which results that go to topics are marked as sent. It is made if it is missing. Only a \
     pipeline with results in topics has one."
    let marker: Option<String> = key("marker-topic", names::TOPIC, none("`_tallow_markers_` and the pipeline's `id`"));

    "The topic of the markers."
    pub marker_topic: String =
        from(Some(marker?.unwrap_or_else(|| format!("_tallow_markers_{}", id.as_deref().unwrap_or_default()))));

    "How another version of a function is swapped in."
    pub swap: Swap = key("swap", SWAP, inner("its defaults"), |node, report| {
        let swap = Swap::read(node, report)?;
        if let Some(windows) = &windows {
            swap.check_columns(reader.node(), windows, report);
        }
        if let Some(Some(_)) = &rekey {
            rekey::check_swap(reader.node(), &swap, report);
        }
        Some(swap)
    });

    "Of [`Pipeline::meaning`]."
    pub digest: Digest = from(Some(Digest::of(b"")));
}

table! {
    pub(crate) struct Lake in "[trigger.kafka.lake]", "How candles are written into the lake.";
    refused "mode": "the lake only gets windows that have closed, as its files never change; \
                     [trigger.kafka.windows.kafka] has modes";
    fn read(reader, report);

    "Decimals as the nearest double, or as Parquet decimals."
    pub decimals: Decimals = key("decimals", DECIMALS, default("\"double\""));
}

const LAKE: Form<Lake> = Form::new("a table", || Lake::declaration().schema(), Lake::read);
const EPOCH: Form<Epoch> = Form::new("a table", || Epoch::declaration().schema(), Epoch::read);
const SWAP: Form<()> = Form::shown("a table", || Swap::declaration().schema());
pub(crate) const DECIMALS: Choice<Decimals> =
    Choice(&[("double", Decimals::Double), ("decimal", Decimals::Decimal)]);
pub(crate) const SCALES: Form<()> =
    Form::shown("a table of column = 0 to 18", || schema_pieces::map(Integer(0, 18).schema()));

/// Decimal places of a column whose `scales` entry is missing.
pub const DEFAULT_SCALE: u8 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimals {
    Double,
    Decimal,
}

/// A column that parse must make, with the decimal places to keep if it is a decimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedColumn {
    pub name: String,
    pub scale: u8,
}

impl Pipeline {
    /// Kinds of rows that are taken; sorted.
    pub fn kinds(&self) -> Vec<String> {
        let readers = readers(&self.windows, self.rekey.as_ref());
        let kinds: BTreeSet<&String> = readers.iter().flat_map(|reader| reader.kinds).collect();
        kinds.into_iter().cloned().collect()
    }

    /// Columns that are read; sorted by name.
    pub fn wanted_columns(&self) -> Vec<WantedColumn> {
        let readers = readers(&self.windows, self.rekey.as_ref());
        let columns: BTreeSet<&str> = readers.into_iter().flat_map(|reader| reader.columns).collect();
        columns
            .into_iter()
            .map(|name| WantedColumn { name: name.to_owned(), scale: self.scale(name) })
            .collect()
    }

    pub fn scale(&self, column: &str) -> u8 {
        self.scales.get(column).copied().unwrap_or(DEFAULT_SCALE)
    }

    /// Has the watermark follow the clock while all partitions are idle, whatever the manifest says. That decides which
    /// candles come out, so it is another pipeline by its digest.
    pub fn follow_clock_when_idle(&mut self) {
        self.idle_advance = true;
        self.digest = config_digest::digest(&self.meaning());
    }

    /// The event-time column.
    pub fn time(&self) -> &str {
        let rekey = self.rekey.as_ref().map(|rekey| &rekey.time);
        self.windows.first().map(|window| &window.time).or(rekey).map_or("", String::as_str)
    }

    /// The window component's name. Without windows it is the standard one, which has nothing to do.
    pub fn window_function(&self) -> &str {
        self.windows.first().map_or("window", |window| &window.function)
    }

    /// Name of a window's table in the lake, below `speed/`.
    pub fn table(&self, window: &Window) -> String {
        format!("{}_{}", self.id, window.name)
    }

    pub(crate) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut pipeline = Self::read_keys(node, report)?;
        pipeline.digest = config_digest::digest(&pipeline.meaning());
        pipeline.check_result_topics(node, report);
        pipeline.check_points(node, report);
        Some(pipeline)
    }
}

fn columns(windows: &[Window]) -> BTreeSet<&str> {
    windows.iter().flat_map(Window::columns).collect()
}

pub(crate) fn read_scales(
    node: &Node,
    windows: &[Window],
    report: &mut Report,
) -> Option<BTreeMap<String, u8>> {
    let wanted: Vec<&str> = columns(windows).into_iter().collect();
    values::entries(node, report, |entry, report| {
        let scale = Integer(0, 18).read(&entry.node, report);
        if !windows.is_empty() && !wanted.contains(&entry.key.as_str()) {
            let suggestion = suggestion(&entry.key, &wanted);
            let problem = format!("no window of this pipeline reads such a column; {suggestion}");
            report.add(entry.key_place, &entry.node.path, problem);
        }
        Some((entry.key.clone(), scale?))
    })
}
