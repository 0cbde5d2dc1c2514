//! What a job's newest commit says about its tables: format 1, JSON in a blob of the commit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_store::{Digest, Listed};

use crate::TableError;

const FORMAT: u32 = 1;

/// A job's tables as they are once its newest commit is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableState {
    format: u32,
    /// Number of the run that committed it; 0: none has.
    pub run: u64,
    /// By path.
    pub partitions: BTreeMap<String, PartitionState>,
    /// Paths that the run removes.
    pub removed: Vec<String>,
    /// The newest runs, oldest first.
    pub runs: Vec<RunState>,
    /// The job's own.
    pub notes: serde_json::Value,
}

/// A partition's object, and what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionState {
    pub rows: u64,
    /// SHA-256 of the rows in their canonical form.
    pub rows_digest: Digest,
    /// SHA-256 of the object.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Run since which the partition has been there without a break.
    pub since: u64,
    /// What it was made of, sorted.
    pub inputs: Vec<Input>,
}

/// Something that a partition was made of: another tag means that it has changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// An object's path, or a name of the job's own.
    pub name: String,
    /// An object's size and tag, or a digest.
    pub tag: String,
}

impl From<&Listed> for Input {
    fn from(listed: &Listed) -> Self {
        Self { name: listed.path.clone(), tag: format!("{} {}", listed.size, listed.tag) }
    }
}

/// A run that changed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    pub run: u64,
    /// Wall clock, µs since 1970-01-01 UTC.
    pub at_us: i64,
    /// Partitions that it wrote and removed.
    pub written: u64,
    pub removed: u64,
    /// The run whose tables it brought back, where it did.
    pub restored: Option<u64>,
}

impl Default for TableState {
    fn default() -> Self {
        Self {
            format: FORMAT,
            run: 0,
            partitions: BTreeMap::new(),
            removed: Vec::new(),
            runs: Vec::new(),
            notes: serde_json::Value::Null,
        }
    }
}

impl TableState {
    /// The bytes of the blob. `job`: for the error.
    pub(crate) fn encode(&self, job: &str) -> Result<Vec<u8>, TableError> {
        serde_json::to_vec_pretty(self).map_err(|error| wrong(job, error))
    }

    pub(crate) fn decode(job: &str, bytes: &[u8]) -> Result<Self, TableError> {
        let state: Self = serde_json::from_slice(bytes).map_err(|error| wrong(job, error))?;
        if state.format != FORMAT {
            let why = format!("it is of format {}, and this program reads format {FORMAT}", state.format);
            return Err(wrong(job, why));
        }
        Ok(state)
    }
}

fn wrong(job: &str, why: impl ToString) -> TableError {
    TableError::State { job: job.to_owned(), why: why.to_string() }
}
