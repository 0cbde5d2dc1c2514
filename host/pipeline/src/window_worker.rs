//! The window worker: takes parsed batches in order, hands their rows to the window function, keeps the epoch's ledger,
//! and finishes the epoch.
//!
//! This file takes the commands. [`take`] is what a batch does to the epoch, [`epoch_end`] what an epoch leaves behind,
//! [`swap`] another function between two epochs, [`waiting`] the watch over a watermark that does not move.

mod epoch_end;
mod swap;
mod take;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use tallow_engine::{CallError, WindowFunction};
use tallow_env::Clock;
use tallow_epoch::Watermarks;
use tallow_record::TopicPartition;
use tallow_source::{Event, PartitionInfo};

use self::waiting::Waiting;
use crate::epoch::{Chunk, Epoch, Finished, Gap};
use crate::error::PipelineError;
use crate::hooks::Hooks;
use crate::progress::Progress;
use crate::sequencer::WindowCommand;
use tallow_worker::isolate::Isolation;
use tallow_worker::plan::Plan;
use tallow_worker::{ParseOutcome, ParsedSlice, WorkerError};

/// The windows and what goes with them: empty, or as the log has it.
pub struct WindowState {
    pub function: WindowFunction,
    pub isolation: Isolation,
    /// Offset of the next record of each partition.
    pub positions: BTreeMap<TopicPartition, i64>,
    pub watermarks: Watermarks,
    /// (row, window) pairs that the function holds open, by window name.
    pub open_assignments: BTreeMap<String, u64>,
    /// Partitions that were idle at the last commit.
    pub idle: BTreeSet<TopicPartition>,
    /// By spec: from when on columns are known that came later than the pipeline, µs.
    pub since_us: Vec<BTreeMap<String, i64>>,
}

pub struct WindowWorker {
    plan: Arc<Plan>,
    progress: Arc<Progress>,
    hooks: Arc<dyn Hooks>,
    clock: Arc<dyn Clock>,
    state: WindowState,
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
        state: WindowState,
    ) -> Self {
        let snapshot_version = state.function.base_version();
        let (waiting, epoch) = (Waiting::default(), Epoch::default());
        Self { plan, progress, hooks, clock, state, waiting, snapshot_version, epoch }
    }

    /// Takes commands until the last one; every finished epoch goes to the committer.
    pub fn run(
        mut self,
        commands: &Receiver<WindowCommand>,
        commits: &Sender<Finished>,
    ) -> Result<(), PipelineError> {
        self.show_state()?;
        for command in commands {
            let (clock_us, last, close_all) = match command {
                WindowCommand::Batch(reply) => {
                    let ParseOutcome { outcome, permit } = reply.recv().map_err(|_| PipelineError::Broken)?;
                    self.take(outcome?)?;
                    drop(permit);
                    if !self.is_full_of_refused() {
                        continue;
                    }
                    (self.clock.now_us(), false, false)
                }
                WindowCommand::Found(found) => {
                    self.on_found(found);
                    continue;
                }
                WindowCommand::SourceEvents { events, clock_us } => {
                    events.into_iter().for_each(|event| self.on_source_event(event, clock_us));
                    continue;
                }
                WindowCommand::Drained(partitions) => {
                    partitions.iter().for_each(|partition| self.state.watermarks.drained(partition));
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

    /// Whether late rows, dead letters and records under another key take as much as may wait between two stages: then the
    /// epoch ends early.
    fn is_full_of_refused(&self) -> bool {
        self.epoch.aside_bytes as u64 >= self.plan.pipeline.limits.queue_bytes
    }

    fn on_found(&mut self, found: Vec<PartitionInfo>) {
        for info in &found {
            self.state.watermarks.add(&info.partition);
            self.state.positions.entry(info.partition.clone()).or_insert(info.earliest);
        }
        self.epoch.found.extend(found);
    }

    fn on_source_event(&mut self, event: Event, clock_us: i64) {
        match event {
            Event::End { partition, next } => {
                self.state.watermarks.end(&partition, clock_us);
                self.pass_over(partition, next, clock_us);
            }
            Event::Lost { partition, from, to } => {
                tracing::error!(%partition, from, to, "records were lost before they could be read");
                self.state.positions.insert(partition.clone(), to);
                self.epoch.gaps.push(Gap { partition, from, to });
            }
            Event::Unreachable { .. } => self.epoch.unreachable = true,
        }
    }

    /// Aborted and control records: nothing is in them, and a restart need not begin before them.
    fn pass_over(&mut self, partition: TopicPartition, next: i64, clock_us: i64) {
        let position = self.state.positions.entry(partition.clone()).or_insert(next);
        if next > *position {
            let from = std::mem::replace(position, next);
            self.epoch.chunks.push(Chunk { partition, from, to: next, clock_us });
        }
    }

    /// A call that works on all that is held. One that fails at a limit means that the state is too large.
    fn on_state<T>(
        &mut self,
        call: &'static str,
        taken: &[ParsedSlice],
        work: impl FnOnce(&mut WindowFunction) -> Result<T, CallError>,
    ) -> Result<T, PipelineError> {
        work(&mut self.state.function).map_err(|error| self.failed_on_state(call, &error, taken))
    }

    fn failed_on_state(
        &mut self,
        call: &'static str,
        error: &CallError,
        taken: &[ParsedSlice],
    ) -> PipelineError {
        let start = &self.state.isolation.start;
        // The failed one gives its memory back.
        if let Ok(empty) = start.empty(self.plan.limits.deadline) {
            self.state.function = empty;
        }
        start.too_large(call, error, taken.iter()).into()
    }

    fn failed(&self, call: &'static str, error: &CallError) -> PipelineError {
        WorkerError::of_call(self.plan.window_function.clone(), call, error).into()
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;
    use tallow_env::ManualClock;
    use tallow_worker::{ByteBudget, ParsedBatch, Unobserved};

    use super::*;
    use crate::epoch::FinishedEpoch;
    use crate::functions::Functions;
    use crate::testing::{functions, nothing, parsed, plan};

    struct Scene {
        worker: WindowWorker,
        functions: Functions,
    }

    fn scene(keys: &str) -> Scene {
        let (plan, functions) = (plan(keys), functions());
        let state = nothing(&plan, &functions);
        let (progress, clock) = (Arc::new(Progress::default()), Arc::new(ManualClock::at(0)));
        Scene { worker: WindowWorker::new(plan, progress, Arc::new(Unobserved), clock, state), functions }
    }

    impl Scene {
        fn parse(&self, offset: i64, values: &[&str]) -> ParsedBatch {
            parsed(&self.worker.plan, &self.functions, offset, values)
        }

        fn take(&mut self, offset: i64, values: &[&str]) -> Result<(), PipelineError> {
            let parsed = self.parse(offset, values);
            self.worker.take(parsed)
        }
    }

    fn closed(epoch: &FinishedEpoch) -> Vec<(&str, usize)> {
        epoch.closed.iter().map(|(window, rows)| (window.as_str(), rows.num_rows())).collect()
    }

    #[test]
    fn a_window_closes_once_the_watermark_has_passed_its_end() {
        let mut scene = scene("delay = \"0s\"");
        scene.take(0, &["A 1000000 1 1 1", "A 2000000 1 2 1"]).unwrap();
        let first = scene.worker.finish(1, false).unwrap().unwrap();
        assert_eq!((closed(&first), first.open_assignments["1m"]), (vec![], 2));
        scene.take(2, &["A 61000000 1 3 1"]).unwrap();
        let second = scene.worker.finish(2, false).unwrap().unwrap();
        assert_eq!((closed(&second), second.open_assignments["1m"]), (vec![("1m", 1)], 1));
        assert_eq!(second.chunks, [Chunk { from: 2, to: 3, ..second.chunks[0].clone() }]);
        assert!(scene.worker.finish(3, false).unwrap().is_none(), "nothing happened since");
    }

    #[test]
    fn each_record_is_in_the_ledger_once() {
        let mut scene = scene("");
        scene.take(0, &["A 1000000 1 1 1", "no trade", "A 2000000 1 666 1"]).unwrap();
        let epoch = scene.worker.finish(1, false).unwrap().unwrap();
        let counts = epoch.ledger.partitions.values().next().unwrap();
        assert_eq!((counts.records, counts.with_rows, counts.rejected), (3, 1, 1));
        let dead: Vec<_> =
            epoch.dead.iter().map(|letter| (letter.place.offset, letter.kind.as_str())).collect();
        assert_eq!(dead, [(1, "rejected"), (2, "trap")]);
    }

    #[test]
    fn a_rejected_record_stops_a_pipeline_that_asks_for_it() {
        let error = scene("on-reject = \"fail\"").take(0, &["A 1000000 1 1 1", "no trade"]).unwrap_err();
        let PipelineError::Worker(WorkerError::BadRecord { place, .. }) = &error else { panic!("{error}") };
        assert_eq!(place, "trades/0/1");
    }

    #[test]
    fn commands_are_taken_in_order_and_each_epoch_goes_to_the_committer() {
        let scene = scene("");
        let (commands_in, commands) = bounded(10);
        let (commits_in, commits) = bounded(10);
        let budget = ByteBudget::new(1);
        for (offset, clock_us) in [(0, 7), (1, 8)] {
            let (reply, outcome) = bounded(1);
            let parsed = scene.parse(offset, &["A 1000000 1 1 1"]);
            let permit = budget.acquire(0).unwrap();
            reply.send(ParseOutcome { outcome: Ok(parsed), permit }).unwrap();
            commands_in.send(WindowCommand::Batch(outcome)).unwrap();
            commands_in.send(WindowCommand::Cut { clock_us }).unwrap();
        }
        commands_in.send(WindowCommand::End { drained: false, clock_us: 9 }).unwrap();
        scene.worker.run(&commands, &commits_in).unwrap();
        let finished = commits.try_iter().map(|finished| match finished {
            Finished::Epoch(epoch) => (epoch.clock_us, epoch.chunks[0].from),
            Finished::Swap(_) => panic!("nothing was swapped"),
        });
        assert_eq!(finished.collect::<Vec<_>>(), [(7, 0), (8, 1)]);
    }
}
