//! The seam at which functions of a running pipeline change. The pipeline knows how: another function from an epoch's end on,
//! results that wait, a return to an earlier record. The hooks decide whether and when.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use crossbeam_channel::Sender;
use tallow_engine::{Component, Contract};
use tallow_log::record::{Mode, Role};
use tallow_worker::{CallObserver, ParsedSlice, StateCopy};

use crate::functions::Functions;
use tallow_worker::plan::Plan;

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
    /// The old function continues.
    Dropped { why: String },
}

/// A request to return to the function before the one on probation.
pub struct Rollback {
    pub why: String,
    /// Gets the record that rolled back; `None` if no function was on probation.
    pub reply: Sender<Option<u64>>,
}

/// What is to happen between two epochs.
pub enum Change {
    Swap(Box<Swap>),
    /// Nothing since the last commit counts; the run ends, and the next one starts from before the swap.
    RollBack {
        why: String,
    },
}

/// An epoch that the pipeline has finished.
pub struct EpochCopy {
    /// The state where it began.
    pub before: StateCopy,
    /// The watermark where it ended.
    pub watermark_us: Option<i64>,
    pub slices: Vec<ParsedSlice>,
}

/// What may change a running pipeline, and what is reported for that. Called in the sequencer's order, so a change takes
/// effect at an epoch's end. By default nothing changes.
pub trait Hooks: CallObserver {
    /// What is to change, asked at each epoch's end.
    fn change(&self) -> Option<Change> {
        None
    }

    /// The request that a rollback answers, if there is one.
    fn take_rollback(&self) -> Option<Rollback> {
        None
    }

    /// A function of that role is on probation from here on, or none is.
    fn set_probation(&self, _role: Option<Role>) {}

    /// What runs from the start on.
    fn set_running(&self, _functions: &Functions) {}

    /// Another component has the role from here on.
    fn swapped(&self, _role: Role, _component: &Arc<Component>) {}

    /// What must hold for candles of a function on probation, and does not.
    fn judge(&self, _plan: &Plan, _window: &str, _candles: &RecordBatch) -> Option<String> {
        None
    }

    /// Whether [`Hooks::epoch`] is to get the epoch that ends.
    fn wants_epoch(&self) -> bool {
        false
    }

    fn epoch(&self, _epoch: EpochCopy) {}

    /// Gives the state to those who asked for it.
    fn give_state(&self, _state: &dyn Fn() -> StateCopy) {}

    /// The run is over: pending requests get no answer.
    fn run_ended(&self) {}

    /// The role whose function is on probation.
    fn on_probation(&self) -> Option<Role> {
        let roles = [(Contract::Parse, Role::Parse), (Contract::Window, Role::Window)];
        roles.into_iter().find(|(contract, _)| self.is_on_probation(*contract)).map(|(_, role)| role)
    }
}

impl Hooks for tallow_worker::Unobserved {}
