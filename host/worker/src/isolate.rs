//! When the window function fails on a batch. Records that it fails on without any state are to blame: they are found
//! and set aside. If it meets a limit without them too, its state is too large for that limit, and the pipeline stops. A
//! new instance takes the rest of the batch: restored from the last snapshot, with all rows that went well since.

use std::sync::Arc;
use std::time::Duration;

use tallow_engine::{CallError, ParseFunction, Report, WindowFunction};
use tallow_sink::DeadLetter;

use crate::bisect_budget::BisectBudget;
use crate::dead_letter;
use crate::epoch_start::EpochStart;
use crate::error::WorkerError;
use crate::parse::PATIENCE;
use crate::search::{self, Guilty};
use crate::slices::{ParsedSlice, event_times};

/// What is needed to take a failed slice apart.
pub struct Isolation {
    /// Where the epoch began: a new instance begins there.
    pub start: EpochStart,
    /// Parses halves of a batch: the same records give the same rows.
    parse: ParseFunction,
    /// The windows' event-time column.
    time: String,
    budget: Arc<BisectBudget>,
}

/// A failed slice, taken apart: `slices` have been taken in by the function, `aside` cannot be.
#[derive(Default)]
pub struct Split {
    pub slices: Vec<(ParsedSlice, Vec<Report>)>,
    pub aside: Vec<DeadLetter>,
}

impl Isolation {
    pub fn new(start: EpochStart, parse: ParseFunction, time: String, budget: Arc<BisectBudget>) -> Self {
        Self { start, parse, time, budget }
    }

    /// An instance of another parse component.
    pub fn switch_parse(&mut self, parse: ParseFunction) {
        self.parse = parse;
    }

    pub fn budget(&self) -> &Arc<BisectBudget> {
        &self.budget
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
        self.budget.spend(self.start.name(), &error)?;
        // The failed one gives its memory back.
        *function = self.start.empty(self.start.deadline())?;
        if error.is_about_size() && self.fails_alone(&slice, self.start.deadline())?.is_none() {
            return Err(self.start.too_large("update", &error, before.iter().chain([&slice])));
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
            let (function, error) = (self.start.name().to_owned(), error.to_string());
            return Err(WorkerError::Unrepeatable { function, place, error });
        }
        Ok(split)
    }

    /// The records that the function fails on without any state.
    fn guilty(&mut self, slice: &ParsedSlice, error: CallError) -> Result<Vec<Guilty>, WorkerError> {
        let deadline = self.start.deadline();
        search::guilty(slice.batch.len(), error, deadline, &mut |records, deadline| {
            let part = self.part_of(slice, records)?;
            self.fails_alone(&part, deadline)
        })
    }

    /// How the function fails on a slice without any state, if it does.
    fn fails_alone(&self, slice: &ParsedSlice, deadline: Duration) -> Result<Option<CallError>, WorkerError> {
        let mut function = self.start.empty(deadline)?;
        let Err(error) = function.update(&slice.parsed.rows) else { return Ok(None) };
        if !error.may_be_a_record() {
            return Err(self.start.failed(&error));
        }
        self.budget.spend(self.start.name(), &error)?;
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
        function.set_deadline(self.start.deadline());
        let error = match taken {
            Ok(reports) => {
                split.slices.push((slice, reports));
                return Ok(());
            }
            Err(error) if !error.may_be_a_record() => return Err(self.start.failed(&error)),
            Err(error) => error,
        };
        self.budget.spend(self.start.name(), &error)?;
        let one = slice.batch.len() == 1;
        *function = self.start.empty(self.start.deadline())?;
        let is_state = match error {
            CallError::Deadline { .. } => true,
            _ if error.is_about_size() => one || self.fails_alone(&slice, self.start.deadline())?.is_none(),
            _ => false,
        };
        if is_state {
            let taken = before.iter().chain(split.slices.iter().map(|(slice, _)| slice));
            return Err(self.start.too_large("update", &error, taken.chain([&slice])));
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
        let letter = dead_letter::of_failure(&slice.batch, record, error, self.start.deadline());
        self.budget.log_set_aside(self.start.name(), &letter);
        split.aside.push(letter);
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

    /// An instance with the failed one's state: the epoch's start, then all that went well since, which may have needed
    /// more time than most.
    fn rebuild(&self, before: &[ParsedSlice], split: &Split) -> Result<WindowFunction, WorkerError> {
        let taken = || before.iter().chain(split.slices.iter().map(|(slice, _)| slice));
        let failed = |error: CallError| match error.may_be_a_record() {
            true => self.start.too_large("update", &error, taken()),
            false => self.start.failed(&error),
        };
        let mut function = self.start.restore(self.patience()).map_err(failed)?;
        for slice in taken() {
            function.update(&slice.parsed.rows).map_err(failed)?;
        }
        function.set_deadline(self.start.deadline());
        Ok(function)
    }

    fn patience(&self) -> Duration {
        self.start.deadline() * PATIENCE
    }

    fn part_of(
        &mut self,
        slice: &ParsedSlice,
        records: impl IntoIterator<Item = usize>,
    ) -> Result<ParsedSlice, WorkerError> {
        let mut batch = slice.batch.select(records);
        let parsed = self.parse.parse(&mut batch).map_err(|error| self.start.failed(&error))?;
        let (event_times, _) = event_times(&batch, &parsed.rows, &self.time, i64::MAX)
            .map_err(|error| self.start.failed(&CallError::Refused(error.to_string())))?;
        Ok(ParsedSlice { batch, parsed, event_times })
    }
}

#[cfg(test)]
mod tests {
    use tallow_engine::{Contract, Limits};

    use super::*;
    use crate::parse::parse_function;
    use crate::state::{Sandboxed, StateCopy};
    use crate::testing::{batch, guest, options, spec};

    struct Scene {
        isolation: Isolation,
        function: WindowFunction,
    }

    fn scene(bisect_calls: u64) -> Scene {
        let limits = Limits::default();
        let component = guest("hostile-window", Contract::Window);
        let sandboxed = Sandboxed { component, limits, specs: vec![spec()], updates: false };
        let start = EpochStart::new(sandboxed, &StateCopy { parts: Vec::new(), watermark_us: None });
        let function = start.empty(limits.deadline).unwrap();
        let parse = parse_function(&guest("hostile-parse", Contract::Parse), limits, &options()).unwrap();
        let budget = BisectBudget::new(bisect_calls);
        Scene { isolation: Isolation::new(start, parse, "event_time".to_owned(), budget), function }
    }

    impl Scene {
        fn slice(&mut self, ids: &[u64]) -> ParsedSlice {
            let values: Vec<String> = ids.iter().map(|id| format!("A 1000000 1 {id} 1")).collect();
            let mut batch = batch(&values.iter().map(String::as_str).collect::<Vec<_>>());
            let parsed = self.isolation.parse.parse(&mut batch).unwrap();
            ParsedSlice { batch, parsed, event_times: Vec::new() }
        }

        /// Gives the function a slice that it fails on, and takes that apart.
        fn fail(&mut self, before: &[ParsedSlice], slice: ParsedSlice) -> Result<Split, WorkerError> {
            let error = self.function.update(&slice.parsed.rows).unwrap_err();
            self.isolation.split(slice, error, before, &mut self.function)
        }

        fn rows_held(&mut self) -> u64 {
            self.function.stats().unwrap()[0].open_assignments
        }
    }

    #[test]
    fn the_record_that_traps_is_set_aside_and_the_others_are_taken() {
        let mut scene = scene(100);
        let slice = scene.slice(&[1, 2, 666, 4]);
        let split = scene.fail(&[], slice).unwrap();
        let aside: Vec<i64> = split.aside.iter().map(|letter| letter.place.offset).collect();
        assert_eq!((aside, split.slices.len(), scene.rows_held()), (vec![2], 1, 3));
    }

    #[test]
    fn the_new_instance_holds_what_was_saved_and_what_went_well_since() {
        let mut scene = scene(100);
        let first = scene.slice(&[1]);
        scene.function.update(&first.parsed.rows).unwrap();
        let saved = scene.function.snapshot(0).unwrap();
        scene.isolation.start.save(&saved.parts, None);
        let second = scene.slice(&[2]);
        scene.function.update(&second.parsed.rows).unwrap();
        let slice = scene.slice(&[666, 3]);
        scene.fail(&[second], slice).unwrap();
        assert_eq!(scene.rows_held(), 3);
    }

    #[test]
    fn the_search_ends_with_its_budget() {
        let mut scene = scene(2);
        let slice = scene.slice(&[666; 8]);
        let error = scene.fail(&[], slice).map(|split| split.aside.len()).unwrap_err();
        assert!(matches!(error, WorkerError::BisectBudget { calls: 2, .. }), "{error}");
    }
}
