//! When the window function fails on a batch. Records that it fails on without any state are to blame: they are found
//! and set aside. Where it fails without them, too, at a limit, all that is held is too large for that limit, and the
//! pipeline stops. What is left of the batch is taken by an instance that stands where the failed one stood: at the last
//! snapshot, with what went well since.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tallow_engine::{CallError, Component, Limits, ParseFunction, Part, Report, Spec, WindowFunction};
use tallow_sink::DeadLetter;

use crate::bisect_budget::BisectBudget;
use crate::dead_letter;
use crate::error::WorkerError;
use crate::parse::PATIENCE;
use crate::search::{self, Guilty};
use crate::slices::{ParsedSlice, event_times};
use crate::state_limit::Held;

/// The window component with what its instances are opened with.
pub struct Sandboxed {
    pub component: Arc<Component>,
    pub limits: Limits,
    pub specs: Vec<Spec>,
}

/// The windows' state at the end of an epoch.
#[derive(Clone)]
pub struct StateCopy {
    pub parts: Vec<Part>,
    pub watermark_us: Option<i64>,
}

/// What is needed to stand where the epoch began.
pub struct Isolation {
    function: Sandboxed,
    /// Parses halves of a batch: the same records give the same rows.
    parse: ParseFunction,
    /// The windows' event-time column.
    time: String,
    parts: BTreeMap<(u32, u32), Vec<u8>>,
    watermark_us: i64,
    budget: Arc<BisectBudget>,
}

/// A failed slice, taken apart: `slices` have been taken in by the function, `aside` cannot be.
#[derive(Default)]
pub struct Split {
    pub slices: Vec<(ParsedSlice, Vec<Report>)>,
    pub aside: Vec<DeadLetter>,
}

impl Isolation {
    pub fn new(
        function: Sandboxed,
        parse: ParseFunction,
        time: String,
        budget: Arc<BisectBudget>,
        parts: &[Part],
        watermark_us: Option<i64>,
    ) -> Self {
        let mut isolation =
            Self { function, parse, time, budget, parts: BTreeMap::new(), watermark_us: i64::MIN };
        isolation.saved(parts, watermark_us);
        isolation
    }

    /// The state where the epoch began.
    pub fn state(&self) -> StateCopy {
        let watermark_us = (self.watermark_us != i64::MIN).then_some(self.watermark_us);
        StateCopy { parts: self.parts(), watermark_us }
    }

    /// Another window component, with all of the state as it writes it.
    pub fn switch_window(&mut self, component: Arc<Component>, parts: &[Part]) {
        self.function.component = component;
        self.parts = parts.iter().map(|part| ((part.spec, part.group), part.bytes.clone())).collect();
    }

    /// An instance of another parse component.
    pub fn switch_parse(&mut self, parse: ParseFunction) {
        self.parse = parse;
    }

    pub fn budget(&self) -> &BisectBudget {
        &self.budget
    }

    /// Keeps a snapshot's changes: the next epoch begins there.
    pub fn saved(&mut self, changed: &[Part], watermark_us: Option<i64>) {
        for part in changed {
            self.parts.insert((part.spec, part.group), part.bytes.clone());
        }
        self.watermark_us = watermark_us.unwrap_or(i64::MIN);
    }

    /// Takes `slice` apart. Afterwards `function` holds everything but the records that it fails on.
    pub fn split(
        &mut self,
        slice: ParsedSlice,
        error: CallError,
        before: &[ParsedSlice],
        function: &mut WindowFunction,
    ) -> Result<Split, WorkerError> {
        let mut split = Split::default();
        let place = slice.batch.place(0).to_string();
        self.budget.spend(self.function.component.name(), &error)?;
        // The failed one gives its memory back.
        *function = self.empty(self.function.limits.deadline)?;
        if error.is_about_size() && self.fails_alone(&slice, self.function.limits.deadline)?.is_none() {
            return Err(self.too_large("update", &error, before.iter().chain([&slice])));
        }
        let guilty = self.guilty(&slice, error.clone())?;
        for Guilty { record, error } in &guilty {
            self.set_aside(&slice, *record, error, &mut split);
        }
        *function = self.rebuild(before, &split)?;
        if let Some(rest) = self.without(slice, &guilty)? {
            self.take(rest, before, function, &mut split)?;
        }
        if split.aside.is_empty() && !error.may_pass_in_parts() {
            let (function, error) = (self.function.component.name().to_owned(), error.to_string());
            return Err(WorkerError::Unrepeatable { function, place, error });
        }
        Ok(split)
    }

    /// The records that the function fails on without any state.
    fn guilty(&mut self, slice: &ParsedSlice, error: CallError) -> Result<Vec<Guilty>, WorkerError> {
        let deadline = self.function.limits.deadline;
        search::guilty(slice.batch.len(), error, deadline, &mut |records, deadline| {
            let part = self.part_of(slice, records)?;
            self.fails_alone(&part, deadline)
        })
    }

    /// How the function fails on a slice without any state, if it does.
    fn fails_alone(&self, slice: &ParsedSlice, deadline: Duration) -> Result<Option<CallError>, WorkerError> {
        let mut function = self.empty(deadline)?;
        let Err(error) = function.update(&slice.parsed.rows) else { return Ok(None) };
        if !error.may_be_a_record() {
            return Err(self.failed(&error));
        }
        self.budget.spend(self.function.component.name(), &error)?;
        Ok(Some(error))
    }

    /// Takes a slice, of which no record fails alone, in.
    fn take(
        &mut self,
        slice: ParsedSlice,
        before: &[ParsedSlice],
        function: &mut WindowFunction,
        split: &mut Split,
    ) -> Result<(), WorkerError> {
        function.set_deadline(self.patience());
        let taken = function.update(&slice.parsed.rows);
        function.set_deadline(self.function.limits.deadline);
        let error = match taken {
            Ok(reports) => {
                split.slices.push((slice, reports));
                return Ok(());
            }
            Err(error) if !error.may_be_a_record() => return Err(self.failed(&error)),
            Err(error) => error,
        };
        self.budget.spend(self.function.component.name(), &error)?;
        let one = slice.batch.len() == 1;
        *function = self.empty(self.function.limits.deadline)?;
        let is_state = match error {
            CallError::Deadline { .. } => true,
            _ if error.is_about_size() => {
                one || self.fails_alone(&slice, self.function.limits.deadline)?.is_none()
            }
            _ => false,
        };
        if is_state {
            let taken = before.iter().chain(split.slices.iter().map(|(slice, _)| slice));
            return Err(self.too_large("update", &error, taken.chain([&slice])));
        }
        *function = self.rebuild(before, split)?;
        if one {
            self.set_aside(&slice, 0, &error, split);
            return Ok(());
        }
        let (records, middle) = (slice.batch.len(), slice.batch.len() / 2);
        for half in [0..middle, middle..records] {
            let half = self.part_of(&slice, half)?;
            self.take(half, before, function, split)?;
        }
        Ok(())
    }

    fn set_aside(&self, slice: &ParsedSlice, record: usize, error: &CallError, split: &mut Split) {
        let name = self.function.component.name();
        self.budget.log_set_aside(name, &slice.batch.place(record), error);
        split.aside.push(dead_letter::of_failure(&slice.batch, record, error));
    }

    /// A slice without some of its records; `None` if nothing is left.
    fn without(&mut self, slice: ParsedSlice, guilty: &[Guilty]) -> Result<Option<ParsedSlice>, WorkerError> {
        if guilty.is_empty() {
            return Ok(Some(slice));
        }
        let is_guilty = |record: &usize| guilty.binary_search_by_key(record, |it| it.record).is_ok();
        let left = (0..slice.batch.len()).filter(|record| !is_guilty(record)).collect::<Vec<_>>();
        if left.is_empty() { Ok(None) } else { self.part_of(&slice, left).map(Some) }
    }

    /// What it means that a call failed which works on all that is held: at a limit, that the state is too large for it.
    pub fn too_large<'a>(
        &self,
        call: &'static str,
        error: &CallError,
        taken: impl Iterator<Item = &'a ParsedSlice>,
    ) -> WorkerError {
        let held = Held {
            component: &self.function.component,
            limits: self.function.limits,
            specs: &self.function.specs,
            watermark_us: self.watermark_us,
            parts: &self.parts(),
            taken: taken.map(|slice| &slice.parsed.rows).collect(),
        };
        WorkerError::of_state(call, error, &held)
    }

    fn parts(&self) -> Vec<Part> {
        let parts = self.parts.iter();
        parts
            .map(|((spec, group), bytes)| Part { spec: *spec, group: *group, bytes: bytes.clone() })
            .collect()
    }

    fn patience(&self) -> Duration {
        self.function.limits.deadline * PATIENCE
    }

    /// A function without any state.
    pub fn empty(&self, deadline: Duration) -> Result<WindowFunction, WorkerError> {
        let limits = Limits { deadline, ..self.function.limits };
        WindowFunction::open(&self.function.component, limits, &self.function.specs)
            .map_err(|error| self.failed(&error))
    }

    /// A function that stands where the failed one stood: the epoch's start, then all that went well since. What
    /// went well may have needed more time than most.
    fn rebuild(&self, before: &[ParsedSlice], split: &Split) -> Result<WindowFunction, WorkerError> {
        let limits = Limits { deadline: self.patience(), ..self.function.limits };
        let taken = || before.iter().chain(split.slices.iter().map(|(slice, _)| slice));
        let failed = |error: CallError| match error.may_be_a_record() {
            true => self.too_large("update", &error, taken()),
            false => self.failed(&error),
        };
        let restored = WindowFunction::restore(
            &self.function.component,
            limits,
            &self.function.specs,
            self.watermark_us,
            &self.parts(),
        );
        let mut function = restored.map_err(failed)?;
        for slice in taken() {
            function.update(&slice.parsed.rows).map_err(failed)?;
        }
        function.set_deadline(self.function.limits.deadline);
        Ok(function)
    }

    fn part_of(
        &mut self,
        slice: &ParsedSlice,
        records: impl IntoIterator<Item = usize>,
    ) -> Result<ParsedSlice, WorkerError> {
        let mut batch = slice.batch.select(records);
        let parsed = self.parse.parse(&mut batch).map_err(|error| self.failed(&error))?;
        let (event_times, _) = event_times(&batch, &parsed.rows, &self.time, i64::MAX)
            .map_err(|why| self.failed(&CallError::Refused(why)))?;
        Ok(ParsedSlice { batch, parsed, event_times })
    }

    fn failed(&self, error: &CallError) -> WorkerError {
        WorkerError::of_call(self.function.component.name().to_owned(), "update", error)
    }
}
