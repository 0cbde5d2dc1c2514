//! One instance's store: its limits, and what a failed call means.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{ResourceLimiter, Store, Trap};

use crate::CallError;
use crate::component::{Allowance, Local};
use crate::ticks::{TICK, Ticks};
use crate::wasi;

/// What one instance may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, all of an instance's memories together.
    pub memory_bytes: u64,
    /// Time for one call.
    pub deadline: Duration,
    /// What one call may give back.
    pub output_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes: 512 << 20, deadline: Duration::from_secs(2), output_bytes: 64 << 20 }
    }
}

/// Entries of all tables together: what a large program's function pointers need, and no way around the
/// memory cap.
const TABLE_ENTRIES: usize = 1 << 20;

pub(crate) struct Sandbox {
    limits: Limits,
    /// A component may have many memories: the cap is on their sum.
    memory_bytes: u64,
    /// What it was when the last call began.
    memory_before: u64,
    /// For the last call.
    deadline: Duration,
    table_entries: usize,
    /// Whether the memory cap has been hit: the trap that follows does not say so.
    refused_memory: bool,
    pub wasi: wasi::State,
    ticks: Arc<Ticks>,
    allowance: Option<Allowance>,
}

impl ResourceLimiter for Sandbox {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.memory_bytes + (desired - current) as u64;
        if total > self.limits.memory_bytes {
            self.refused_memory = true;
            wasmtime::bail!("memory cap");
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table_entries + (desired - current);
        if total > TABLE_ENTRIES || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.table_entries = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        1000
    }

    fn tables(&self) -> usize {
        100
    }

    // Each reserves gigabytes of addresses.
    fn memories(&self) -> usize {
        16
    }
}

/// A store with its limits set.
pub(crate) fn sandbox(component: &Local, limits: Limits) -> Store<Sandbox> {
    let sandbox = Sandbox {
        limits,
        memory_bytes: 0,
        memory_before: 0,
        deadline: limits.deadline,
        table_entries: 0,
        refused_memory: false,
        wasi: wasi::State::default(),
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
