//! One instance's store: its limits, and what a failed call means.

use std::time::Duration;

use wasmtime::{Store, Trap};

use crate::CallError;
use crate::local::Local;
use crate::sandbox::{Limits, Sandbox};
use crate::ticks::TICK;
use crate::wasi_state::WasiState;

/// A store with its limits set.
pub(crate) fn sandbox(component: &Local, limits: Limits) -> Store<Sandbox> {
    let sandbox = Sandbox {
        limits,
        memory_bytes: 0,
        memory_before: 0,
        deadline: limits.deadline,
        table_entries: 0,
        refused_memory: false,
        wasi: WasiState::default(),
        ticks: component.ticks.clone(),
        allowance: component.allowance,
    };
    let mut store = Store::new(&component.engine, sandbox);
    store.limiter(|sandbox| sandbox);
    store.set_hostcall_fuel(usize::try_from(limits.output_bytes).unwrap_or(usize::MAX));
    arm(&mut store);
    store
}

/// A call that works on all of a state has the deadline once for each of so many bytes of memory.
const STATE_STEP_BYTES: u64 = 64 << 20;

/// Starts the deadline of the call that follows, and its randomness.
pub(crate) fn arm(store: &mut Store<Sandbox>) {
    let deadline = store.data().limits.deadline;
    arm_for(store, deadline);
}

/// [`arm`], for a call whose work grows with the state that is held, or with `more_bytes` that are to be held.
pub(crate) fn arm_by_state(store: &mut Store<Sandbox>, more_bytes: u64) {
    let bytes = store.data().memory_bytes.max(more_bytes);
    let steps = u32::try_from(bytes / STATE_STEP_BYTES).unwrap_or(u32::MAX).saturating_add(1);
    let deadline = store.data().limits.deadline.saturating_mul(steps);
    arm_for(store, deadline);
}

fn arm_for(store: &mut Store<Sandbox>, deadline: Duration) {
    let sandbox = store.data_mut();
    sandbox.wasi.begin();
    sandbox.deadline = deadline;
    sandbox.memory_before = sandbox.memory_bytes;
    let ticks = deadline.as_millis().div_ceil(TICK.as_millis());
    let ticks = u64::try_from(ticks).unwrap_or(u64::MAX / 2).saturating_add(1);
    let left = sandbox.allowance.map_or(u64::MAX, |it| it.end.saturating_sub(sandbox.ticks.count()));
    store.set_epoch_deadline(ticks.min(left));
}

/// Bytes of memory that the instance had when the last call began.
pub(crate) fn memory_before(store: &Store<Sandbox>) -> u64 {
    store.data().memory_before
}

pub(crate) fn limits(store: &Store<Sandbox>) -> Limits {
    store.data().limits
}

/// Gives the instance another deadline from the next call on.
pub(crate) fn set_deadline(store: &mut Store<Sandbox>, deadline: Duration) {
    store.data_mut().limits.deadline = deadline;
}

/// Says what a failed call means.
pub(crate) fn call_error(store: &Store<Sandbox>, error: wasmtime::Error) -> CallError {
    let limits = store.data().limits;
    if store.data().refused_memory {
        return CallError::Memory { cap_bytes: limits.memory_bytes };
    }
    if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        let spent = store.data().allowance.filter(|it| it.end <= store.data().ticks.count());
        if let Some(allowance) = spent {
            return CallError::Allowance { all_ms: allowance.time.as_millis() as u64 };
        }
        return CallError::Deadline { deadline_ms: store.data().deadline.as_millis() as u64 };
    }
    let text = error.chain().last().map_or_else(|| error.to_string(), |cause| cause.to_string());
    if text.contains("fuel allocated for hostcalls") {
        return CallError::Output { cap_bytes: limits.output_bytes };
    }
    match error.downcast_ref::<Trap>() {
        Some(_) => CallError::Trap(text),
        // Lifting failed: pointers out of bounds, text that is not UTF-8, a discriminant that does not exist.
        None => CallError::Contract(text),
    }
}
