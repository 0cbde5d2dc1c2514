//! Requests to a running pipeline. They wait here for the end of an epoch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use tallow_pipeline::hooks::{Rollback, Swap};
use tallow_worker::StateCopy;

use crate::shadow::Shadow;

#[derive(Default)]
pub struct SwapRequests {
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    swap: Option<Swap>,
    copies: Vec<Sender<StateCopy>>,
    rollback: Option<Rollback>,
    shadow: Option<Arc<Shadow>>,
}

impl SwapRequests {
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

    /// Why a rollback is wanted. If nothing is on probation, the request is rejected.
    pub(crate) fn wants_rollback(&self, on_probation: bool) -> Option<String> {
        let mut asked = self.lock();
        if on_probation {
            return asked.rollback.as_ref().map(|rollback| rollback.why.clone());
        }
        let rollback = asked.rollback.take()?;
        let _ = rollback.reply.send(None);
        None
    }

    pub(crate) fn take_rollback(&self) -> Option<Rollback> {
        self.lock().rollback.take()
    }

    /// The run is over: waiting clients see it by the closed channel.
    pub fn clear(&self) {
        let mut asked = self.lock();
        (asked.swap, asked.copies) = (None, Vec::new());
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
