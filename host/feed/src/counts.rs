//! What a feed has done so far.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Records that Kafka has acknowledged, holes included.
    pub records: u64,
    /// Of the records that were sent: those that were requested because the socket did not bring them.
    pub refetched: u64,
    /// Records whose id had come before.
    pub duplicates: u64,
    /// Records that waited for one before them.
    pub waited: u64,
    /// Records that were dropped because too many waited, and requested again.
    pub dropped: u64,
    /// Records of holes, and the ids in them.
    pub holes: u64,
    pub missing_ids: u64,
    /// Ids that the topic did not hold between others when the feed began.
    pub lacking_ids: u64,
    /// Connections of the plan, and those that are open.
    pub connections: u64,
    pub connected: u64,
    /// Connections that broke.
    pub interruptions: u64,
    pub requests: u64,
    /// Requests that were tried again.
    pub retries: u64,
    /// Refusals of the exchange.
    pub refusals: u64,
    /// Frames that the function does not know.
    pub unknown: u64,
}

/// Counts that another thread looks at.
#[derive(Debug, Default)]
pub struct Progress(Mutex<Counts>);

impl Progress {
    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
