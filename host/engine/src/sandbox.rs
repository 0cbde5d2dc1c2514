//! What an instance holds of the host's, and its limits.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::ticks::Ticks;
use crate::wasi_state::WasiState;

/// Time that ends at a tick.
#[derive(Clone, Copy)]
pub(crate) struct Allowance {
    pub time: Duration,
    pub end: u64,
}

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
    pub limits: Limits,
    /// A component may have many memories: the cap is on their sum.
    pub memory_bytes: u64,
    /// What it was when the last call began.
    pub memory_before: u64,
    /// For the last call.
    pub deadline: Duration,
    pub table_entries: usize,
    /// Whether the memory cap has been hit: the trap that follows does not say so.
    pub refused_memory: bool,
    pub wasi: WasiState,
    pub ticks: Arc<Ticks>,
    pub allowance: Option<Allowance>,
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
