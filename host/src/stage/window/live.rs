//! What the window worker does for functions that change: takes another one up between two epochs, holds it to what
//! must be true while it is on probation, and gives shadows their epochs.

use std::sync::Arc;

use arrow_array::RecordBatch;
use tallow_engine::{Component, Limits, Part};
use tallow_log::record::Role;
use tallow_manifest::Invariant;

use super::WindowWorker;
use crate::error::PipelineError;
use crate::live::desk::{Outcome, StateCopy, Swap};
use crate::live::shadow::{EpochCopy, Shadow};
use crate::live::{invariants, rehearse};
use crate::pipeline::parse_function;
use crate::plan::Plan;
use crate::stage::epoch::FinishedSwap;
use crate::stage::parse::Piece;

/// What must hold for the candles of each spec: what follows from its aggregates, and what the manifest says.
pub(super) fn invariants(plan: &Plan) -> Vec<Vec<Invariant>> {
    let of_all = &plan.pipeline.swap.invariants;
    let of_spec = |spec| [invariants::implied(spec), of_all.clone()].concat();
    plan.specs.iter().map(of_spec).collect()
}

/// A shadow that has time for the epoch that ends, and the state where that began.
pub(super) struct ForShadow {
    shadow: Arc<Shadow>,
    before: StateCopy,
}

impl ForShadow {
    pub fn offer(self, watermark_us: Option<i64>, pieces: Vec<Piece>) {
        self.shadow.offer(EpochCopy { before: self.before, watermark_us, pieces });
    }
}

impl WindowWorker {
    /// Takes another function up. One that fails at it is dropped, and the one that is there goes on as it was.
    pub(super) fn swap(&mut self, swap: Box<Swap>) -> Result<Option<FinishedSwap>, PipelineError> {
        let begun = self.clock.ticks();
        let parts = match swap.role {
            Role::Parse => {
                let (limits, options) = (self.plan.limits, &self.plan.parse_options);
                self.isolation.take_up_parse(parse_function(&swap.component, limits, options)?);
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
                    component = swap.component.digest(),
                    why,
                    "a candidate is dropped"
                );
                self.live.trial.end();
                let _ = swap.reply.send(Outcome::Dropped { why });
                Ok(None)
            }
        }
    }

    fn take_up_window(&mut self, swap: &Swap) -> Result<Vec<Part>, String> {
        let limits = Limits { deadline: swap.deadline, ..self.plan.limits };
        let component: &Component = &swap.component;
        let (mut function, parts) =
            rehearse::take_over(component, &self.plan, limits, &self.isolation.state())?;
        for (spec, held) in rehearse::open_assignments(&mut function)? {
            let name = &self.plan.specs[spec as usize].name;
            let before = self.held.get(name).copied().unwrap_or(0);
            if held != before {
                return Err(format!(
                    "of the state of window `{name}` it holds {held} rows, and the function before held {before}"
                ));
            }
        }
        function.set_deadline(self.plan.limits.deadline);
        self.isolation.take_up_window(swap.component.clone(), &parts);
        self.snapshot_version = function.snapshot(u64::MAX).map_err(|error| error.to_string())?.version;
        self.function = function;
        Ok(parts)
    }

    /// Candles of a function on probation must hold what is true of every candle, and come in time.
    pub(super) fn prove(&self, windows: &[(String, RecordBatch)]) -> Result<(), PipelineError> {
        let trial = &self.live.trial;
        if !trial.is_on() {
            return Ok(());
        }
        for (window, candles) in windows {
            let index = self.plan.specs.iter().position(|spec| spec.name == *window);
            let invariants = index.map_or(&[][..], |index| &self.invariants[index]);
            invariants::check(invariants, window, candles).map_err(|why| self.on_probation(why))?;
        }
        let role = if trial.is_of(Role::Parse) { Role::Parse } else { Role::Window };
        let slowest = self.plan.pipeline.swap.slowest_percent;
        match self.live.speed.percent(role) {
            Some(percent) if percent > slowest => Err(self.on_probation(format!(
                "takes {percent} % of its predecessor's time a record; `swap.slowest-percent` is {slowest}"
            ))),
            _ => Ok(()),
        }
    }

    pub(super) fn on_probation(&self, why: String) -> PipelineError {
        let parse = self.live.trial.is_of(Role::Parse);
        let function = if parse { &self.plan.pipeline.parse } else { &self.plan.window_function };
        PipelineError::Probation { function: function.clone(), why }
    }

    pub(super) fn state_for_shadow(&self) -> Option<ForShadow> {
        let shadow = self.live.desk.shadow().filter(|shadow| shadow.wants_epoch())?;
        Some(ForShadow { shadow, before: self.isolation.state() })
    }

    pub(super) fn hand_out_copies(&self) {
        for reply in self.live.desk.take_copies() {
            // Whoever asked may have gone away.
            let _ = reply.send(self.isolation.state());
        }
    }
}
