//! The epoch's end: the watermark moves, windows close, the ledger is checked, changed state is saved.

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use tallow_engine::{CallError, Output, Stats, WindowFunction};
use tallow_epoch::future::{Decision, judge};
use tallow_epoch::watermark::Now;
use tallow_epoch::{Ledger, Watermarks};
use tallow_record::TopicPartition;
use tallow_sink::ReasonKind;
use tallow_worker::ParsedSlice;

use super::WindowWorker;
use crate::epoch::{Epoch, FinishedEpoch};
use crate::error::PipelineError;
use crate::unknown;

/// When an epoch ends and where the watermark goes.
struct Ending {
    clock_us: i64,
    watermark_before_us: Option<i64>,
    watermark_us: Option<i64>,
    close_all: bool,
}

impl WindowWorker {
    /// Finishes the epoch; `None` if nothing happened in it.
    pub(super) fn finish(
        &mut self,
        clock_us: i64,
        close_all: bool,
    ) -> Result<Option<FinishedEpoch>, PipelineError> {
        let epoch = std::mem::take(&mut self.epoch);
        let state = &mut self.state;
        state.isolation.budget().refill();
        let watermark_before_us = state.watermarks.watermark_us();
        let watermark_us = state.watermarks.advance(Now { clock_us, reachable: !epoch.unreachable });
        let silent = epoch.chunks.is_empty() && epoch.gaps.is_empty() && epoch.found.is_empty();
        let idle = idle(&state.watermarks);
        // A start forgets who was idle: finding that out again is no news.
        let newly_idle = !idle.is_subset(&state.idle);
        if silent && !close_all && watermark_us == watermark_before_us && !newly_idle {
            self.give_state();
            return Ok(None);
        }
        state.idle = idle;
        let future = epoch.dead.iter().filter(|letter| letter.kind == ReasonKind::Future).count() as u64;
        if let Decision::Pause { future, rows } = judge(future, epoch.rows + future) {
            return Err(PipelineError::Clock { future, rows });
        }
        self.build_epoch(epoch, Ending { clock_us, watermark_before_us, watermark_us, close_all }).map(Some)
    }

    /// Finishes the epoch as the log has it: when it ended and where the watermark went is given.
    pub fn finish_with(
        &mut self,
        clock_us: i64,
        watermark_us: Option<i64>,
        close_all: bool,
    ) -> Result<FinishedEpoch, PipelineError> {
        let epoch = std::mem::take(&mut self.epoch);
        let watermark_before_us = self.state.watermarks.watermark_us();
        self.build_epoch(epoch, Ending { clock_us, watermark_before_us, watermark_us, close_all })
    }

    fn build_epoch(&mut self, mut epoch: Epoch, ending: Ending) -> Result<FinishedEpoch, PipelineError> {
        let Ending { clock_us, watermark_before_us, watermark_us, close_all } = ending;
        let mut closed = Vec::new();
        if let Some(watermark_us) = watermark_us {
            let outputs = self.advance(watermark_us, &epoch.slices)?;
            for output in &outputs {
                let name = &self.plan.specs[output.spec as usize].name;
                epoch.ledger.window(name).closed += output.assignments;
            }
            closed.extend(self.candles(outputs)?);
        }
        if close_all {
            let outputs = self.on_state("close-all", &epoch.slices, WindowFunction::close_all)?;
            closed.extend(self.candles(outputs)?);
        }
        let stats = self.on_state("stats", &epoch.slices, WindowFunction::stats)?;
        self.count_open(&stats, &mut epoch.ledger);
        epoch.ledger.check()?;
        self.judge(&closed)?;
        let before = self.hooks.wants_epoch().then(|| self.state.isolation.start.state());
        let since = self.snapshot_version;
        let saved = self.on_state("snapshot", &epoch.slices, |function| function.snapshot(since))?;
        self.snapshot_version = saved.version;
        self.state.isolation.start.save(&saved.parts, watermark_us);
        if let Some(before) = before {
            self.give_epoch(before, watermark_us, std::mem::take(&mut epoch.slices));
        }
        self.give_state();
        let mut open = self.open_windows()?;
        if close_all {
            // They are given as they are.
            open.clear();
        }
        Ok(FinishedEpoch {
            clock_us,
            chunks: epoch.chunks,
            gaps: epoch.gaps,
            found: epoch.found,
            positions: self.state.positions.clone(),
            watermarks: self.state.watermarks.clone(),
            watermark_before_us,
            closed,
            open,
            late: epoch.late,
            dead: epoch.dead,
            rekeyed: epoch.rekeyed,
            ledger: epoch.ledger,
            open_assignments: self.state.open_assignments.clone(),
            parts: saved.parts,
            archive: epoch.archive,
            closed_all: close_all,
        })
    }

    /// Where ids are to halt the pipeline, a window function refuses to advance for no other reason.
    fn advance(&mut self, watermark_us: i64, taken: &[ParsedSlice]) -> Result<Vec<Output>, PipelineError> {
        let may_halt = self.plan.specs.iter().flat_map(|spec| &spec.ids).any(|ids| ids.halt);
        match self.state.function.advance(watermark_us) {
            Err(CallError::Refused(why)) if may_halt => Err(PipelineError::Ids { why }),
            outputs => outputs.map_err(|error| self.failed_on_state("advance", &error, taken)),
        }
    }

    /// Tables of windows by window name, without those that are empty.
    fn candles(&self, outputs: Vec<Output>) -> Result<Vec<(String, RecordBatch)>, PipelineError> {
        let outputs = outputs.into_iter().filter(|output| output.table.rows > 0);
        let candles = outputs.map(|output| {
            let rows = tallow_engine::to_arrow(&output.table).and_then(|rows| {
                match self.state.since_us.get(output.spec as usize) {
                    Some(since_us) => unknown::withhold(since_us, rows),
                    None => Ok(rows),
                }
            });
            let rows =
                rows.map_err(|error| self.failed("closed windows", &CallError::Contract(error.to_string())))?;
            Ok((self.plan.specs[output.spec as usize].name.clone(), rows))
        });
        candles.collect()
    }

    /// Counts the change of what open windows hold, by the function's own account.
    fn count_open(&mut self, stats: &[Stats], ledger: &mut Ledger) {
        for stat in stats {
            let Some(spec) = self.plan.specs.get(stat.spec as usize) else { continue };
            let before = self.state.open_assignments.insert(spec.name.clone(), stat.open_assignments);
            ledger.window(&spec.name).open += stat.open_assignments as i64 - before.unwrap_or(0) as i64;
        }
        self.show_stats(stats);
    }

    /// Shows the windows where the run begins.
    pub(super) fn show_state(&mut self) -> Result<(), PipelineError> {
        let stats = self.on_state("stats", &[], WindowFunction::stats)?;
        self.show_stats(&stats);
        Ok(())
    }

    fn show_stats(&self, stats: &[Stats]) {
        let watermarks = &self.state.watermarks;
        self.progress.state(stats, watermarks.watermark_us(), watermarks.partitions().count());
    }

    /// Shows the open windows that changed; those that a sink shows, too.
    fn open_windows(&mut self) -> Result<Vec<(String, RecordBatch)>, PipelineError> {
        let (wanted, updates) = (self.progress.wants_open_windows(), self.plan.updates());
        if !wanted && !updates && self.hooks.on_probation().is_none() {
            return Ok(Vec::new());
        }
        let changed = self.on_state("changed", &[], WindowFunction::changed)?;
        let mut open = self.candles(changed)?;
        self.judge(&open)?;
        if wanted {
            self.progress.open_windows(open.clone());
        }
        open.retain(|(window, _)| self.plan.pipeline.updates(window));
        Ok(open)
    }
}

fn idle(watermarks: &Watermarks) -> BTreeSet<TopicPartition> {
    let idle = watermarks.partitions().filter(|(_, known)| known.idle);
    idle.map(|(partition, _)| partition.clone()).collect()
}
