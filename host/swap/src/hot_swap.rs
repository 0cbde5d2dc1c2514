//! Hot swap as the pipeline sees it: its hooks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow_array::RecordBatch;
use tallow_engine::{Component, Contract};
use tallow_log::record::Role;
use tallow_pipeline::Services;
use tallow_pipeline::functions::Functions;
use tallow_pipeline::hooks::{Change, EpochCopy, Hooks, Rollback};
use tallow_worker::plan::Plan;
use tallow_worker::{CallObserver, StateCopy};

use crate::call_timing::CallTiming;
use crate::invariants;
use crate::probation::Probation;
use crate::requests::SwapRequests;

/// Shared by a pipeline's stages and its clients. It lives longer than one run.
#[derive(Default)]
pub struct HotSwap {
    pub requests: SwapRequests,
    pub probation: Probation,
    pub timing: CallTiming,
    running: Mutex<Option<Functions>>,
}

/// A running pipeline whose functions are to change.
pub struct Target {
    pub services: Arc<Services>,
    pub swap: Arc<HotSwap>,
}

impl HotSwap {
    /// What runs; `None` before the first start.
    pub fn running(&self) -> Option<Functions> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CallObserver for HotSwap {
    fn called(&self, function: Contract, took: Duration, records: usize) {
        self.timing.add(role(function), took, records);
    }

    fn is_on_probation(&self, function: Contract) -> bool {
        self.probation.is_of(role(function))
    }
}

impl Hooks for HotSwap {
    fn change(&self) -> Option<Change> {
        if let Some(why) = self.requests.wants_rollback(self.probation.is_on()) {
            return Some(Change::RollBack { why });
        }
        let swap = self.requests.take_swap()?;
        self.timing.start_baseline(swap.role);
        if swap.epochs > 0 {
            self.probation.begin(swap.role);
        }
        Some(Change::Swap(Box::new(swap)))
    }

    fn take_rollback(&self) -> Option<Rollback> {
        self.requests.take_rollback()
    }

    fn set_probation(&self, role: Option<Role>) {
        match role {
            Some(role) => self.probation.begin(role),
            None => self.probation.end(),
        }
    }

    fn set_running(&self, functions: &Functions) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(functions.clone());
    }

    fn swapped(&self, role: Role, component: &Arc<Component>) {
        if let Some(running) = &mut *self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            running.set(role, component.clone());
        }
    }

    /// What follows from a window's aggregates, what the manifest says, and the time that calls take.
    fn judge(&self, plan: &Plan, window: &str, candles: &RecordBatch) -> Option<String> {
        let implied = plan.specs.iter().find(|spec| spec.name == window).map(invariants::implied);
        let invariants = [implied.unwrap_or_default(), plan.pipeline.swap.invariants.clone()].concat();
        if let Some(broken) = invariants::broken(&invariants, window, candles) {
            return Some(broken);
        }
        let role = if self.probation.is_of(Role::Parse) { Role::Parse } else { Role::Window };
        let slowest = plan.pipeline.swap.slowest_percent;
        let percent = self.timing.percent(role).filter(|percent| *percent > slowest)?;
        Some(format!(
            "takes {percent} % of its predecessor's time a record; `swap.slowest-percent` is {slowest}"
        ))
    }

    fn wants_epoch(&self) -> bool {
        self.requests.shadow().is_some_and(|shadow| shadow.wants_epoch())
    }

    fn epoch(&self, epoch: EpochCopy) {
        if let Some(shadow) = self.requests.shadow() {
            shadow.offer(epoch);
        }
    }

    fn give_state(&self, state: &dyn Fn() -> StateCopy) {
        for reply in self.requests.take_copies() {
            // The client may have gone away.
            let _ = reply.send(state());
        }
    }

    fn run_ended(&self) {
        self.requests.clear();
    }
}

fn role(function: Contract) -> Role {
    match function {
        Contract::Parse => Role::Parse,
        _ => Role::Window,
    }
}
