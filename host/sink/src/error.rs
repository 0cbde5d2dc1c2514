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
        "the log has `{name}` to be published by sink `{sink}`, which the manifest does not ask for any more, or this \
         version of tallow does not have. Put the sink back until that is out"
    )]
    Unknown { sink: String, name: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Try again: a service does not answer, or not in time. What was sent last may be out or not: publishing again
    /// finds out.
    #[error("{service} does not take results: {why}")]
    Unreachable { service: String, why: String },
    /// Another process publishes for this shard, or the service gave this one up.
    #[error("fenced: {service} takes no more results from this process: {why}")]
    Fenced { service: String, why: String },
    /// Stop: something that results go to does not exist. `key`: where the manifest names it.
    #[error("topic `{topic}` does not exist on {brokers}: create it, or correct {key}")]
    NoTopic { topic: String, brokers: String, key: String },
    /// Stop: the service refuses, and will again.
    #[error("{service}: {why}")]
    Refused { service: String, why: String },
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
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Unreachable { .. } => true,
            _ => false,
        }
    }
}
