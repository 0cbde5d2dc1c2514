//! What the pipeline asks of a sink.

use std::sync::Arc;

use bytes::Bytes;
use tallow_store::{Create, Digest, Store};

use crate::{EpochOutput, SinkError};

/// One finished object of an epoch: it waits in the outbox until the epoch is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// [`Sink::name`] of the sink that made it and publishes it.
    pub sink: &'static str,
    /// Final name, from the commit's chain, shard and seq: the path in the lake.
    pub name: String,
    pub bytes: Bytes,
    pub rows: u64,
    /// [`crate::rows_digest`] of its rows.
    pub rows_digest: Digest,
}

pub trait Sink: Send + Sync {
    /// Names the sink in the checkpoint log; never changes.
    fn name(&self) -> &'static str;

    /// The epoch's output as finished objects, none if there is nothing to say. Pure: the same output gives
    /// the same items, byte by byte.
    fn prepare(&self, output: &EpochOutput<'_>) -> Result<Vec<Item>, SinkError>;

    /// Makes one committed item visible under its final name. Any number of publishers may do so, any number of
    /// times. [`SinkError::Conflict`]: the name holds something else, which stays as it is.
    fn publish(&self, name: &str, bytes: Bytes) -> Result<(), SinkError>;

    /// Whether it writes down, where its readers are, through which commit it has published. Publishing twice is then
    /// no matter of names, and what it says is held against the log at a start.
    fn keeps_marker(&self) -> bool {
        false
    }

    /// How many commits the log may be ahead of what it has published, while its service is away. With 0 the pipeline waits
    /// at once.
    fn backlog(&self) -> u64 {
        0
    }

    /// Whether what it needs is there. Asked before an older owner is fenced.
    fn check(&self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Fences whoever publishes for this shard of the chain, and gives the commit through which everything is out, for
    /// a sink that keeps a marker; `None` if there is no marker.
    fn take_over(&self, _chain: &str, _shard: u32) -> Result<Option<u64>, SinkError> {
        Ok(None)
    }
}

/// Publishes a committed item, by the sink that made it.
pub fn publish(sinks: &[Arc<dyn Sink>], sink: &str, name: &str, bytes: Bytes) -> Result<(), SinkError> {
    match sinks.iter().find(|it| it.name() == sink) {
        Some(sink) => sink.publish(name, bytes),
        None => Err(SinkError::Unknown { sink: sink.to_owned(), name: name.to_owned() }),
    }
}

/// Publishes an item as an object of a store.
pub(crate) fn publish_object(store: &Store, name: &str, bytes: Bytes) -> Result<(), SinkError> {
    match store.create(name, bytes.clone())? {
        Create::Created => Ok(()),
        Create::Exists { theirs } => Err(SinkError::Conflict {
            name: name.to_owned(),
            held: Digest::of(&theirs),
            wanted: Digest::of(&bytes),
        }),
    }
}
