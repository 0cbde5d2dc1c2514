//! Puts what the fetch clients bring into one order, and cuts it into epochs.
//!
//! The order is decided here, before parsing: batches are parsed side by side and taken by the window worker
//! in this order, so results do not depend on how many parse workers there are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, bounded};
use tallow_edge::{Clock, Ticks};
use tallow_engine::{Component, ParseOptions};
use tallow_epoch::cut::{Limits, Progress, cut, room};
use tallow_log::record::Role;
use tallow_record::{Batch, TopicPartition};
use tallow_source::{Event, PartitionInfo};

use super::budget::{ByteBudget, Permit};
use super::parse::Worked;
use crate::live::Live;
use crate::live::desk::Swap;
use crate::pipeline::Wiring;

/// A batch for a parse worker, and where its result goes.
pub struct Work {
    pub batch: Batch,
    pub permit: Permit,
    /// What the batch is parsed by, where that is not the same for all.
    pub options: Option<Arc<ParseOptions>>,
    pub reply: Sender<Worked>,
    /// What parses it, where that may change on the way.
    pub function: Option<Arc<Component>>,
}

/// What the window worker takes, in order.
pub enum Ticket {
    /// Waits here for the batch that was put in at this place.
    Batch(Receiver<Worked>),
    /// What a fetch learnt, with the clock at that moment.
    Facts { events: Vec<Event>, clock_us: i64 },
    /// Partitions that have been read up to where they ended when the pipeline started, which is all that is wanted.
    Drained(Vec<TopicPartition>),
    /// Partitions that did not exist at the start: they are read from their earliest record on.
    Found(Vec<PartitionInfo>),
    /// The epoch ends; the clock that its commit gets.
    Cut { clock_us: i64 },
    /// From here on another function.
    Swap(Box<Swap>),
    /// Nothing of what was taken since the last commit counts: somebody wants the function before back.
    RollBack { why: String },
    /// Nothing follows: the source is drained or a stop was asked for.
    End { drained: bool, clock_us: i64 },
}

/// Where partitions ended when the pipeline started.
#[derive(Default)]
pub struct Ends {
    /// Those that are to be read up to there.
    pub open: BTreeMap<TopicPartition, i64>,
    /// Those that had been read up to there, or were empty.
    pub reached: Vec<TopicPartition>,
}

/// Whether a fetch client goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    Stop,
}

pub struct Sequencer {
    clock: Arc<dyn Clock>,
    limits: Limits,
    budget: Arc<ByteBudget>,
    work: Sender<Work>,
    order: Sender<Ticket>,
    live: Arc<Live>,
    state: Mutex<State>,
}

struct State {
    epoch_start: Ticks,
    records: u64,
    bytes: u64,
    /// With available-now: partitions that have not been read up to where they ended at the start.
    remaining: Option<BTreeMap<TopicPartition, i64>>,
    /// Those that have been, and of which the window worker does not know yet.
    drained: Vec<TopicPartition>,
    ended: bool,
    /// What parses batches from here on.
    parse: Arc<Component>,
}

impl Sequencer {
    /// `ends`: read each of these partitions up to its offset, then end; none: go on for ever.
    pub fn new(
        wiring: &Wiring,
        budget: Arc<ByteBudget>,
        work: Sender<Work>,
        order: Sender<Ticket>,
        ends: Option<Ends>,
        parse: Arc<Component>,
    ) -> Self {
        let (clock, live, epoch) = (wiring.clock.clone(), wiring.live.clone(), &wiring.plan.pipeline.epoch);
        let limits = Limits {
            interval_us: epoch.interval.as_micros() as u64,
            max_records: epoch.max_records,
            max_bytes: epoch.max_bytes,
            available_now: wiring.plan.available_now,
        };
        let (remaining, drained) = match ends {
            Some(Ends { open, reached }) => (Some(open), reached),
            None => (None, Vec::new()),
        };
        let state = State {
            epoch_start: clock.ticks(),
            records: 0,
            bytes: 0,
            remaining,
            drained,
            ended: false,
            parse,
        };
        Self { clock, limits, budget, work, order, live, state: Mutex::new(state) }
    }

    /// Takes a fetch's records and events in. Blocks while the stages behind are full.
    pub fn push(&self, mut batch: Batch, events: Vec<Event>) -> Flow {
        let Some(mut permit) = self.budget.acquire(batch.size_bytes()) else { return Flow::Stop };
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if state.ended {
            return Flow::Stop;
        }
        state.note_progress(&batch, &events);
        while !batch.is_empty() {
            let room = room(&self.limits, &self.progress(&state)) as usize;
            let rest = (batch.len() > room).then(|| batch.select(room..batch.len()));
            if rest.is_some() {
                batch = batch.select(0..room);
            }
            state.records += batch.len() as u64;
            state.bytes += batch.size_bytes() as u64;
            let (reply, receiver) = bounded(1);
            let sent = self.order.send(Ticket::Batch(receiver)).is_ok()
                && self
                    .work
                    .send(Work { batch, permit, options: None, reply, function: Some(state.parse.clone()) })
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
            // The rest was counted by the permit that went on with the head; waiting for more here, under the
            // lock, could wait for ever.
            let Some(uncounted) = self.budget.acquire(0) else { return Flow::Stop };
            permit = uncounted;
        }
        if !events.is_empty() {
            let facts = Ticket::Facts { events, clock_us: self.clock.now_us() };
            if self.order.send(facts).is_err() {
                return Flow::Stop;
            }
        }
        if !state.drained.is_empty() {
            let drained = std::mem::take(&mut state.drained);
            if self.order.send(Ticket::Drained(drained)).is_err() {
                return Flow::Stop;
            }
        }
        if state.remaining.as_ref().is_some_and(BTreeMap::is_empty) {
            return self.end(&mut state, true);
        }
        self.cut_if_due(&mut state)
    }

    /// Makes partitions known that were found while running, before any record of theirs.
    pub fn found(&self, partitions: Vec<PartitionInfo>) {
        // The window worker may be gone already, for a reason of its own.
        let _ = self.order.send(Ticket::Found(partitions));
    }

    /// Ends the last epoch where it stands. Later pushes are refused.
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
            // The end has a ticket of its own.
            drained: false,
        }
    }

    fn end(&self, state: &mut State, drained: bool) -> Flow {
        state.ended = true;
        // The window worker may be gone already, for a reason of its own.
        let _ = self.order.send(Ticket::End { drained, clock_us: self.clock.now_us() });
        Flow::Stop
    }

    fn cut_if_due(&self, state: &mut State) -> Flow {
        if cut(&self.limits, &self.progress(state)).is_some() {
            (state.epoch_start, state.records, state.bytes) = (self.clock.ticks(), 0, 0);
            if self.order.send(Ticket::Cut { clock_us: self.clock.now_us() }).is_err() {
                return Flow::Stop;
            }
            return self.serve_desk(state);
        }
        Flow::Continue
    }

    /// What was asked of the pipeline happens between two epochs.
    fn serve_desk(&self, state: &mut State) -> Flow {
        if let Some(why) = self.live.desk.wants_rollback(self.live.trial.is_on()) {
            state.ended = true;
            let _ = self.order.send(Ticket::RollBack { why });
            return Flow::Stop;
        }
        let Some(swap) = self.live.desk.take_swap() else { return Flow::Continue };
        if swap.role == Role::Parse {
            state.parse = swap.component.clone();
        }
        self.live.speed.turn(swap.role);
        if swap.epochs > 0 {
            self.live.trial.begin(swap.role);
        }
        if self.order.send(Ticket::Swap(Box::new(swap))).is_err() { Flow::Stop } else { Flow::Continue }
    }
}

impl State {
    fn note_progress(&mut self, batch: &Batch, events: &[Event]) {
        let Some(remaining) = &mut self.remaining else { return };
        let mut reached = |partition: TopicPartition, next: i64| {
            if remaining.get(&partition).is_some_and(|end| next >= *end) {
                remaining.remove(&partition);
                self.drained.push(partition);
            }
        };
        for (first, run) in batch.runs_from() {
            let last = first + run.records as usize - 1;
            reached(batch.partition_of(run), batch.offsets[last] + 1);
        }
        for event in events {
            if let Event::End { partition, next } = event {
                reached(partition.clone(), *next);
            }
        }
    }
}
