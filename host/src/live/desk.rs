//! What is asked of a running pipeline: requests lie here until the pipeline comes to the end of an epoch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;
use tallow_engine::{Component, Part};
use tallow_log::record::{Mode, Role};

use super::shadow::Shadow;

/// Another component for a role, from the next epoch on.
pub struct Swap {
    pub role: Role,
    pub component: Arc<Component>,
    /// Of the state that it writes; none for functions without state.
    pub state_version: Option<u32>,
    pub mode: Mode,
    /// Epochs of probation; 0: none.
    pub epochs: u32,
    /// Time for each of the calls that take the state over. The pipeline waits for them, so it is short.
    pub deadline: Duration,
    /// Who or what asked, for people.
    pub why: String,
    /// Gets the outcome, once.
    pub reply: Sender<Outcome>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Swapped {
        /// The record that is the switch.
        seq: u64,
        /// How long the windows stood still for it.
        pause: Duration,
    },
    /// The old function goes on.
    Dropped { why: String },
}

/// The windows' state at the end of an epoch.
#[derive(Clone)]
pub struct StateCopy {
    pub parts: Vec<Part>,
    pub watermark_us: Option<i64>,
}

/// A rollback that somebody asks for.
pub struct Rollback {
    pub why: String,
    /// Gets the record that rolled back; an error says why there is none.
    pub reply: Sender<Result<u64, String>>,
}

#[derive(Default)]
pub struct Desk {
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    swap: Option<Swap>,
    copies: Vec<Sender<StateCopy>>,
    rollback: Option<Rollback>,
    shadow: Option<Arc<Shadow>>,
}

impl Desk {
    /// False: another swap is waiting.
    pub fn ask_swap(&self, swap: Swap) -> bool {
        let mut asked = self.lock();
        let free = asked.swap.is_none();
        if free {
            asked.swap = Some(swap);
        }
        free
    }

    pub fn ask_copy(&self, reply: Sender<StateCopy>) {
        self.lock().copies.push(reply);
    }

    pub fn ask_rollback(&self, rollback: Rollback) {
        self.lock().rollback = Some(rollback);
    }

    /// Puts a shadow beside the pipeline, instead of the one that is there.
    pub fn set_shadow(&self, shadow: Option<Arc<Shadow>>) {
        self.lock().shadow = shadow;
    }

    pub fn shadow(&self) -> Option<Arc<Shadow>> {
        self.lock().shadow.clone()
    }

    pub(crate) fn take_swap(&self) -> Option<Swap> {
        self.lock().swap.take()
    }

    pub(crate) fn take_copies(&self) -> Vec<Sender<StateCopy>> {
        std::mem::take(&mut self.lock().copies)
    }

    /// Why somebody wants a rollback. Where nobody is on probation there is none to be had, which is said.
    pub(crate) fn wants_rollback(&self, on_trial: bool) -> Option<String> {
        let mut asked = self.lock();
        if on_trial {
            return asked.rollback.as_ref().map(|rollback| rollback.why.clone());
        }
        let rollback = asked.rollback.take()?;
        let _ = rollback
            .reply
            .send(Err("no function is on probation: swap to the one that is wanted".to_owned()));
        None
    }

    pub(crate) fn take_rollback(&self) -> Option<Rollback> {
        self.lock().rollback.take()
    }

    /// The run is over: whoever waits learns it by the closed channel.
    pub fn clear(&self) {
        let mut asked = self.lock();
        (asked.swap, asked.copies) = (None, Vec::new());
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
