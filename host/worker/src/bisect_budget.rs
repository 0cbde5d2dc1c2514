//! How many calls may be spent on finding bad records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tallow_engine::CallError;
use tallow_sink::DeadLetter;

use crate::error::WorkerError;

/// Lines an epoch about records that are set aside.
const LOGGED: u64 = 20;

/// Calls that may still be spent on finding bad records in this epoch; shared by all workers.
pub struct BisectBudget {
    left: AtomicU64,
    whole: u64,
    /// Records that were set aside in this epoch.
    set_aside: AtomicU64,
}

impl BisectBudget {
    pub fn new(calls: u64) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(calls), whole: calls, set_aside: AtomicU64::new(0) })
    }

    /// A new epoch has begun.
    pub fn refill(&self) {
        self.left.store(self.whole, Ordering::Relaxed);
        self.set_aside.store(0, Ordering::Relaxed);
    }

    /// Logs that a record is set aside: the first ones of an epoch with a line each. All of them are dead letters.
    pub fn log_set_aside(&self, function: &str, letter: &DeadLetter) {
        match self.set_aside.fetch_add(1, Ordering::Relaxed) {
            0..LOGGED => {
                tracing::warn!(function, place = %letter.place, why = letter.reason, "a record is set aside");
            }
            LOGGED => tracing::warn!(
                function,
                "more records of this epoch are set aside, and not logged one by one: see its dead letters"
            ),
            _ => {}
        }
    }

    pub fn spend(&self, function: &str, last: &CallError) -> Result<(), WorkerError> {
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match spent {
            Ok(_) => Ok(()),
            Err(_) => Err(WorkerError::BisectBudget {
                function: function.to_owned(),
                calls: self.whole,
                last: last.to_string(),
            }),
        }
    }
}
