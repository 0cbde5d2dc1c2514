//! What the window worker does for functions that change: hands the state over to another one between two epochs, holds its
//! candles to what must be true while it is on probation, and gives finished epochs to the hooks.

use arrow_array::RecordBatch;
use tallow_engine::{Component, Limits, Part};
use tallow_log::record::Role;
use tallow_worker::{ParsedSlice, StateCopy, WorkerError, forget_changes, parse_function};

use super::WindowWorker;
use crate::epoch::FinishedSwap;
use crate::error::PipelineError;
use crate::hooks::{EpochCopy, Outcome, Swap};
use crate::state_handover::{self, HandoverError};

impl WindowWorker {
    /// Swaps in another function. One that fails at it is dropped, and the function before continues as it was.
    pub(super) fn swap(&mut self, swap: Box<Swap>) -> Result<Option<FinishedSwap>, PipelineError> {
        let begun = self.clock.ticks();
        let parts = match swap.role {
            Role::Parse => {
                let (limits, options) = (self.plan.limits, &self.plan.parse_options);
                self.state.isolation.switch_parse(parse_function(&swap.component, limits, options)?);
                Ok(None)
            }
            Role::Window => self.swap_in_window(&swap).map(Some),
        };
        match parts {
            Ok(parts) => {
                let pause = self.clock.ticks().since(begun);
                Ok(Some(FinishedSwap { swap, parts, clock_us: self.clock.now_us(), pause }))
            }
            Err(error) => {
                let why = error.to_string();
                tracing::warn!(
                    pipeline = self.plan.name(),
                    component = %swap.component.digest(),
                    why,
                    "a candidate is dropped"
                );
                self.hooks.set_probation(None);
                let _ = swap.reply.send(Outcome::Dropped { why });
                Ok(None)
            }
        }
    }

    fn swap_in_window(&mut self, swap: &Swap) -> Result<Vec<Part>, HandoverError> {
        let limits = Limits { deadline: swap.deadline, ..self.plan.limits };
        let component: &Component = &swap.component;
        let (mut function, parts) =
            state_handover::hand_over(component, &self.plan, limits, &self.state.isolation.start.state())?;
        for (spec, holds) in state_handover::open_assignments(&mut function)? {
            let window = &self.plan.specs[spec as usize].name;
            let before = self.state.open_assignments.get(window).copied().unwrap_or(0);
            if holds != before {
                return Err(HandoverError::Rows { window: window.clone(), holds, before });
            }
        }
        forget_changes(&mut function, self.plan.updates()).map_err(HandoverError::Restore)?;
        function.set_deadline(self.plan.limits.deadline);
        self.state.isolation.start.switch(swap.component.clone(), &parts);
        self.snapshot_version = function.snapshot(u64::MAX).map_err(HandoverError::Save)?.version;
        self.state.function = function;
        Ok(parts)
    }

    /// Candles of a function on probation must hold what is true of every candle, and come in time.
    pub(super) fn judge(&self, windows: &[(String, RecordBatch)]) -> Result<(), PipelineError> {
        if self.hooks.on_probation().is_none() {
            return Ok(());
        }
        for (window, candles) in windows {
            if let Some(why) = self.hooks.judge(&self.plan, window, candles) {
                return Err(self.fails_probation(why));
            }
        }
        Ok(())
    }

    /// The function on probation is the one to blame.
    pub(super) fn fails_probation(&self, why: String) -> PipelineError {
        let parse = self.hooks.on_probation() == Some(Role::Parse);
        let function = if parse { &self.plan.pipeline.parse } else { &self.plan.window_function };
        WorkerError::Probation { function: function.clone(), why }.into()
    }

    /// `before`: the state where the epoch began.
    pub(super) fn give_epoch(&self, before: StateCopy, watermark_us: Option<i64>, slices: Vec<ParsedSlice>) {
        self.hooks.epoch(EpochCopy { before, watermark_us, slices });
    }

    pub(super) fn give_state(&self) {
        self.hooks.give_state(&|| self.state.isolation.start.state());
    }
}
