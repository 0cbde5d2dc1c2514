//! What a backfill remembers between its runs: what the exchange does not have. Format 1, JSON in a blob of the
//! newest commit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_log::job::read_blob;
use tallow_log::name::Folder;
use tallow_log::record::{BlobRef, Record, StatePart};
use tallow_log::status::last_records;
use tallow_log::{LogError, Store};

use super::Spans;
use crate::error::PipelineError;

/// Names the one part of a commit's state.
const PART: &str = "no-data";
const FORMAT: u32 = 1;

/// By symbol: spans for which the exchange has said that it has nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoData(pub BTreeMap<String, Spans>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    symbols: BTreeMap<String, Spans>,
}

impl NoData {
    pub fn of(&self, symbol: &str) -> Spans {
        self.0.get(symbol).cloned().unwrap_or_default()
    }

    /// Adds spans; whether any was new.
    pub fn add(&mut self, symbol: &str, spans: &Spans) -> bool {
        if spans.is_empty() {
            return false;
        }
        let known = self.0.entry(symbol.to_owned()).or_default();
        let all = known.union(spans);
        let grown = all != *known;
        *known = all;
        grown
    }

    pub fn encode(&self) -> Result<Vec<u8>, PipelineError> {
        let stored = Stored { format: FORMAT, symbols: self.0.clone() };
        serde_json::to_vec(&stored).map_err(|_| PipelineError::Broken)
    }

    pub fn part(blob: BlobRef) -> StatePart {
        StatePart { window: PART.to_owned(), group: 0, from: 0, length: blob.length, blob }
    }

    /// What a record's commit knew.
    pub fn read(store: &Store, folder: &Folder, record: &Record) -> Result<Self, PipelineError> {
        let Some(part) = record.state.parts.iter().find(|part| part.window == PART) else {
            return Ok(Self::default());
        };
        let bytes = read_blob(store, folder, &part.blob)?;
        let wrong = |why: String| {
            let name = &part.blob.name;
            PipelineError::Checkpoint(format!(
                "blob `{name}` is not what this program remembers: {why}. Run the version of tallow that wrote it"
            ))
        };
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if stored.format != FORMAT {
            return Err(wrong(format!("it is of format {}", stored.format)));
        }
        Ok(Self(stored.symbols))
    }
}

/// The log of a backfill. A pipeline's id has no dot, so no pipeline's log goes by that name.
pub fn job_name(backfill: &str) -> String {
    format!("backfill.{backfill}")
}

/// What the newest commit knew, without owning the log.
pub fn look(store: &Store, backfill: &str) -> Result<NoData, PipelineError> {
    let job = job_name(backfill);
    let folder = Folder::new(&job, 0).map_err(LogError::from)?;
    match last_records(store, &job, 0, 1)?.first() {
        Some(record) => NoData::read(store, &folder, record),
        None => Ok(NoData::default()),
    }
}
