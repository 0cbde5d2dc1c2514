//! A record of the log: everything that a restart, a replay or a person needs to know of one commit.
//! A record is whole: the newest one is enough to continue from.

mod format;
mod live;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_epoch::Ledger;
use tallow_epoch::PartitionTime;

use crate::name::BlobName;
use tallow_lake::tables::commit_name;
use tallow_store::Digest;

pub use format::FormatError;
pub use live::{Change, Live, Mode, Probation, What};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// A new owner took over; nothing was processed.
    Fence,
    /// An epoch's results.
    Commit,
    /// From here on another function; nothing was processed.
    Swap,
    /// Back to the state before a swap; the epochs since are void.
    Rollback,
}

/// Who wrote a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// Random, one for each time that a shard is opened.
    pub id: String,
    /// For people: host and process.
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Place in the log, from 1.
    pub seq: u64,
    pub kind: Kind,
    /// SHA-256 of the whole bytes of the record before; none in the first.
    pub parent: Option<Digest>,
    /// Born in the shard's first record; part of every name that is published.
    pub chain: String,
    pub shard: u32,
    /// Fencing number: one more with each owner.
    pub term: u64,
    pub writer: Writer,
    /// Wall clock when it was written, µs since 1970-01-01 UTC.
    pub at_us: i64,
    pub epoch: Epoch,
    pub state: State,
    /// By sink: everything up to this seq has been published.
    pub published_through: BTreeMap<String, u64>,
    /// What a rollback made void.
    pub voided: Option<SeqRange>,
}

/// What happened since the record before. Empty in a fence and in a rollback.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// The wall clock given to the epoch's end, µs since 1970-01-01 UTC.
    pub clock_us: Option<i64>,
    /// The watermark at its start, which judged lateness, µs since 1970-01-01 UTC; none before any event.
    pub watermark_us: Option<i64>,
    /// What was taken, in the order in which the windows took it.
    pub chunks: Vec<Chunk>,
    /// Offsets that were lost before they could be read, where the manifest says to continue.
    pub gaps: Vec<Gap>,
    pub set_aside: SetAside,
    /// What was taken from elsewhere than topics, in the order in which it was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    pub outbox: Vec<Outgoing>,
    /// Counts of this epoch alone.
    pub ledger: Ledger,
    /// Windows that were still open at its end were published, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed_all: bool,
    /// Whether the records were read with their headers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub headers: bool,
    /// The records that it took, in the order of the chunks, where the manifest says to keep them: Parquet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<BlobRef>,
}

/// What the next epoch begins with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// µs since 1970-01-01 UTC; none before any event.
    pub watermark_us: Option<i64>,
    pub partitions: Vec<Partition>,
    pub functions: Vec<Function>,
    /// SHA-256 of the pipeline's part of the manifest; none before the first commit.
    pub manifest: Option<Digest>,
    /// The window definitions, to refuse a changed one on old state.
    pub windows: serde_json::Value,
    /// All of the windows' state.
    pub parts: Vec<StatePart>,
    /// Counts since the chain began.
    pub ledger: Ledger,
    /// By sink: nothing after this seq may be published yet. A sink that is not named holds nothing back.
    pub released_through: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Live::is_empty")]
    pub live: Live,
}

/// Consecutive offsets of one partition that the windows took in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    pub topic: String,
    pub partition: i32,
    /// First offset.
    pub from: i64,
    /// Offset after the last.
    pub to: i64,
    /// Wall clock when it was fetched, µs since 1970-01-01 UTC: judges future event times.
    pub clock_us: i64,
}

/// Offsets that nobody will ever read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    pub topic: String,
    pub partition: i32,
    pub from: i64,
    /// Offset after the last.
    pub to: i64,
    pub why: String,
}

/// Records kept away from the windows; long lists are a blob that holds the same JSON list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SetAside {
    List(Vec<AsideRecord>),
    Blob(BlobRef),
}

impl Default for SetAside {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsideRecord {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// `trap`, `deadline` or `future`.
    pub why: String,
    /// In words, as its dead letter says it, where that does not follow from the record alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How far a partition has been read, and what the watermark knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    pub topic: String,
    /// Kafka's id, which changes when a topic is deleted and made again.
    pub topic_id: Option<String>,
    pub partition: i32,
    /// Offset of the first record that has not been taken.
    pub next: i64,
    /// µs since 1970-01-01 UTC; none before its first row.
    pub max_event_time_us: Option<i64>,
    pub idle: bool,
    /// Wall clock since when it has been at its end without a break, µs since 1970-01-01 UTC; none while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_end_since_us: Option<i64>,
    /// Wall clock of the commit at which its newest event time last rose, or at which it was first read, µs since
    /// 1970-01-01 UTC; none in records of programs that did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_since_us: Option<i64>,
}

impl Partition {
    /// What the watermark goes by.
    pub fn time(&self) -> PartitionTime {
        let mut time =
            PartitionTime::kept(self.max_event_time_us, self.at_end_since_us, self.stands_since_us);
        time.idle = self.idle;
        time
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Parse,
    Window,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Window => "window",
        }
    }
}

/// A function that made the results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub role: Role,
    pub name: String,
    /// SHA-256 of the component.
    pub digest: Digest,
    /// Package and version of its contract, such as `tallow:window@0.1.0`.
    pub contract: String,
    /// Version of the state that it writes; none for functions without state.
    pub state_version: Option<u32>,
    /// SHA-256 of the file that the manifest named when the pipeline last started, where another component has been
    /// swapped in since: as long as the file stays as it is, a start continues with the component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Digest>,
}

/// A blob of the same shard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobRef {
    pub name: BlobName,
    /// Bytes.
    pub length: u64,
}

/// The state of one group of keys under one window definition: `length` bytes of a blob, from `from` on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatePart {
    /// Name of the window definition.
    pub window: String,
    pub group: u32,
    pub blob: BlobRef,
    pub from: u64,
    pub length: u64,
}

/// Something that was taken from elsewhere than a topic, such as an exchange's answer: `length` bytes of a blob, from
/// `from` on, as they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What was asked for, for people.
    pub name: String,
    /// SHA-256 of the function that asked for it and read it.
    pub function: Digest,
    pub blob: BlobRef,
    pub from: u64,
    pub length: u64,
}

/// Finished bytes that a sink is to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    pub sink: String,
    /// The final name: for the lake a path under its root.
    pub name: String,
    pub rows: u64,
    /// SHA-256 of the rows in their canonical form, which does not depend on how they are stored.
    pub rows_digest: Digest,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    pub blob: BlobRef,
}

/// `from` to `through`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeqRange {
    pub from: u64,
    pub through: u64,
}

impl SeqRange {
    pub fn contains(&self, seq: u64) -> bool {
        (self.from..=self.through).contains(&seq)
    }
}

impl Record {
    /// Every blob that the record needs.
    pub fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        let set_aside = match &self.epoch.set_aside {
            SetAside::Blob(blob) => Some(blob),
            SetAside::List(_) => None,
        };
        let parts = self.state.parts.iter().map(|part| &part.blob);
        let inputs = self.epoch.inputs.iter().map(|input| &input.blob);
        let outbox = self.epoch.outbox.iter().map(|outgoing| &outgoing.blob);
        parts.chain(inputs).chain(outbox).chain(set_aside).chain(&self.epoch.archive)
    }

    /// How far a sink may publish, as this record knows it.
    pub fn released_through(&self, sink: &str) -> u64 {
        self.state.released_through.get(sink).copied().unwrap_or(self.seq)
    }

    /// How far a sink has published, as this record knows it; 0: nothing.
    pub fn published_through(&self, sink: &str) -> u64 {
        self.published_through.get(sink).copied().unwrap_or(0)
    }

    /// What names published by this record begin with: `<chain>-<shard>-<seq>`.
    pub fn commit_id(&self) -> String {
        commit_name(&self.chain, self.shard, self.seq)
    }
}
