//! Where an epoch began: the state that was saved last, to begin again from there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tallow_engine::{CallError, Component, Limits, Part, WindowFunction};

use crate::error::WorkerError;
use crate::slices::ParsedSlice;
use crate::state::{Sandboxed, StateCopy, forget_changes};
use crate::state_limit::Held;

/// A window component, and the state where the epoch began.
pub struct EpochStart {
    pub(crate) function: Sandboxed,
    parts: BTreeMap<(u32, u32), Vec<u8>>,
    watermark_us: Option<i64>,
}

impl EpochStart {
    pub fn new(function: Sandboxed, state: &StateCopy) -> Self {
        let mut start = Self { function, parts: BTreeMap::new(), watermark_us: None };
        start.save(&state.parts, state.watermark_us);
        start
    }

    /// Keeps a snapshot's changes: the next epoch begins there.
    pub fn save(&mut self, changed: &[Part], watermark_us: Option<i64>) {
        self.parts.extend(changed.iter().map(|part| ((part.spec, part.group), part.bytes.clone())));
        self.watermark_us = watermark_us;
    }

    /// Another component, with all of the state as it writes it.
    pub fn switch(&mut self, component: Arc<Component>, parts: &[Part]) {
        self.function.component = component;
        self.parts.clear();
        self.save(parts, self.watermark_us);
    }

    pub fn state(&self) -> StateCopy {
        let parts = self.parts.iter();
        let part = |((spec, group), bytes): (&(u32, u32), &Vec<u8>)| Part {
            spec: *spec,
            group: *group,
            bytes: bytes.clone(),
        };
        StateCopy { parts: parts.map(part).collect(), watermark_us: self.watermark_us }
    }

    pub(crate) fn name(&self) -> &str {
        self.function.component.name()
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.function.limits.deadline
    }

    /// An instance without any state.
    pub fn empty(&self, deadline: Duration) -> Result<WindowFunction, WorkerError> {
        let limits = Limits { deadline, ..self.function.limits };
        WindowFunction::open(&self.function.component, limits, &self.function.specs)
            .map_err(|error| self.failed(&error))
    }

    /// An instance that holds the state.
    pub(crate) fn restore(&self, deadline: Duration) -> Result<WindowFunction, CallError> {
        let Sandboxed { component, limits, specs, updates } = &self.function;
        let limits = Limits { deadline, ..*limits };
        let StateCopy { parts, watermark_us } = self.state();
        let watermark_us = watermark_us.unwrap_or(i64::MIN);
        let mut function = WindowFunction::restore(component, limits, specs, watermark_us, &parts)?;
        forget_changes(&mut function, *updates)?;
        Ok(function)
    }

    /// Why a call failed that works on all that is held. At a limit: the state is too large for it.
    pub fn too_large<'a>(
        &self,
        call: &'static str,
        error: &CallError,
        taken: impl Iterator<Item = &'a ParsedSlice>,
    ) -> WorkerError {
        let taken = taken.map(|slice| &slice.parsed.rows).collect();
        WorkerError::of_state(call, error, &Held { function: &self.function, state: &self.state(), taken })
    }

    pub(crate) fn failed(&self, error: &CallError) -> WorkerError {
        WorkerError::of_call(self.name().to_owned(), "update", error)
    }
}
