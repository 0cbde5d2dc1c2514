//! A candidate on live batches: epochs that the pipeline has finished are computed again beside it, by the running
//! function and by the candidate, and compared. The pipeline hands over what it is done with and waits for nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tallow_engine::{Component, Limits, ParseFunction, Parsed, Rows, WindowFunction};
use tallow_env::{Clock, Ticks};
use tallow_log::record::Role;
use tallow_record::Batch;

use crate::candidate::Candidate;
use crate::tally::{EpochTally, Tally};
use tallow_pipeline::functions::Functions;
use tallow_pipeline::hooks::EpochCopy;
use tallow_pipeline::state_handover;
use tallow_worker::ParsedSlice;
use tallow_worker::plan::Plan;

/// A shadow delays nothing, so it may take longer than the pipeline.
const PATIENCE: u32 = 4;
/// How often a shadow checks whether it is still wanted.
const WAIT: Duration = Duration::from_millis(100);

pub struct Shadow {
    pub candidate: Candidate,
    running: Functions,
    plan: Arc<Plan>,
    clock: Arc<dyn Clock>,
    begun: Ticks,
    work: Sender<EpochCopy>,
    tally: Mutex<Tally>,
    busy: Mutex<Duration>,
}

impl Shadow {
    /// A shadow, and what [`Shadow::run`] takes its work from.
    pub fn new(
        candidate: Candidate,
        running: Functions,
        plan: Arc<Plan>,
        clock: Arc<dyn Clock>,
    ) -> (Arc<Self>, Receiver<EpochCopy>) {
        // One epoch at a time: another is taken only when there is time for it.
        let (work, epochs) = bounded(1);
        let begun = clock.ticks();
        let shadow = Self {
            candidate,
            running,
            plan,
            clock,
            begun,
            work,
            tally: Mutex::default(),
            busy: Mutex::default(),
        };
        (Arc::new(shadow), epochs)
    }

    pub fn tally(&self) -> Tally {
        self.lock().clone()
    }

    /// Whether there is time for another epoch. Epochs for which there is none are counted.
    pub(crate) fn wants_epoch(&self) -> bool {
        let busy = *self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let since = self.clock.ticks().since(self.begun);
        let in_budget = busy * 100 <= since * self.plan.pipeline.swap.shadow_percent || busy.is_zero();
        let wants = in_budget && self.work.is_empty();
        if !wants {
            self.lock().skipped += 1;
        }
        wants
    }

    pub(crate) fn offer(&self, epoch: EpochCopy) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.work.try_send(epoch) {
            self.lock().skipped += 1;
        }
    }

    /// Computes epochs again as they come, until `until` is content with what is known, or the candidate fails.
    pub fn run(&self, epochs: &Receiver<EpochCopy>, mut until: impl FnMut(&Tally) -> bool) -> Tally {
        loop {
            let tally = self.tally();
            if tally.failed.is_some() || until(&tally) {
                return tally;
            }
            let Ok(epoch) = epochs.recv_timeout(WAIT) else { continue };
            let begun = self.clock.ticks();
            let done = self.epoch(epoch);
            *self.busy.lock().unwrap_or_else(PoisonError::into_inner) += self.clock.ticks().since(begun);
            let mut tally = self.lock();
            match done {
                Ok(epoch) => tally.absorb(epoch),
                Err(why) => tally.failed = Some(why),
            }
        }
    }

    fn epoch(&self, epoch: EpochCopy) -> Result<EpochTally, String> {
        let records = epoch.slices.iter().map(|slice| slice.batch.len() as u64).sum();
        let mut done = EpochTally { records, ..EpochTally::default() };
        let (rows_running, rows_candidate) = match self.candidate.role {
            Role::Window => (borrowed(&epoch.slices), None),
            Role::Parse => {
                let parsed = self.parse(&epoch.slices, &mut done)?;
                (borrowed(&epoch.slices), Some(parsed))
            }
        };
        let candidate_rows: Vec<&Rows> = match &rows_candidate {
            None => rows_running.clone(),
            Some(parsed) => parsed.iter().map(|parsed| &parsed.rows).collect(),
        };
        let window = |role_is_candidate: bool| {
            if role_is_candidate { &self.candidate.component } else { &self.running.window }
        };
        let running = self.windows(window(false), &epoch, &rows_running)?;
        let candidate = self.windows(window(self.candidate.role == Role::Window), &epoch, &candidate_rows)?;
        if self.candidate.role == Role::Window {
            done.running_us += running.took.as_micros() as u64;
            done.candidate_us += candidate.took.as_micros() as u64;
        }
        done.comparison.outputs(&self.plan.specs, &running.closed, &candidate.closed);
        done.comparison.outputs(&self.plan.specs, &running.open, &candidate.open);
        Ok(done)
    }

    /// What the candidate makes of the records; what it rejects or ignores otherwise is a difference.
    fn parse(&self, slices: &[ParsedSlice], done: &mut EpochTally) -> Result<Vec<Parsed>, String> {
        let limits = self.limits();
        let new = |component: &Component| {
            ParseFunction::new(component, limits, self.plan.parse_options.clone())
                .map_err(|it| it.to_string())
        };
        let (mut running, mut candidate) = (new(&self.running.parse)?, new(&self.candidate.component)?);
        let mut all = Vec::with_capacity(slices.len());
        for slice in slices {
            // A copy: a batch is lent to the function and taken back.
            let mut batch = slice.batch.clone();
            let begun = self.clock.ticks();
            running.parse(&mut batch).map_err(|error| format!("the running function: {error}"))?;
            let middle = self.clock.ticks();
            let parsed = candidate.parse(&mut batch).map_err(|error| failed_at(&slice.batch, error))?;
            let end = self.clock.ticks();
            done.running_us += middle.since(begun).as_micros() as u64;
            done.candidate_us += end.since(middle).as_micros() as u64;
            done.comparison.records(&slice.batch, &slice.parsed, &parsed);
            all.push(parsed);
        }
        Ok(all)
    }

    fn windows(&self, component: &Component, epoch: &EpochCopy, rows: &[&Rows]) -> Result<Windows, String> {
        let (mut function, _) =
            state_handover::hand_over(component, &self.plan, self.limits(), &epoch.before)
                .map_err(|error| error.to_string())?;
        let begun = self.clock.ticks();
        for rows in rows {
            function.update(rows).map_err(|error| error.to_string())?;
        }
        let closed = match epoch.watermark_us {
            Some(watermark_us) => function.advance(watermark_us).map_err(|error| error.to_string())?,
            None => Vec::new(),
        };
        let took = self.clock.ticks().since(begun);
        let open = WindowFunction::close_all(&mut function).map_err(|error| error.to_string())?;
        Ok(Windows { closed, open, took })
    }

    fn limits(&self) -> Limits {
        Limits { deadline: self.plan.limits.deadline * PATIENCE, ..self.plan.limits }
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Windows {
    closed: Vec<tallow_engine::Output>,
    open: Vec<tallow_engine::Output>,
    took: Duration,
}

fn borrowed(slices: &[ParsedSlice]) -> Vec<&Rows> {
    slices.iter().map(|slice| &slice.parsed.rows).collect()
}

fn failed_at(batch: &Batch, error: impl std::fmt::Display) -> String {
    format!("on the batch from {} on: {error}", batch.place(0))
}
