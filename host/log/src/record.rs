//! A record of the log: everything that a restart, a replay or a person needs to know of one commit.
//! A record is whole: the newest one is enough to continue from.

mod content;
mod format;
mod live;
mod pipeline;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::BlobName;
use tallow_lake::tables::commit_name;
use tallow_store::Digest;

pub use content::Content;
pub use format::FormatError;
pub use live::{Change, Live, Mode, Probation, What};
pub use pipeline::{
    AsideRecord, Chunk, Epoch, Function, Gap, Input, Partition, Pipeline, Role, SetAside, State, StatePart,
    check_ledgers,
};

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

/// `C`: what it says beside its place in the log, by the kind of the log's job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct Record<C: Content = Pipeline> {
    /// Place in the log, from 1.
    pub seq: u64,
    pub kind: Kind,
    /// SHA-256 of the whole bytes of the record before; `None` in the first.
    pub parent: Option<Digest>,
    /// Born in the shard's first record; part of every name that is published.
    pub chain: String,
    pub shard: u32,
    /// Fencing number: one more with each owner.
    pub term: u64,
    pub writer: Writer,
    /// Wall clock when it was written, µs since 1970-01-01 UTC.
    pub at_us: i64,
    pub epoch: C::Epoch,
    pub state: C::State,
    /// By sink: everything up to this seq has been published.
    pub published_through: BTreeMap<String, u64>,
    /// What a rollback made void.
    pub voided: Option<SeqRange>,
}

/// A blob of the same shard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobRef {
    pub name: BlobName,
    /// Bytes.
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

impl<C: Content> Record<C> {
    /// What sinks are to publish.
    pub fn outbox(&self) -> &[Outgoing] {
        C::outbox(&self.epoch)
    }

    /// Every blob that the record needs.
    pub fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        let outbox = self.outbox().iter().map(|outgoing| &outgoing.blob);
        C::state_blobs(&self.state).into_iter().chain(C::epoch_blobs(&self.epoch)).chain(outbox)
    }

    /// How far a sink may publish, as this record knows it.
    pub fn released_through(&self, sink: &str) -> u64 {
        C::released_through(&self.state, sink).unwrap_or(self.seq)
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
