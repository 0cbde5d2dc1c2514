//! What a function did that stops the work: no record is to blame, or none that can be found.

use tallow_engine::CallError;
use tallow_env::exit;

use crate::state_limit::{Held, StateLimit};

#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// May work later: nothing of the epoch was committed.
    #[error("remote function `{function}`, {call}: {why}")]
    Remote { function: String, call: &'static str, why: String },
    #[error("function `{function}`, {call}: {why}")]
    Function { function: String, call: &'static str, why: String },
    /// All that a window function holds is too large for a limit.
    #[error("{0}")]
    State(Box<StateLimit>),
    #[error(
        "function `{function}` fails on a batch from {place} on, but on no record of it alone: {error}. It is not \
         a record that can be set aside; fix the function"
    )]
    Unrepeatable { function: String, place: String, error: String },
    #[error(
        "function `{function}` failed more than {calls} times in one epoch (last: {last}). That many bad records \
         are more likely a bad function; raise `limits.bisect-calls` to continue looking for them"
    )]
    BisectBudget { function: String, calls: u64, last: String },
    #[error("function `{function}` is on probation: {why}")]
    Probation { function: String, why: String },
    #[error(
        "{place}: {reason}. The manifest says `on-reject = \"fail\"`; \"dead-letter\" keeps the record and continues"
    )]
    BadRecord { place: String, reason: String },
}

impl WorkerError {
    /// A call that no record of its batch is to blame for.
    pub fn of_call(function: String, call: &'static str, error: &CallError) -> Self {
        match error {
            CallError::Remote(why) => Self::Remote { function, call, why: why.clone() },
            CallError::Refused(why) => Self::Function { function, call, why: why.clone() },
            other => Self::Function { function, call, why: other.to_string() },
        }
    }

    /// A call that works on all that a window function holds.
    pub fn of_state(call: &'static str, error: &CallError, held: &Held<'_>) -> Self {
        match StateLimit::new(call, error, held) {
            Some(limit) => Self::State(Box::new(limit)),
            None => Self::of_call(held.function.component.name().to_owned(), call, error),
        }
    }

    /// Whether another function might do better.
    pub fn blames_function(&self) -> bool {
        !matches!(self, Self::Remote { .. })
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::BadRecord { .. } => exit::DATA,
            Self::Remote { .. } => exit::UNAVAILABLE,
            _ => exit::FAILED,
        }
    }
}
