//! A partition between its making and its commit.

use serde::{Deserialize, Serialize};
use tallow_log::record::{BlobRef, Outgoing};
use tallow_store::Digest;

use crate::state::{Input, PartitionState, TableState};

/// Names the tables in the log, as sinks do.
pub(crate) const SINK: &str = "table";

/// A partition whose bytes are in the store and that no run has taken: nobody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    pub path: String,
    pub rows: u64,
    /// SHA-256 of the rows in their canonical form.
    pub rows_digest: Digest,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// What it was made of, sorted.
    pub inputs: Vec<Input>,
    /// `None` if the job's newest commit had the same bytes under this path.
    pub blob: Option<BlobRef>,
}

impl Stored {
    /// Whether its bytes can still be had: those that were in a commit may have been replaced since.
    pub fn holds(&self, state: &TableState) -> bool {
        let committed = state.partitions.get(&self.path);
        self.blob.is_some() || committed.is_some_and(|partition| partition.digest == self.digest)
    }

    /// What a commit says about it. `since`: the run since which there is a partition under its path.
    pub(crate) fn state(&self, since: u64) -> PartitionState {
        PartitionState {
            rows: self.rows,
            rows_digest: self.rows_digest,
            digest: self.digest,
            size: self.size,
            since,
            inputs: self.inputs.clone(),
        }
    }

    /// What a commit is to publish of it; nothing where it is there.
    pub(crate) fn outgoing(self) -> Option<Outgoing> {
        let Self { path, rows, rows_digest, digest, blob, .. } = self;
        Some(Outgoing { sink: SINK.to_owned(), name: path, rows, rows_digest, digest, blob: blob? })
    }
}
