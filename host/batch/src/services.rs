//! What a job touches.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tallow_engine::Component;
use tallow_env::{Clock, Random};
use tallow_store::Store;

use crate::plan::Plan;

/// Everything that a job touches, real or in memory.
pub struct Services {
    pub plan: Plan,
    pub parse: Component,
    pub window: Component,
    pub merge: Component,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Set from outside: stop as soon as possible.
    pub stop: Arc<AtomicBool>,
    /// Shown how far the job is.
    pub watch: Box<dyn Fn(&Progress) + Send + Sync>,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The group that is read: a symbol, or nothing where a column says it.
    pub group: String,
    /// Of all files, as they are.
    pub bytes: u64,
    pub bytes_done: u64,
    pub lines: u64,
    /// Where the group's lines are read and its rows had to be sorted: those that went into the windows, of how many.
    pub sorted: Option<(u64, u64)>,
    pub elapsed: Duration,
}
