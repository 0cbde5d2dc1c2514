//! State that passes from one window function to another.

use tallow_engine::{CallError, Component, Limits, Part, WindowFunction};
use tallow_worker::{Plan, StateCopy};

#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    #[error("it does not take the state over: {0}")]
    Restore(CallError),
    #[error("it does not save its state: {0}")]
    Save(CallError),
    #[error("it does not count what it holds: {0}")]
    Stats(CallError),
    #[error("of the state of window `{window}` it holds {holds} rows, and the function before held {before}")]
    Rows { window: String, holds: u64, before: u64 },
}

/// An instance that holds the state, and all of the state as it writes it.
pub fn hand_over(
    component: &Component,
    plan: &Plan,
    limits: Limits,
    state: &StateCopy,
) -> Result<(WindowFunction, Vec<Part>), HandoverError> {
    let mut function = state.open(component, limits, &plan.specs).map_err(HandoverError::Restore)?;
    let saved = function.snapshot(0).map_err(HandoverError::Save)?;
    Ok((function, saved.parts))
}

/// (row, window) pairs held open, by spec.
pub fn open_assignments(function: &mut WindowFunction) -> Result<Vec<(u32, u64)>, HandoverError> {
    let stats = function.stats().map_err(HandoverError::Stats)?;
    Ok(stats.iter().map(|it| (it.spec, it.open_assignments)).collect())
}
