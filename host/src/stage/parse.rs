//! A parse worker: batches in, rows out, bad records set aside one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::Receiver;
use tallow_edge::Clock;
use tallow_engine::{
    CallError, ColumnData, Component, Limits, ParseFunction, ParseOptions, Parsed, Rows, bit,
};
use tallow_log::record::Role;
use tallow_record::{Batch, TopicPartition};
use tallow_sink::{DeadLetter, ReasonKind};

use super::budget::Permit;
use super::order::Work;
use super::search::{self, Guilty};
use crate::dead::dead_letter;
use crate::error::PipelineError;
use crate::live::Live;
use crate::pipeline::parse_function;

/// How much longer a call may take on records of which none takes too long alone.
pub const PATIENCE: u32 = 4;

/// Records of a batch that were parsed together.
#[derive(Debug)]
pub struct Piece {
    pub batch: Batch,
    pub parsed: Parsed,
    /// Per run of the batch: the largest event time of its rows.
    pub event_times: Vec<RunTimes>,
}

#[derive(Debug)]
pub struct RunTimes {
    pub partition: TopicPartition,
    /// Largest event time of the run's rows, µs; none without rows.
    pub max_us: Option<i64>,
}

/// Records of a partition as they were fetched, before anything was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub partition: TopicPartition,
    /// Offset of the first record.
    pub first: i64,
    /// Offset after the last record.
    pub next: i64,
    pub records: u64,
    pub clock_us: i64,
}

/// A batch's result. The records of `pieces` and `aside` together are those of `taken`, each once.
#[derive(Default)]
pub struct Parts {
    pub taken: Vec<Taken>,
    pub pieces: Vec<Piece>,
    pub aside: Vec<DeadLetter>,
    /// The batch as it came, where records are to be kept.
    pub archive: Option<Batch>,
}

/// What a worker gives back for a batch.
pub struct Worked {
    pub outcome: Result<Parts, PipelineError>,
    /// Held until the window worker has taken the rows.
    pub permit: Permit,
}

/// Calls that may still be spent on finding bad records in this epoch; shared by all workers.
pub struct BisectBudget {
    left: AtomicU64,
    whole: u64,
}

impl BisectBudget {
    pub fn new(calls: u64) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(calls), whole: calls })
    }

    /// A new epoch has begun.
    pub fn refill(&self) {
        self.left.store(self.whole, Ordering::Relaxed);
    }

    pub fn spend(&self, function: &str, last: &CallError) -> Result<(), PipelineError> {
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match spent {
            Ok(_) => Ok(()),
            Err(_) => Err(PipelineError::BisectBudget {
                function: function.to_owned(),
                calls: self.whole,
                last: last.to_string(),
            }),
        }
    }
}

pub struct ParseWorker {
    pub function: ParseFunction,
    /// What `function` is an instance of.
    pub component: Arc<Component>,
    pub limits: Limits,
    /// What another component that is swapped in is asked for.
    pub options: ParseOptions,
    /// The windows' event-time column.
    pub time: String,
    pub max_future_us: i64,
    /// Whether batches go on as they came, too.
    pub keeps_batches: bool,
    pub live: Arc<Live>,
    pub clock: Arc<dyn Clock>,
    pub budget: Arc<BisectBudget>,
}

impl ParseWorker {
    /// Works until the sequencer is gone.
    pub fn run(mut self, work: &Receiver<Work>) {
        let mut known: Option<Arc<ParseOptions>> = None;
        for Work { batch, permit, options, reply, function } in work {
            if let Some(options) = options
                && !known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &options))
            {
                self.function.set_options((*options).clone());
                known = Some(options);
            }
            let (begun, records) = (self.clock.ticks(), batch.len());
            let archive = self.keeps_batches.then(|| batch.clone());
            let worked = self.take_up(function).and_then(|()| self.work(batch));
            let outcome = worked.map(|parts| Parts { archive, ..parts });
            self.live.speed.add(Role::Parse, self.clock.ticks().since(begun), records);
            // Without a receiver the window worker has stopped, and says why itself.
            let _ = reply.send(Worked { outcome, permit });
        }
    }

    /// What became of a batch's records.
    pub fn work(&mut self, batch: Batch) -> Result<Parts, PipelineError> {
        let mut parts = Parts { taken: taken(&batch), ..Parts::default() };
        self.parse(batch, &mut parts)?;
        Ok(parts)
    }

    /// An instance of another component, where one was swapped in.
    fn take_up(&mut self, component: Option<Arc<Component>>) -> Result<(), PipelineError> {
        if let Some(component) = component
            && !Arc::ptr_eq(&self.component, &component)
        {
            self.function = parse_function(&component, self.limits, &self.options)?;
            self.component = component;
        }
        Ok(())
    }

    /// Parses a batch; where that fails, what is left without the records that do it.
    pub fn parse(&mut self, mut batch: Batch, parts: &mut Parts) -> Result<(), PipelineError> {
        if batch.is_empty() {
            return Ok(());
        }
        let error = match self.function.parse(&mut batch) {
            Ok(parsed) => return self.accept(batch, parsed, parts),
            Err(error) if !error.may_be_a_record() => {
                return Err(PipelineError::of_call(self.name(), "parse", &error));
            }
            Err(error) => error,
        };
        if self.live.trial.is_of(Role::Parse) {
            let why = format!("from {} on it {error}", batch.place(0));
            return Err(PipelineError::Probation { function: self.name(), why });
        }
        self.budget.spend(self.component.name(), &error)?;
        let guilty = self.guilty(&batch, error.clone())?;
        if guilty.is_empty() && !error.may_pass_in_parts() {
            return Err(self.unrepeatable(&batch, &error));
        }
        for Guilty { record, error } in &guilty {
            tracing::warn!(function = self.component.name(), place = %batch.place(*record), %error, "a record is set aside");
            parts.aside.push(aside(&batch, *record, error));
        }
        let is_guilty = |record: &usize| guilty.binary_search_by_key(record, |it| it.record).is_ok();
        let rest = batch.select((0..batch.len()).filter(|record| !is_guilty(record)));
        self.parse_patiently(rest, parts)
    }

    /// The records that the function fails on alone.
    fn guilty(&mut self, batch: &Batch, error: CallError) -> Result<Vec<Guilty>, PipelineError> {
        let deadline = self.limits.deadline;
        let found = search::guilty(batch.len(), error, deadline, &mut |records, deadline| {
            self.function.set_deadline(deadline);
            let parsed = self.function.parse(&mut batch.select(records));
            match parsed {
                Ok(_) => Ok(None),
                Err(error) if !error.may_be_a_record() => {
                    Err(PipelineError::of_call(self.component.name().to_owned(), "parse", &error))
                }
                Err(error) => {
                    self.budget.spend(self.component.name(), &error)?;
                    Ok(Some(error))
                }
            }
        });
        self.function.set_deadline(deadline);
        found
    }

    /// Parses records of which none fails alone: with time, and in parts where they are too much at once.
    fn parse_patiently(&mut self, mut batch: Batch, parts: &mut Parts) -> Result<(), PipelineError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.function.set_deadline(self.limits.deadline * PATIENCE);
        let parsed = self.function.parse(&mut batch);
        self.function.set_deadline(self.limits.deadline);
        match parsed {
            Ok(parsed) => self.accept(batch, parsed, parts),
            Err(error) if batch.len() > 1 && error.may_pass_in_parts() => {
                self.budget.spend(self.component.name(), &error)?;
                let middle = batch.len() / 2;
                self.parse_patiently(batch.select(0..middle), parts)?;
                self.parse_patiently(batch.select(middle..batch.len()), parts)
            }
            Err(error) => Err(self.unrepeatable(&batch, &error)),
        }
    }

    fn unrepeatable(&self, batch: &Batch, error: &CallError) -> PipelineError {
        if !error.may_be_a_record() {
            return PipelineError::of_call(self.name(), "parse", error);
        }
        let place = batch.place(0).to_string();
        PipelineError::Unrepeatable { function: self.name(), place, error: error.to_string() }
    }

    /// Keeps rows whose event time is too far ahead of the clock from the windows and the watermark.
    fn accept(&mut self, batch: Batch, parsed: Parsed, parts: &mut Parts) -> Result<(), PipelineError> {
        let max_future_us = self.max_future_us;
        let (event_times, future) =
            event_times(&batch, &parsed.rows, &self.time, max_future_us).map_err(|why| self.refused(why))?;
        if future.is_empty() {
            parts.pieces.push(Piece { batch, parsed, event_times });
            return Ok(());
        }
        for &record in &future {
            let reason =
                format!("event time is more than {} s ahead of the clock", max_future_us / 1_000_000);
            parts.aside.push(dead_letter(&batch, record, ReasonKind::Future, reason));
        }
        let rest = batch.select((0..batch.len()).filter(|record| future.binary_search(record).is_err()));
        self.parse(rest, parts)
    }

    fn refused(&self, why: String) -> PipelineError {
        PipelineError::Function { function: self.name(), call: "parse", why }
    }

    fn name(&self) -> String {
        self.component.name().to_owned()
    }
}

/// The largest event time of each run, and the records (ascending) with one that is more than `max_future_us`
/// ahead of their clock.
pub fn event_times(
    batch: &Batch,
    rows: &Rows,
    time: &str,
    max_future_us: i64,
) -> Result<(Vec<RunTimes>, Vec<usize>), String> {
    let column = rows.table.columns.iter().find(|column| column.name == time);
    let (values, validity) = match column.map(|column| (&column.data, column.validity.as_deref())) {
        Some((ColumnData::TimestampUs(values), validity)) => (values.as_slice(), validity),
        _ if rows.table.rows == 0 => (&[][..], None),
        _ => return Err(format!("it makes no timestamp column `{time}`")),
    };
    let valid = |row: &usize| validity.is_none_or(|bits| bit(bits, *row));
    let mut future = Vec::new();
    let mut times = Vec::with_capacity(batch.runs.len());
    let mut row = 0;
    for (first, run) in batch.runs_from() {
        let limit_us = run.clock_us.saturating_add(max_future_us);
        let after = (first + run.records as usize) as u32;
        let end = row + rows.records[row..].partition_point(|record| *record < after);
        let max_us = match validity {
            None => values[row..end].iter().copied().max(),
            Some(_) => (row..end).filter(valid).map(|row| values[row]).max(),
        };
        if max_us.is_some_and(|max_us| max_us > limit_us) {
            let ahead = (row..end).filter(valid).filter(|row| values[*row] > limit_us);
            future.extend(ahead.map(|row| rows.records[row] as usize));
            future.dedup();
        }
        times.push(RunTimes { partition: batch.partition_of(run), max_us });
        row = end;
    }
    Ok((times, future))
}

/// A batch's records by run, before anything is set aside.
pub fn taken(batch: &Batch) -> Vec<Taken> {
    let runs = batch.runs_from().map(|(first, run)| Taken {
        partition: batch.partition_of(run),
        first: batch.offsets[first],
        next: batch.offsets[first + run.records as usize - 1] + 1,
        records: u64::from(run.records),
        clock_us: run.clock_us,
    });
    runs.collect()
}

/// A record that a function cannot work on.
pub fn aside(batch: &Batch, record: usize, error: &CallError) -> DeadLetter {
    let kind = match error {
        CallError::Deadline { .. } => ReasonKind::Deadline,
        _ => ReasonKind::Trap,
    };
    dead_letter(batch, record, kind, error.to_string())
}
