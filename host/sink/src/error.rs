//! What can go wrong in a sink, by what the caller should do.

use tallow_store::{Digest, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Stop: another process wrote this name, or the same epoch gave two outputs.
    #[error(
        "`{name}` exists with other content (sha256 {held}, wanted {wanted}): stopped, nothing was overwritten. \
         Compare the two; another pipeline may write to the same place under the same name"
    )]
    Conflict { name: String, held: Digest, wanted: Digest },
    /// Stop: another version wrote the log.
    #[error(
        "the log has `{name}` to be published by sink `{sink}`, which this version of tallow does not have"
    )]
    Unknown { sink: String, name: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stop: a function or the host gave a table that does not keep the contract.
    #[error("pipeline `{pipeline}`, window `{window}`: {why}")]
    Table { pipeline: String, window: String, why: String },
    /// Stop: a file could not be encoded.
    #[error("`{name}` cannot be written as Parquet: {why}")]
    Encode { name: String, why: String },
}

impl SinkError {
    /// Whether the same call may work later. Everything else halts the pipeline.
    pub fn is_transient(&self) -> bool {
        matches!(self, SinkError::Store(error) if error.is_transient())
    }
}
