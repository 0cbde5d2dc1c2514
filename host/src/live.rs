//! Functions that change while a pipeline runs: a candidate is rehearsed beside the pipeline, shadows it, is
//! swapped in at an epoch's end, proves itself on probation, and is rolled back where it does not.
//!
//! In the order of a candidate's way; what decides is pure, and I/O stands beside it.

pub mod library;

pub mod functions;

pub mod candidate;
pub mod desk;
pub mod rehearse;
pub mod watch;

pub mod shadow;
pub mod verdict;

pub mod invariants;
pub mod speed;
pub mod trial;

pub mod remake;

use std::sync::{Mutex, PoisonError};

use self::desk::Desk;
use self::functions::Functions;
use self::speed::Speed;
use self::trial::Trial;

/// What the stages of a pipeline and those who ask something of it share.
#[derive(Default)]
pub struct Live {
    pub desk: Desk,
    pub trial: Trial,
    pub speed: Speed,
    running: Mutex<Option<Functions>>,
}

impl Live {
    /// What runs; none before the first start.
    pub fn running(&self) -> Option<Functions> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_running(&self, functions: Functions) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(functions);
    }
}
