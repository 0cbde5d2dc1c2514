//! What one committed epoch gives to the sinks.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use serde::Serialize;
use serde_json::Value;
use tallow_lake::tables;
use tallow_record::Place;
use tallow_store::Digest;

/// The output of one epoch. Everything in it follows from the checkpoint log and the records, so a replay makes
/// the same value, and sinks make the same bytes of it.
#[derive(Clone, Debug)]
pub struct EpochOutput<'a> {
    pub pipeline: &'a str,
    /// Id of the shard's log chain: names of two chains never meet.
    pub chain: &'a str,
    pub shard: u32,
    /// Number of the commit in its chain.
    pub seq: u64,
    /// The clock that the epoch was given and its commit records, µs since 1970-01-01 UTC. It dates late rows
    /// and dead letters, whose own times may be anything.
    pub clock_us: i64,
    pub provenance: Provenance,
    /// Closed windows: window name, and a table with the key's columns (text), `window_start`, `window_end`,
    /// then aggregates. A name may come more than once, with equal columns.
    pub closed: Vec<(String, RecordBatch)>,
    /// Open windows that changed, in the same form, of the windows that a sink shows while they are open.
    pub open: Vec<(String, RecordBatch)>,
    /// Closed windows that are published already as they are: only for a sink that has shown them open since.
    pub repeated: Vec<(String, RecordBatch)>,
    /// The whole result of windows in which something changed, where a sink shows it.
    pub whole: Vec<WholeResult>,
    pub late: Vec<LateRow>,
    pub dead: Vec<DeadLetter>,
    /// Records that go to a topic under another key, in the order in which they were taken.
    pub rekeyed: Vec<Rekeyed>,
}

impl EpochOutput<'_> {
    /// `chain/shard/seq`: names the commit in every file and row that comes from it.
    pub fn commit(&self) -> String {
        format!("{}/{}/{}", self.chain, self.shard, self.seq)
    }

    /// The path of its file in a table.
    pub(crate) fn file(&self, table: &str, day: &str) -> String {
        tables::commit_file(table, day, &tables::commit_name(self.chain, self.shard, self.seq))
    }
}

/// What made the rows, as files say it under `tallow.source`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    #[default]
    Stream,
    /// Fetched again: revisions of what the stream lacked.
    Backfill,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Backfill => "backfill",
        }
    }
}

/// What the output was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    pub origin: Origin,
    /// Of each component, by its role (`parse`, `window`).
    pub functions: BTreeMap<String, Digest>,
    /// The records that the epoch took.
    pub offsets: Vec<OffsetRange>,
}

/// Records of a partition from offset `from` (inclusive) to `to` (exclusive).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OffsetRange {
    pub topic: String,
    pub partition: i32,
    pub from: i64,
    pub to: i64,
}

/// A row that came after its window had closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateRow {
    pub place: Place,
    /// Row within the record, from 0.
    pub row: u32,
    /// Kafka's timestamp of the record, µs; -1 where there is none.
    pub timestamp_us: i64,
    pub event_time_us: i64,
    /// The watermark that made it late.
    pub watermark_us: i64,
    /// Name of the window that it is late for; it may be in time for another.
    pub window: String,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
}

impl LateRow {
    /// What it takes in memory, about.
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.window.len() + bytes_of(&[&self.key, &self.value])
    }
}

impl DeadLetter {
    /// What it takes in memory, about.
    pub fn size_bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + bytes_of(&[value]));
        let texts = self.reason.len() + self.window.as_ref().map_or(0, String::len);
        size_of::<Self>() + texts + bytes_of(&[&self.key, &self.value]) + headers.sum::<usize>()
    }
}

fn bytes_of(values: &[&Option<Vec<u8>>]) -> usize {
    values.iter().map(|value| value.as_ref().map_or(0, Vec::len)).sum()
}

/// All open or all closed windows of a definition, in the same form as the closed ones of an epoch.
#[derive(Clone, Debug)]
pub struct WholeResult {
    pub window: String,
    pub open: bool,
    pub rows: RecordBatch,
}

/// A record under another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rekeyed {
    pub place: Place,
    /// Kafka's timestamp of the record, µs; -1 where there is none.
    pub timestamp_us: i64,
    /// As [`record_key`] makes it.
    pub key: String,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Rekeyed {
    /// What it takes in memory, about.
    pub fn size_bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + bytes_of(&[value]));
        size_of::<Self>() + self.key.len() + bytes_of(&[&self.value]) + headers.sum::<usize>()
    }
}

/// The key of a record that some columns make, each with its text: the text of the only one, several as a JSON object;
/// none without columns.
pub fn record_key(columns: &[(&str, String)]) -> Option<String> {
    match columns {
        [] => None,
        [(_, text)] => Some(text.clone()),
        several => {
            let pairs = several.iter().map(|(name, text)| ((*name).to_owned(), Value::from(text.as_str())));
            Some(Value::Object(pairs.collect()).to_string())
        }
    }
}

/// A record, or a row of one, that was set aside, with the record's untouched bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub place: Place,
    /// Kafka's timestamp of the record, µs; -1 where there is none.
    pub timestamp_us: i64,
    pub key: Option<Vec<u8>>,
    /// `None` for a tombstone, which is not an empty value.
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub kind: ReasonKind,
    /// The reason in words, from the function or the host.
    pub reason: String,
    /// The window that refused the row, where one did.
    pub window: Option<String>,
    /// Row within the record; `None` for the whole record.
    pub row: Option<u32>,
}

/// Why something was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasonKind {
    /// The parse function calls the record broken.
    Rejected,
    /// A function trapped on it.
    Trap,
    /// A function ran out of time on it.
    Deadline,
    /// Its event time is too far ahead of the clock.
    Future,
    /// Its id was seen before with other content.
    Conflict,
    /// The row lacks an event time, a key or an id.
    Invalid,
}

impl ReasonKind {
    pub const ALL: [ReasonKind; 6] =
        [Self::Rejected, Self::Trap, Self::Deadline, Self::Future, Self::Conflict, Self::Invalid];

    /// The one that is written so.
    pub fn of(text: &str) -> Option<ReasonKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// As written in the column `reason_kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Future => "future",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
        }
    }
}
