//! The window worker: takes parsed batches in order, keeps the books of the epoch, and finishes it.

mod swap;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use crossbeam_channel::{Receiver, Sender};
use tallow_engine::{CallError, Contract, Output, Part, Report, WindowFunction};
use tallow_env::Clock;
use tallow_epoch::future::{Decision, judge};
use tallow_epoch::watermark::Now;
use tallow_epoch::{Ledger, Watermarks};
use tallow_record::TopicPartition;
use tallow_sink::{DeadLetter, ReasonKind};
use tallow_source::{Event, PartitionInfo};

use self::waiting::Waiting;
use crate::epoch::{Chunk, Epoch, Finished, FinishedEpoch, Gap};
use crate::error::PipelineError;
use crate::hooks::Hooks;
use crate::plan::{OnReject, Plan};
use crate::progress::Progress;
use crate::sequencer::WindowCommand;
use crate::unknown;
use tallow_worker::WorkerError;
use tallow_worker::dead_letter::{dead_letter, late_row};
use tallow_worker::isolate::Isolation;
use tallow_worker::ledger_entries;
use tallow_worker::{FetchedRange, ParseOutcome, ParsedBatch, ParsedSlice};

/// State where the worker starts: empty, or as the log has it.
pub struct Start {
    pub function: WindowFunction,
    pub isolation: Isolation,
    pub positions: BTreeMap<TopicPartition, i64>,
    pub watermarks: Watermarks,
    pub held: BTreeMap<String, u64>,
    /// Partitions that the log says are idle.
    pub idle: BTreeSet<TopicPartition>,
    /// From when on the columns of each spec are known that came later than the pipeline.
    pub since_us: Vec<BTreeMap<String, i64>>,
}

/// When an epoch ends and where the watermark goes.
struct Ending {
    clock_us: i64,
    watermark_before_us: Option<i64>,
    watermark_us: Option<i64>,
    close_all: bool,
}

pub struct WindowWorker {
    plan: Arc<Plan>,
    progress: Arc<Progress>,
    hooks: Arc<dyn Hooks>,
    clock: Arc<dyn Clock>,
    function: WindowFunction,
    isolation: Isolation,
    positions: BTreeMap<TopicPartition, i64>,
    watermarks: Watermarks,
    held: BTreeMap<String, u64>,
    /// Partitions that were idle at the last commit.
    idle: BTreeSet<TopicPartition>,
    since_us: Vec<BTreeMap<String, i64>>,
    waiting: Waiting,
    snapshot_version: u64,
    epoch: Epoch,
}

impl WindowWorker {
    pub fn new(
        plan: Arc<Plan>,
        progress: Arc<Progress>,
        hooks: Arc<dyn Hooks>,
        clock: Arc<dyn Clock>,
        start: Start,
    ) -> Self {
        Self {
            plan,
            progress,
            hooks,
            clock,
            snapshot_version: start.function.base_version(),
            function: start.function,
            isolation: start.isolation,
            positions: start.positions,
            watermarks: start.watermarks,
            held: start.held,
            idle: start.idle,
            since_us: start.since_us,
            waiting: Waiting::default(),
            epoch: Epoch::default(),
        }
    }

    /// Takes tickets until the last one; every finished epoch goes to the committer.
    pub fn run(
        mut self,
        order: &Receiver<WindowCommand>,
        commits: &Sender<Finished>,
    ) -> Result<(), PipelineError> {
        self.show_state()?;
        for ticket in order {
            let (clock_us, last, close_all) = match ticket {
                WindowCommand::Batch(result) => {
                    let ParseOutcome { outcome, permit } =
                        result.recv().map_err(|_| PipelineError::Broken)?;
                    self.take(outcome?)?;
                    drop(permit);
                    if !self.is_full_of_refused() {
                        continue;
                    }
                    (self.clock.now_us(), false, false)
                }
                WindowCommand::Found(found) => {
                    self.found(found);
                    continue;
                }
                WindowCommand::Facts { events, clock_us } => {
                    self.learn(events, clock_us);
                    continue;
                }
                WindowCommand::Drained(partitions) => {
                    partitions.iter().for_each(|partition| self.watermarks.drained(partition));
                    continue;
                }
                WindowCommand::Swap(swap) => {
                    if let Some(swapped) = self.swap(swap)?
                        && commits.send(Finished::Swap(swapped)).is_err()
                    {
                        return Ok(());
                    }
                    continue;
                }
                WindowCommand::RollBack { why } => {
                    return Err(self.fails_probation(format!("a rollback was asked for: {why}")));
                }
                WindowCommand::Cut { clock_us } => (clock_us, false, false),
                WindowCommand::End { drained, clock_us } => (clock_us, true, drained && self.plan.close_all),
            };
            if let Some(epoch) = self.finish(clock_us, close_all)? {
                self.progress.epoch_ended();
                if commits.send(Finished::Epoch(Box::new(epoch))).is_err() {
                    // The committer has stopped, and says why itself.
                    return Ok(());
                }
            }
            self.look_at_watermark();
            if last {
                self.count_waiting();
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether late rows and dead letters take as much as may wait between two stages: then the epoch ends early.
    fn is_full_of_refused(&self) -> bool {
        self.epoch.aside_bytes as u64 >= self.plan.pipeline.limits.queue_bytes
    }

    /// Takes a batch's rows in.
    pub fn take(&mut self, parts: ParsedBatch) -> Result<(), PipelineError> {
        self.epoch.archive.extend(parts.archive);
        for taken in parts.taken {
            self.advance_position(taken);
        }
        for letter in parts.aside {
            self.set_aside(letter);
        }
        for slice in parts.slices {
            self.absorb(slice)?;
        }
        Ok(())
    }

    fn advance_position(&mut self, taken: FetchedRange) {
        let FetchedRange { partition, first, next, records, clock_us } = taken;
        self.epoch.ledger.partition(&partition).records += records;
        self.watermarks.observe(&partition, None);
        let position = self.positions.entry(partition.clone()).or_insert(first);
        let from = std::mem::replace(position, next);
        match self.epoch.chunks.last_mut() {
            Some(last) if last.partition == partition && last.clock_us == clock_us => last.to = next,
            _ => self.epoch.chunks.push(Chunk { partition, from, to: next, clock_us }),
        }
        self.progress.took(records);
    }

    fn set_aside(&mut self, letter: DeadLetter) {
        let partition =
            TopicPartition { topic: letter.place.topic.clone(), partition: letter.place.partition };
        self.epoch.ledger.partition(&partition).set_aside(letter.kind.as_str(), 1);
        self.progress.dead(&letter.reason);
        self.epoch.push_dead(letter);
    }

    /// Takes a slice's rows into the windows; where the function traps, finds the record that does it.
    fn absorb(&mut self, slice: ParsedSlice) -> Result<(), PipelineError> {
        let begun = self.clock.ticks();
        let updated = self.function.update(&slice.parsed.rows);
        let took = self.clock.ticks().since(begun);
        self.hooks.called(Contract::Window, took, slice.parsed.rows.table.rows as usize);
        match updated {
            Ok(reports) => self.accept(slice, &reports),
            Err(error) if !error.may_be_a_record() => Err(self.failed("update", &error)),
            Err(error) if self.hooks.on_probation().is_some() => {
                Err(self
                    .fails_probation(format!("update of a batch from {} on {error}", slice.batch.place(0))))
            }
            Err(error) => {
                let split = self.isolation.split(slice, error, &self.epoch.slices, &mut self.function)?;
                // Another instance, restored from what was saved: its versions are its own.
                self.snapshot_version = self.function.base_version();
                for (slice, reports) in split.slices {
                    self.accept(slice, &reports)?;
                }
                split.aside.into_iter().for_each(|letter| self.set_aside(letter));
                Ok(())
            }
        }
    }

    fn accept(&mut self, slice: ParsedSlice, reports: &[Report]) -> Result<(), PipelineError> {
        self.reject(&slice)?;
        ledger_entries::partitions(&mut self.epoch.ledger, &slice);
        let windows = (self.plan.window_function.as_str(), self.plan.specs.as_slice());
        ledger_entries::windows(&mut self.epoch.ledger, windows, &slice.parsed.rows, reports)?;
        self.keep_refused_rows(&slice, reports);
        for times in &slice.event_times {
            if let Some(max_us) = times.max_us {
                self.watermarks.observe(&times.partition, Some(max_us));
            }
        }
        self.epoch.rows += u64::from(slice.parsed.rows.table.rows);
        let names = self.plan.specs.iter().map(|spec| spec.name.as_str());
        self.progress.rows(&slice.parsed, names.zip(reports.iter().map(Into::into)));
        self.epoch.slices.push(slice);
        Ok(())
    }

    fn reject(&mut self, slice: &ParsedSlice) -> Result<(), PipelineError> {
        for (record, reason) in slice.parsed.rejected.iter() {
            self.progress.dead(reason);
            match self.plan.on_reject {
                OnReject::Drop => {}
                OnReject::DeadLetter => {
                    let letter = dead_letter(&slice.batch, record, ReasonKind::Rejected, reason.to_owned());
                    self.epoch.push_dead(letter);
                }
                OnReject::Fail => {
                    let place = slice.batch.place(record).to_string();
                    return Err(PipelineError::BadRecord { place, reason: reason.to_owned() });
                }
            }
        }
        Ok(())
    }

    /// Late rows, rows with a known id and other content, and rows that lack what the window needs.
    fn keep_refused_rows(&mut self, slice: &ParsedSlice, reports: &[Report]) {
        let rows = &slice.parsed.rows;
        let watermark_us = self.watermarks.watermark_us().unwrap_or(i64::MIN);
        for (report, spec) in reports.iter().zip(&self.plan.specs) {
            for &row in &report.late_rows {
                let (record, within) = ledger_entries::record_and_row(rows, row);
                let event_time_us = ledger_entries::event_time_us(rows, &self.plan.time, row);
                let late = late_row(&slice.batch, record, within, &spec.name, event_time_us, watermark_us);
                self.epoch.push_late(late);
            }
        }
        let names = self.plan.specs.iter().map(|spec| spec.name.as_str());
        for (_, letter) in ledger_entries::refused_rows(slice, &names.zip(reports).collect::<Vec<_>>()) {
            self.progress.dead(&letter.reason);
            self.epoch.push_dead(letter);
        }
    }

    fn found(&mut self, found: Vec<PartitionInfo>) {
        for info in &found {
            self.watermarks.add(&info.partition);
            self.positions.entry(info.partition.clone()).or_insert(info.earliest);
        }
        self.epoch.found.extend(found);
    }

    fn learn(&mut self, events: Vec<Event>, clock_us: i64) {
        for event in events {
            match event {
                Event::End { partition, next } => {
                    self.watermarks.end(&partition, clock_us);
                    self.pass_over(partition, next, clock_us);
                }
                Event::Lost { partition, from, to } => {
                    tracing::error!(%partition, from, to, "records were lost before they could be read");
                    self.positions.insert(partition.clone(), to);
                    self.epoch.gaps.push(Gap { partition, from, to });
                }
                Event::Unreachable { .. } => self.epoch.unreachable = true,
            }
        }
    }

    /// Aborted and control records: nothing is in them, and a restart need not begin before them.
    fn pass_over(&mut self, partition: TopicPartition, next: i64, clock_us: i64) {
        let position = self.positions.entry(partition.clone()).or_insert(next);
        if next > *position {
            let from = std::mem::replace(position, next);
            self.epoch.chunks.push(Chunk { partition, from, to: next, clock_us });
        }
    }

    /// The epoch's end: the watermark moves, windows close, the books are checked. None where nothing happened.
    fn finish(&mut self, clock_us: i64, close_all: bool) -> Result<Option<FinishedEpoch>, PipelineError> {
        let epoch = std::mem::take(&mut self.epoch);
        self.isolation.budget().refill();
        let watermark_before_us = self.watermarks.watermark_us();
        let watermark_us = self.watermarks.advance(Now { clock_us, reachable: !epoch.unreachable });
        let silent = epoch.chunks.is_empty() && epoch.gaps.is_empty() && epoch.found.is_empty();
        let idle = idle(&self.watermarks);
        // After a start nobody is known to be idle before it is found out again: that is no news.
        let newly_idle = !idle.is_subset(&self.idle);
        if silent && !close_all && watermark_us == watermark_before_us && !newly_idle {
            self.give_state();
            return Ok(None);
        }
        self.idle = idle;
        let future = epoch.dead.iter().filter(|letter| letter.kind == ReasonKind::Future).count() as u64;
        if let Decision::Pause { future, rows } = judge(future, epoch.rows + future) {
            return Err(PipelineError::Clock { future, rows });
        }
        self.end(epoch, Ending { clock_us, watermark_before_us, watermark_us, close_all }).map(Some)
    }

    /// The epoch's end as the log has it: when it came and where the watermark went is said, not judged.
    pub fn finish_as(
        &mut self,
        clock_us: i64,
        watermark_us: Option<i64>,
        close_all: bool,
    ) -> Result<FinishedEpoch, PipelineError> {
        let epoch = std::mem::take(&mut self.epoch);
        let watermark_before_us = self.watermarks.watermark_us();
        self.end(epoch, Ending { clock_us, watermark_before_us, watermark_us, close_all })
    }

    fn end(&mut self, mut epoch: Epoch, ending: Ending) -> Result<FinishedEpoch, PipelineError> {
        let Ending { clock_us, watermark_before_us, watermark_us, close_all } = ending;
        let mut closed = Vec::new();
        if let Some(watermark_us) = watermark_us {
            let outputs = match self.function.advance(watermark_us) {
                Ok(outputs) => outputs,
                Err(error) => return Err(self.failed_to_advance(&error, &epoch.slices)),
            };
            for output in &outputs {
                let name = &self.plan.specs[output.spec as usize].name;
                epoch.ledger.window(name).closed += output.assignments;
            }
            self.collect(outputs, &mut closed)?;
        }
        if close_all {
            let outputs = match self.function.close_all() {
                Ok(outputs) => outputs,
                Err(error) => return Err(self.failed_on_state("close-all", &error, &epoch.slices)),
            };
            self.collect(outputs, &mut closed)?;
        }
        if let Err(error) = self.count_open(&mut epoch.ledger) {
            return Err(self.failed_on_state("stats", &error, &epoch.slices));
        }
        epoch.ledger.check()?;
        self.judge(&closed)?;
        let for_hooks = self.state_for_hooks();
        let parts = match self.snapshot(watermark_us) {
            Ok(parts) => parts,
            Err(error) => return Err(self.failed_on_state("snapshot", &error, &epoch.slices)),
        };
        if let Some(begun) = for_hooks {
            self.give_epoch(begun, watermark_us, std::mem::take(&mut epoch.slices));
        }
        self.give_state();
        self.show_open_windows()?;
        Ok(FinishedEpoch {
            clock_us,
            chunks: epoch.chunks,
            gaps: epoch.gaps,
            found: epoch.found,
            positions: self.positions.clone(),
            watermarks: self.watermarks.clone(),
            watermark_before_us,
            closed,
            late: epoch.late,
            dead: epoch.dead,
            ledger: epoch.ledger,
            held: self.held.clone(),
            parts,
            archive: epoch.archive,
            closed_all: close_all,
        })
    }

    fn collect(
        &self,
        outputs: Vec<Output>,
        closed: &mut Vec<(String, RecordBatch)>,
    ) -> Result<(), PipelineError> {
        for output in outputs.into_iter().filter(|output| output.table.rows > 0) {
            let name = &self.plan.specs[output.spec as usize].name;
            let rows = tallow_engine::to_arrow(&output.table).and_then(|rows| {
                let since_us = self.since_us.get(output.spec as usize);
                since_us.map_or(Ok(rows.clone()), |since_us| unknown::withhold(since_us, rows))
            });
            let rows =
                rows.map_err(|error| self.failed("closed windows", &CallError::Contract(error.to_string())))?;
            closed.push((name.clone(), rows));
        }
        Ok(())
    }

    /// Books the change of what open windows hold, by the function's own account.
    fn count_open(&mut self, ledger: &mut Ledger) -> Result<(), CallError> {
        let stats = self.function.stats()?;
        for stat in &stats {
            let Some(spec) = self.plan.specs.get(stat.spec as usize) else { continue };
            let held = self.held.entry(spec.name.clone()).or_default();
            ledger.window(&spec.name).open += stat.open_assignments as i64 - *held as i64;
            *held = stat.open_assignments;
        }
        self.progress.state(&stats, self.watermarks.watermark_us(), self.watermarks.partitions().count());
        Ok(())
    }

    /// How the windows stand where the run begins.
    fn show_state(&mut self) -> Result<(), PipelineError> {
        let stats = match self.function.stats() {
            Ok(stats) => stats,
            Err(error) => return Err(self.failed_on_state("stats", &error, &[])),
        };
        self.progress.state(&stats, self.watermarks.watermark_us(), self.watermarks.partitions().count());
        Ok(())
    }

    fn snapshot(&mut self, watermark_us: Option<i64>) -> Result<Vec<Part>, CallError> {
        let snapshot = self.function.snapshot(self.snapshot_version)?;
        self.snapshot_version = snapshot.version;
        self.isolation.saved(&snapshot.parts, watermark_us);
        Ok(snapshot.parts)
    }

    fn show_open_windows(&mut self) -> Result<(), PipelineError> {
        let wanted = self.progress.wants_open_windows();
        if !wanted && self.hooks.on_probation().is_none() {
            return Ok(());
        }
        let changed = match self.function.changed() {
            Ok(changed) => changed,
            Err(error) => return Err(self.failed_on_state("changed", &error, &[])),
        };
        let mut open = Vec::new();
        self.collect(changed, &mut open)?;
        self.judge(&open)?;
        if wanted {
            self.progress.open_windows(open);
        }
        Ok(())
    }

    /// Where ids are to halt the pipeline, a window function refuses to advance for no other reason.
    fn failed_to_advance(&mut self, error: &CallError, taken: &[ParsedSlice]) -> PipelineError {
        let may_halt = self.plan.specs.iter().flat_map(|spec| &spec.ids).any(|ids| ids.halt);
        match error {
            CallError::Refused(why) if may_halt => PipelineError::Ids { why: why.clone() },
            other => self.failed_on_state("advance", other, taken),
        }
    }

    /// A call failed that works on all that is held: where it met a limit, the state is too large.
    fn failed_on_state(
        &mut self,
        call: &'static str,
        error: &CallError,
        taken: &[ParsedSlice],
    ) -> PipelineError {
        // The failed one gives its memory back.
        if let Ok(empty) = self.isolation.empty(self.plan.limits.deadline) {
            self.function = empty;
        }
        self.isolation.too_large(call, error, taken.iter()).into()
    }

    fn failed(&self, call: &'static str, error: &CallError) -> PipelineError {
        WorkerError::of_call(self.plan.window_function.clone(), call, error).into()
    }
}

fn idle(watermarks: &Watermarks) -> BTreeSet<TopicPartition> {
    let idle = watermarks.partitions().filter(|(_, known)| known.idle);
    idle.map(|(partition, _)| partition.clone()).collect()
}
