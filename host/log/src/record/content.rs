//! What the records of a log say beside their place in it: each kind of job has its own.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{BlobRef, Outgoing, Record};
use crate::Draft;
use crate::draft::Contradiction;

/// The content of a job's records.
pub trait Content: Clone + Debug + PartialEq {
    /// What happened since the record before.
    type Epoch: Clone + Debug + PartialEq + Serialize + DeserializeOwned;
    /// What the next epoch begins with.
    type State: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned;

    /// The epoch of a new owner, in which nothing happened.
    fn fence(state: &Self::State) -> Self::Epoch;

    /// What sinks are to publish of an epoch.
    fn outbox(epoch: &Self::Epoch) -> &[Outgoing];

    /// The blobs that the next epoch needs.
    fn state_blobs(state: &Self::State) -> Vec<&BlobRef>;

    /// The blobs of an epoch, its outbox aside.
    fn epoch_blobs(epoch: &Self::Epoch) -> Vec<&BlobRef>;

    /// How far a sink may publish; `None` if nothing holds it back.
    fn released_through(state: &Self::State, sink: &str) -> Option<u64>;

    /// Whether a draft can follow the newest record.
    fn check(draft: &Draft<Self>, newest: &Record<Self>) -> Result<(), Contradiction>;
}
