//! What a pipeline's records say.

mod check;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_epoch::{Ledger, PartitionTime};
use tallow_store::Digest;

use super::{BlobRef, Content, Kind, Live, Outgoing, Record};
use crate::Draft;
use crate::draft::Contradiction;

pub use check::check_ledgers;

/// A pipeline's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipeline;

/// What happened since the record before. Empty in a fence and in a rollback.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// The wall clock given to the epoch's end, µs since 1970-01-01 UTC.
    pub clock_us: Option<i64>,
    /// The watermark at its start, which judged lateness, µs since 1970-01-01 UTC; `None` before any event.
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
    /// µs since 1970-01-01 UTC; `None` before any event.
    pub watermark_us: Option<i64>,
    pub partitions: Vec<Partition>,
    pub functions: Vec<Function>,
    /// SHA-256 of the pipeline's part of the manifest; `None` before the first commit.
    pub manifest: Option<Digest>,
    /// The window definitions, to refuse a changed one on old state.
    pub windows: serde_json::Value,
    /// All of the windows' state.
    pub parts: Vec<StatePart>,
    /// The whole result of windows whose topic gets it at each change, by window.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub whole: BTreeMap<String, WholeBlobs>,
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
    /// µs since 1970-01-01 UTC; `None` before its first row.
    pub max_event_time_us: Option<i64>,
    pub idle: bool,
    /// Wall clock since when it has been at its end without a break, µs since 1970-01-01 UTC; `None` while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_end_since_us: Option<i64>,
    /// Wall clock of the commit at which its newest event time last rose, or at which it was first read, µs since
    /// 1970-01-01 UTC; `None` in records of programs that did not note it.
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
    /// Version of the state that it writes; `None` for functions without state.
    pub state_version: Option<u32>,
    /// SHA-256 of the file that the manifest named when the pipeline last started, where another component has been
    /// swapped in since: as long as the file stays as it is, a start continues with the component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Digest>,
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

/// The rows of a window definition, in Arrow's stream format, if there are such rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WholeBlobs {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<BlobRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<BlobRef>,
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

impl Content for Pipeline {
    type Epoch = Epoch;
    type State = State;

    fn fence(state: &State) -> Epoch {
        Epoch { watermark_us: state.watermark_us, ..Epoch::default() }
    }

    fn outbox(epoch: &Epoch) -> &[Outgoing] {
        &epoch.outbox
    }

    fn state_blobs(state: &State) -> Vec<&BlobRef> {
        let whole = state.whole.values().flat_map(|it| it.closed.iter().chain(&it.open));
        state.parts.iter().map(|part| &part.blob).chain(whole).collect()
    }

    fn epoch_blobs(epoch: &Epoch) -> Vec<&BlobRef> {
        let set_aside = match &epoch.set_aside {
            SetAside::Blob(blob) => Some(blob),
            SetAside::List(_) => None,
        };
        let inputs = epoch.inputs.iter().map(|input| &input.blob);
        inputs.chain(set_aside).chain(&epoch.archive).collect()
    }

    fn released_through(state: &State, sink: &str) -> Option<u64> {
        state.released_through.get(sink).copied()
    }

    /// Watermark, offsets and ledger continue from the newest record, without a hole and without an overlap.
    fn check(draft: &Draft, newest: &Record) -> Result<(), Contradiction> {
        match draft.kind {
            Kind::Rollback => check::rollback(draft, newest),
            Kind::Fence | Kind::Commit | Kind::Swap => check::epoch(draft, newest),
        }
    }
}
