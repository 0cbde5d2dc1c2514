//! A parse worker: batches in, rows out, bad records set aside one by one.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use tallow_engine::{
    CallError, Component, Contract, Limits, ParseDescription, ParseFunction, ParseOptions, Parsed,
};
use tallow_env::Clock;
use tallow_record::Batch;
use tallow_sink::ReasonKind;

use crate::bisect_budget::BisectBudget;
use crate::byte_budget::Permit;
use crate::dead_letter::{self, dead_letter};
use crate::error::WorkerError;
use crate::observer::CallObserver;
use crate::search::{self, Guilty};
use crate::slices::{ParsedBatch, ParsedSlice, event_times, fetched_ranges};

/// How much longer a call may take on records of which none takes too long alone.
pub const PATIENCE: u32 = 4;

/// A batch for a parse worker, and where its outcome goes. Workers take jobs in any order; who sent them waits for the
/// replies in the order in which it sent.
pub struct ParseJob {
    pub batch: Batch,
    pub permit: Permit,
    /// What the batch is parsed by, where that is not the same for all.
    pub options: Option<Arc<ParseOptions>>,
    pub reply: Sender<ParseOutcome>,
    /// The component that parses it, where that may change from batch to batch.
    pub function: Option<Arc<Component>>,
}

/// What a worker gives back for a batch.
pub struct ParseOutcome {
    pub outcome: Result<ParsedBatch, WorkerError>,
    /// Held until the window worker has taken the rows.
    pub permit: Permit,
}

/// What a parse worker goes by.
#[derive(Clone)]
pub struct ParseSettings {
    pub limits: Limits,
    pub options: ParseOptions,
    /// The windows' event-time column.
    pub time: String,
    /// How far an event time may be ahead of the clock, µs.
    pub max_future_us: i64,
    /// Whether batches are passed on as they came, too.
    pub keeps_batches: bool,
}

pub struct ParseWorker {
    function: ParseFunction,
    /// What `function` is an instance of.
    component: Arc<Component>,
    settings: ParseSettings,
    budget: Arc<BisectBudget>,
    observer: Arc<dyn CallObserver>,
    clock: Arc<dyn Clock>,
}

impl ParseWorker {
    /// # Errors
    /// The component does not start.
    pub fn new(
        component: &Arc<Component>,
        settings: ParseSettings,
        budget: Arc<BisectBudget>,
        observer: Arc<dyn CallObserver>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WorkerError> {
        let function = parse_function(component, settings.limits, &settings.options)?;
        Ok(Self { function, component: component.clone(), settings, budget, observer, clock })
    }

    /// What the component says about itself.
    pub fn description(&self) -> &ParseDescription {
        self.function.description()
    }

    /// Asks for other columns from here on.
    pub fn set_options(&mut self, options: ParseOptions) {
        self.function.set_options(options);
    }

    /// Works until the sequencer is gone.
    pub fn run(mut self, jobs: &Receiver<ParseJob>) {
        let mut known: Option<Arc<ParseOptions>> = None;
        for ParseJob { batch, permit, options, reply, function } in jobs {
            if let Some(options) = options
                && !known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &options))
            {
                self.function.set_options((*options).clone());
                known = Some(options);
            }
            let (begun, records) = (self.clock.ticks(), batch.len());
            let archive = self.settings.keeps_batches.then(|| batch.clone());
            let worked = self.switch_to(function).and_then(|()| self.work(batch));
            let outcome = worked.map(|parts| ParsedBatch { archive, ..parts });
            self.observer.called(Contract::Parse, self.clock.ticks().since(begun), records);
            // Without a receiver the window worker has stopped, and says why itself.
            let _ = reply.send(ParseOutcome { outcome, permit });
        }
    }

    /// What became of a batch's records.
    pub fn work(&mut self, batch: Batch) -> Result<ParsedBatch, WorkerError> {
        let mut parts = ParsedBatch { taken: fetched_ranges(&batch), ..ParsedBatch::default() };
        self.parse(batch, &mut parts)?;
        Ok(parts)
    }

    /// An instance of another component, where one was swapped in.
    fn switch_to(&mut self, component: Option<Arc<Component>>) -> Result<(), WorkerError> {
        if let Some(component) = component
            && !Arc::ptr_eq(&self.component, &component)
        {
            self.function = parse_function(&component, self.settings.limits, &self.settings.options)?;
            self.component = component;
        }
        Ok(())
    }

    /// Parses a batch; where that fails, what is left without the records that do it.
    pub fn parse(&mut self, mut batch: Batch, parts: &mut ParsedBatch) -> Result<(), WorkerError> {
        if batch.is_empty() {
            return Ok(());
        }
        let error = match self.function.parse(&mut batch) {
            Ok(parsed) => return self.accept(batch, parsed, parts),
            Err(error) if !error.may_be_a_record() => {
                return Err(WorkerError::of_call(self.name().to_owned(), "parse", &error));
            }
            Err(error) => error,
        };
        if self.observer.is_on_probation(Contract::Parse) {
            let why = format!("from {} on it {error}", batch.place(0));
            return Err(WorkerError::Probation { function: self.name().to_owned(), why });
        }
        self.budget.spend(self.component.name(), &error)?;
        let guilty = self.guilty(&batch, error.clone())?;
        if guilty.is_empty() && !error.may_pass_in_parts() {
            return Err(self.unrepeatable(&batch, &error));
        }
        for Guilty { record, error } in &guilty {
            let deadline = self.settings.limits.deadline;
            let letter = dead_letter::of_failure(&batch, *record, error, deadline);
            self.budget.log_set_aside(self.name(), &letter);
            parts.aside.push(letter);
        }
        let is_guilty = |record: &usize| guilty.binary_search_by_key(record, |it| it.record).is_ok();
        let rest = batch.select((0..batch.len()).filter(|record| !is_guilty(record)));
        self.parse_patiently(rest, parts)
    }

    /// The records that the function fails on alone.
    fn guilty(&mut self, batch: &Batch, error: CallError) -> Result<Vec<Guilty>, WorkerError> {
        let deadline = self.settings.limits.deadline;
        let found = search::guilty(batch.len(), error, deadline, &mut |records, deadline| {
            self.function.set_deadline(deadline);
            let parsed = self.function.parse(&mut batch.select(records));
            match parsed {
                Ok(_) => Ok(None),
                Err(error) if !error.may_be_a_record() => {
                    Err(WorkerError::of_call(self.component.name().to_owned(), "parse", &error))
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
    fn parse_patiently(&mut self, mut batch: Batch, parts: &mut ParsedBatch) -> Result<(), WorkerError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.function.set_deadline(self.settings.limits.deadline * PATIENCE);
        let parsed = self.function.parse(&mut batch);
        self.function.set_deadline(self.settings.limits.deadline);
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

    fn unrepeatable(&self, batch: &Batch, error: &CallError) -> WorkerError {
        if !error.may_be_a_record() {
            return WorkerError::of_call(self.name().to_owned(), "parse", error);
        }
        let place = batch.place(0).to_string();
        WorkerError::Unrepeatable { function: self.name().to_owned(), place, error: error.to_string() }
    }

    /// Keeps rows whose event time is too far ahead of the clock from the windows and the watermark.
    fn accept(&mut self, batch: Batch, parsed: Parsed, parts: &mut ParsedBatch) -> Result<(), WorkerError> {
        let max_future_us = self.settings.max_future_us;
        let (event_times, future) = event_times(&batch, &parsed.rows, &self.settings.time, max_future_us)
            .map_err(|error| self.refused(error.to_string()))?;
        if future.is_empty() {
            parts.slices.push(ParsedSlice { batch, parsed, event_times });
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

    fn refused(&self, why: String) -> WorkerError {
        WorkerError::Function { function: self.name().to_owned(), call: "parse", why }
    }

    /// The component's name in the manifest.
    pub fn name(&self) -> &str {
        self.component.name()
    }
}

/// An instance of a parse component.
///
/// # Errors
/// It does not start with these options.
pub fn parse_function(
    component: &Component,
    limits: Limits,
    options: &ParseOptions,
) -> Result<ParseFunction, WorkerError> {
    ParseFunction::new(component, limits, options.clone()).map_err(|error| WorkerError::Function {
        function: component.name().to_owned(),
        call: "start",
        why: error.to_string(),
    })
}
