//! Puts what the fetch clients bring into one order, and cuts it into epochs.
//!
//! The order is decided here, before parsing: batches are parsed side by side and taken by the window worker
//! in this order, so results do not depend on how many parse workers there are.

use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, bounded};
use tallow_engine::Component;
use tallow_env::{Clock, Ticks};
use tallow_epoch::cut::{Limits, Progress, cut, room};
use tallow_log::record::Role;
use tallow_record::{Batch, TopicPartition};
use tallow_source::{Event, PartitionInfo};

use crate::ends::Ends;
use crate::hooks::{Change, Hooks, Swap};
use tallow_worker::plan::Plan;
use tallow_worker::{ByteBudget, ParseJob, ParseOutcome};

/// What the window worker takes, in order.
pub enum WindowCommand {
    /// Waits here for the batch that was put in at this place.
    Batch(Receiver<ParseOutcome>),
    /// What a fetch found out, with the clock at that moment.
    SourceEvents { events: Vec<Event>, clock_us: i64 },
    /// Partitions that have been read up to where they ended when the pipeline started, which is all that is wanted.
    Drained(Vec<TopicPartition>),
    /// Partitions that did not exist at the start: they are read from their earliest record on.
    Found(Vec<PartitionInfo>),
    /// The epoch ends; the clock that its commit gets.
    Cut { clock_us: i64 },
    /// Another function from here on.
    Swap(Box<Swap>),
    /// Roll back to the previous function: nothing that was taken since the last commit counts.
    RollBack { why: String },
    /// Nothing follows: the source is drained or a stop was asked for.
    End { drained: bool, clock_us: i64 },
}

/// Whether a fetch client continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    Stop,
}

/// Where batches and commands go.
pub struct Queues {
    pub budget: Arc<ByteBudget>,
    pub work: Sender<ParseJob>,
    pub order: Sender<WindowCommand>,
}

/// When an epoch is cut, as the manifest says.
pub fn epoch_limits(plan: &Plan) -> Limits {
    let epoch = &plan.pipeline.epoch;
    Limits {
        interval_us: epoch.interval.as_micros() as u64,
        max_records: epoch.max_records,
        max_bytes: epoch.max_bytes,
        available_now: plan.available_now,
    }
}

pub struct Sequencer {
    clock: Arc<dyn Clock>,
    limits: Limits,
    budget: Arc<ByteBudget>,
    work: Sender<ParseJob>,
    order: Sender<WindowCommand>,
    hooks: Arc<dyn Hooks>,
    state: Mutex<State>,
}

struct State {
    epoch_start: Ticks,
    records: u64,
    bytes: u64,
    /// With available-now: how far partitions are to be read.
    ends: Option<Ends>,
    ended: bool,
    /// What parses batches from here on, if it was swapped in.
    parse: Option<Arc<Component>>,
}

impl Sequencer {
    /// `ends`: read each of these partitions up to its offset, then end; `None`: read on until stopped.
    pub fn new(
        queues: Queues,
        limits: Limits,
        ends: Option<Ends>,
        hooks: Arc<dyn Hooks>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let Queues { budget, work, order } = queues;
        let epoch_start = clock.ticks();
        let state = State { epoch_start, records: 0, bytes: 0, ends, ended: false, parse: None };
        Self { clock, limits, budget, work, order, hooks, state: Mutex::new(state) }
    }

    /// Takes a fetch's records and events in. Blocks while the stages behind are full.
    pub fn push(&self, mut batch: Batch, events: Vec<Event>) -> Flow {
        let Some(mut permit) = self.budget.acquire(batch.size_bytes()) else { return Flow::Stop };
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if state.ended {
            return Flow::Stop;
        }
        if let Some(ends) = &mut state.ends {
            ends.note(&batch, &events);
        }
        while !batch.is_empty() {
            let room = room(&self.limits, &self.progress(&state)) as usize;
            let rest = (batch.len() > room).then(|| batch.select(room..batch.len()));
            if rest.is_some() {
                batch = batch.select(0..room);
            }
            state.records += batch.len() as u64;
            state.bytes += batch.size_bytes() as u64;
            let (reply, receiver) = bounded(1);
            let sent = self.order.send(WindowCommand::Batch(receiver)).is_ok()
                && self
                    .work
                    .send(ParseJob { batch, permit, options: None, reply, function: state.parse.clone() })
                    .is_ok();
            if !sent {
                return Flow::Stop;
            }
            match rest {
                None => break,
                Some(rest) => batch = rest,
            }
            if self.cut_if_due(&mut state) == Flow::Stop {
                return Flow::Stop;
            }
            // The head's permit covers the rest as well. To wait for more under the lock could block for ever.
            let Some(uncounted) = self.budget.acquire(0) else { return Flow::Stop };
            permit = uncounted;
        }
        if !events.is_empty() {
            let events = WindowCommand::SourceEvents { events, clock_us: self.clock.now_us() };
            if self.order.send(events).is_err() {
                return Flow::Stop;
            }
        }
        if let Some(ends) = &mut state.ends {
            let reached = std::mem::take(&mut ends.reached);
            if !reached.is_empty() && self.order.send(WindowCommand::Drained(reached)).is_err() {
                return Flow::Stop;
            }
            if ends.open.is_empty() {
                return self.end(&mut state, true);
            }
        }
        self.cut_if_due(&mut state)
    }

    /// Makes partitions known that were found while running, before any record of theirs.
    pub fn found(&self, partitions: Vec<PartitionInfo>) {
        // The window worker may have stopped, and says why itself.
        let _ = self.order.send(WindowCommand::Found(partitions));
    }

    /// Ends the last epoch now. Later pushes are refused.
    pub fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !state.ended {
            self.end(&mut state, false);
        }
    }

    fn progress(&self, state: &State) -> Progress {
        Progress {
            elapsed_us: self.clock.ticks().since(state.epoch_start).as_micros() as u64,
            records: state.records,
            bytes: state.bytes,
        }
    }

    fn end(&self, state: &mut State, drained: bool) -> Flow {
        state.ended = true;
        // The window worker may have stopped, and says why itself.
        let _ = self.order.send(WindowCommand::End { drained, clock_us: self.clock.now_us() });
        Flow::Stop
    }

    fn cut_if_due(&self, state: &mut State) -> Flow {
        if cut(&self.limits, &self.progress(state)).is_some() {
            (state.epoch_start, state.records, state.bytes) = (self.clock.ticks(), 0, 0);
            if self.order.send(WindowCommand::Cut { clock_us: self.clock.now_us() }).is_err() {
                return Flow::Stop;
            }
            return self.change(state);
        }
        Flow::Continue
    }

    /// What is to change does so between two epochs.
    fn change(&self, state: &mut State) -> Flow {
        let command = match self.hooks.change() {
            None => return Flow::Continue,
            Some(Change::RollBack { why }) => {
                state.ended = true;
                let _ = self.order.send(WindowCommand::RollBack { why });
                return Flow::Stop;
            }
            Some(Change::Swap(swap)) => {
                if swap.role == Role::Parse {
                    state.parse = Some(swap.component.clone());
                }
                WindowCommand::Swap(swap)
            }
        };
        if self.order.send(command).is_err() { Flow::Stop } else { Flow::Continue }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use tallow_engine::Contract;
    use tallow_env::ManualClock;
    use tallow_worker::{CallObserver, Unobserved};

    use super::*;
    use crate::hooks::Hooks;

    struct Scene {
        sequencer: Sequencer,
        work: Receiver<ParseJob>,
        order: Receiver<WindowCommand>,
    }

    fn scene(limits: Limits, ends: Option<Ends>, hooks: Arc<dyn Hooks>) -> Scene {
        let (work_in, work) = bounded(100);
        let (order_in, order) = bounded(100);
        let queues = Queues { budget: ByteBudget::new(1 << 20), work: work_in, order: order_in };
        let clock = Arc::new(ManualClock::at(7));
        Scene { sequencer: Sequencer::new(queues, limits, ends, hooks, clock), work, order }
    }

    fn limits(max_records: u64) -> Limits {
        Limits { interval_us: u64::MAX, max_records, max_bytes: u64::MAX, available_now: true }
    }

    /// Records of partition 0 from an offset on.
    fn batch(from: i64, records: i64) -> Batch {
        let mut batch = Batch::default();
        let topic = batch.topic_index(&"t".into());
        for offset in from..from + records {
            batch.push(topic, 0, offset, 0, 0, None, Some(b"x"));
        }
        batch
    }

    /// Commands by name, a batch with how many records its job has.
    fn said(scene: &Scene) -> Vec<String> {
        let mut jobs = scene.work.try_iter();
        let commands = scene.order.try_iter().map(|command| match command {
            WindowCommand::Batch(_) => format!("batch {}", jobs.next().map_or(0, |job| job.batch.len())),
            WindowCommand::SourceEvents { events, .. } => format!("{} events", events.len()),
            WindowCommand::Drained(partitions) => format!("drained {}", partitions.len()),
            WindowCommand::Found(partitions) => format!("found {}", partitions.len()),
            WindowCommand::Cut { clock_us } => format!("cut at {clock_us}"),
            WindowCommand::Swap(_) => "swap".to_owned(),
            WindowCommand::RollBack { why } => format!("roll back: {why}"),
            WindowCommand::End { drained, .. } => format!("end, drained: {drained}"),
        });
        commands.collect()
    }

    #[test]
    fn a_batch_is_split_where_its_epoch_ends() {
        let scene = scene(limits(4), None, Arc::new(Unobserved));
        for (from, records) in [(0, 3), (3, 6)] {
            assert_eq!(scene.sequencer.push(batch(from, records), Vec::new()), Flow::Continue);
        }
        assert_eq!(said(&scene), ["batch 3", "batch 1", "cut at 7", "batch 4", "cut at 7", "batch 1"]);
    }

    #[test]
    fn the_end_comes_once_every_partition_was_read_to_its_end() {
        let partition = TopicPartition::new("t", 0);
        let ends = Ends { open: BTreeMap::from([(partition, 5)]), reached: Vec::new() };
        let scene = scene(limits(100), Some(ends), Arc::new(Unobserved));
        assert_eq!(scene.sequencer.push(batch(0, 4), Vec::new()), Flow::Continue);
        assert_eq!(scene.sequencer.push(batch(4, 2), Vec::new()), Flow::Stop);
        assert_eq!(said(&scene), ["batch 4", "batch 2", "drained 1", "end, drained: true"]);
        assert_eq!(scene.sequencer.push(batch(6, 1), Vec::new()), Flow::Stop);
        assert!(said(&scene).is_empty(), "nothing follows the end");
    }

    #[test]
    fn a_stop_ends_the_epoch_where_it_stands_and_once() {
        let scene = scene(limits(100), None, Arc::new(Unobserved));
        scene.sequencer.push(batch(0, 1), Vec::new());
        scene.sequencer.stop();
        scene.sequencer.stop();
        assert_eq!(said(&scene), ["batch 1", "end, drained: false"]);
    }

    /// Wants a rollback once.
    struct Regret(AtomicBool);

    impl CallObserver for Regret {
        fn called(&self, _: Contract, _: Duration, _: usize) {}

        fn is_on_probation(&self, _: Contract) -> bool {
            true
        }
    }

    impl Hooks for Regret {
        fn change(&self) -> Option<Change> {
            let first = !self.0.swap(true, Ordering::SeqCst);
            first.then(|| Change::RollBack { why: "regret".to_owned() })
        }
    }

    #[test]
    fn a_change_is_asked_for_at_an_epochs_end_alone() {
        let scene = scene(limits(2), None, Arc::new(Regret(AtomicBool::new(false))));
        assert_eq!(scene.sequencer.push(batch(0, 1), Vec::new()), Flow::Continue);
        assert_eq!(scene.sequencer.push(batch(1, 1), Vec::new()), Flow::Stop);
        assert_eq!(said(&scene), ["batch 1", "batch 1", "cut at 7", "roll back: regret"]);
    }
}
