//! What the window worker does for functions that change: hands the state over to another one between two epochs, holds its
//! candles to what must be true while it is on probation, and gives finished epochs to the hooks.

use arrow_array::RecordBatch;
use tallow_engine::{Component, Limits, Part};
use tallow_log::record::Role;
use tallow_worker::{ParsedSlice, StateCopy, WorkerError, parse_function};

use super::WindowWorker;
use crate::epoch::FinishedSwap;
use crate::error::PipelineError;
use crate::hooks::{EpochCopy, Outcome, Swap};
use crate::state_handover;

/// The state where the epoch that ends began, for those who want the epoch.
pub(super) struct ForHooks {
    before: StateCopy,
}

impl WindowWorker {
    /// Takes another function up. One that fails at it is dropped, and the one that is there continues as it was.
    pub(super) fn swap(&mut self, swap: Box<Swap>) -> Result<Option<FinishedSwap>, PipelineError> {
        let begun = self.clock.ticks();
        let parts = match swap.role {
            Role::Parse => {
                let (limits, options) = (self.plan.limits, &self.plan.parse_options);
                self.isolation.switch_parse(parse_function(&swap.component, limits, options)?);
                Ok(None)
            }
            Role::Window => self.take_up_window(&swap).map(Some),
        };
        match parts {
            Ok(parts) => {
                let pause = self.clock.ticks().since(begun);
                Ok(Some(FinishedSwap { swap, parts, clock_us: self.clock.now_us(), pause }))
            }
            Err(why) => {
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

    fn take_up_window(&mut self, swap: &Swap) -> Result<Vec<Part>, String> {
        let limits = Limits { deadline: swap.deadline, ..self.plan.limits };
        let component: &Component = &swap.component;
        let (mut function, parts) =
            state_handover::hand_over(component, &self.plan, limits, &self.isolation.state())?;
        for (spec, held) in state_handover::open_assignments(&mut function)? {
            let name = &self.plan.specs[spec as usize].name;
            let before = self.held.get(name).copied().unwrap_or(0);
            if held != before {
                return Err(format!(
                    "of the state of window `{name}` it holds {held} rows, and the function before held {before}"
                ));
            }
        }
        function.set_deadline(self.plan.limits.deadline);
        self.isolation.switch_window(swap.component.clone(), &parts);
        self.snapshot_version = function.snapshot(u64::MAX).map_err(|error| error.to_string())?.version;
        self.function = function;
        Ok(parts)
    }

    /// Candles of a function on probation must hold what is true of every candle, and come in time.
    pub(super) fn judge(&self, windows: &[(String, RecordBatch)]) -> Result<(), PipelineError> {
        if self.hooks.on_probation().is_none() {
            return Ok(());
        }
        for (window, candles) in windows {
            self.hooks.judge(&self.plan, window, candles).map_err(|why| self.fails_probation(why))?;
        }
        Ok(())
    }

    /// The function on probation is the one to blame.
    pub(super) fn fails_probation(&self, why: String) -> PipelineError {
        let parse = self.hooks.on_probation() == Some(Role::Parse);
        let function = if parse { &self.plan.pipeline.parse } else { &self.plan.window_function };
        WorkerError::Probation { function: function.clone(), why }.into()
    }

    pub(super) fn state_for_hooks(&self) -> Option<ForHooks> {
        self.hooks.wants_epoch().then(|| ForHooks { before: self.isolation.state() })
    }

    pub(super) fn give_epoch(&self, begun: ForHooks, watermark_us: Option<i64>, slices: Vec<ParsedSlice>) {
        self.hooks.epoch(EpochCopy { before: begun.before, watermark_us, slices });
    }

    pub(super) fn give_state(&self) {
        self.hooks.give_state(&|| self.isolation.state());
    }
}
