//! How many calls may be spent on finding bad records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tallow_engine::CallError;

use crate::error::WorkerError;

/// Calls that may still be spent on finding bad records in this epoch; shared by all workers.
pub struct BisectBudget {
    left: AtomicU64,
    whole: u64,
}

impl BisectBudget {
    pub fn new(calls: u64) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(calls), whole: calls })
    }

    /// A new epoch has begun.
    pub fn refill(&self) {
        self.left.store(self.whole, Ordering::Relaxed);
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
