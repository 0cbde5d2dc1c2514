//! State that passes from one window function to another.

use tallow_engine::{CallError, Component, Limits, Part, WindowFunction};
use tallow_worker::StateCopy;

use tallow_worker::plan::Plan;

/// An instance that holds the state, and all of the state as it writes it.
pub fn hand_over(
    component: &Component,
    plan: &Plan,
    limits: Limits,
    state: &StateCopy,
) -> Result<(WindowFunction, Vec<Part>), String> {
    let opened = state.open(component, limits, &plan.specs);
    let mut function = opened.map_err(|error| format!("it does not take the state over: {error}"))?;
    let saved = function.snapshot(0).map_err(|error| format!("it does not save its state: {error}"))?;
    Ok((function, saved.parts))
}

/// (row, window) pairs held open, by spec.
pub fn open_assignments(function: &mut WindowFunction) -> Result<Vec<(u32, u64)>, String> {
    let stats =
        function.stats().map_err(|error: CallError| format!("it does not tell its state: {error}"))?;
    Ok(stats.iter().map(|it| (it.spec, it.open_assignments)).collect())
}
