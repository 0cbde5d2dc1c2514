//! When the window function fails on a batch: go back to the last snapshot, take again what went well, and halve
//! the batch until the record that does it stands alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tallow_engine::{CallError, Component, Limits, ParseFunction, Part, Report, Spec, WindowFunction};
use tallow_sink::DeadLetter;

use super::parse::{BisectBudget, Piece, SECOND_CHANCE, aside, event_times};
use crate::error::PipelineError;
use crate::live::desk::StateCopy;

/// The window component with what its instances are opened with.
pub struct Sandboxed {
    pub component: Arc<Component>,
    pub limits: Limits,
    pub specs: Vec<Spec>,
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

/// A failed piece, taken apart: `pieces` have been taken in by the function, `aside` cannot be.
#[derive(Default)]
pub struct Split {
    pub pieces: Vec<(Piece, Vec<Report>)>,
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
    pub fn take_up_window(&mut self, component: Arc<Component>, parts: &[Part]) {
        self.function.component = component;
        self.parts = parts.iter().map(|part| ((part.spec, part.group), part.bytes.clone())).collect();
    }

    /// An instance of another parse component.
    pub fn take_up_parse(&mut self, parse: ParseFunction) {
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

    /// Finds the records of `piece` that the function fails on. Afterwards `function` holds everything but them.
    pub fn split(
        &mut self,
        piece: Piece,
        error: CallError,
        before: &[Piece],
        function: &mut WindowFunction,
    ) -> Result<Split, PipelineError> {
        let mut split = Split::default();
        let place = piece.batch.place(0).to_string();
        self.halve(piece, &error, before, function, &mut split)?;
        if split.aside.is_empty() && !matches!(error, CallError::Deadline { .. }) {
            let (function, error) = (self.function.component.name().to_owned(), error.to_string());
            return Err(PipelineError::Unrepeatable { function, place, error });
        }
        Ok(split)
    }

    fn halve(
        &mut self,
        piece: Piece,
        error: &CallError,
        before: &[Piece],
        function: &mut WindowFunction,
        split: &mut Split,
    ) -> Result<(), PipelineError> {
        if !error.may_be_a_record() {
            return Err(self.failed(error));
        }
        self.budget.spend(self.function.component.name(), error)?;
        *function = self.rebuild(before, split)?;
        if matches!(error, CallError::Deadline { .. }) {
            function.set_deadline(self.patience());
            let second = function.update(&piece.parsed.rows);
            function.set_deadline(self.function.limits.deadline);
            if let Ok(reports) = second {
                split.pieces.push((piece, reports));
                return Ok(());
            }
            *function = self.rebuild(before, split)?;
        }
        if piece.batch.len() == 1 {
            tracing::warn!(function = self.function.component.name(), place = %piece.batch.place(0), %error, "a record is set aside");
            split.aside.push(aside(&piece.batch, error));
            return Ok(());
        }
        let (records, middle) = (piece.batch.len(), piece.batch.len() / 2);
        for half in [0..middle, middle..records] {
            let half = self.part_of(&piece, half)?;
            match function.update(&half.parsed.rows) {
                Ok(reports) => split.pieces.push((half, reports)),
                Err(error) => self.halve(half, &error, before, function, split)?,
            }
        }
        Ok(())
    }

    fn parts(&self) -> Vec<Part> {
        let parts = self.parts.iter();
        parts
            .map(|((spec, group), bytes)| Part { spec: *spec, group: *group, bytes: bytes.clone() })
            .collect()
    }

    fn patience(&self) -> Duration {
        self.function.limits.deadline * SECOND_CHANCE
    }

    /// A function that stands where the failed one stood: the epoch's start, then all that went well since. What
    /// went well may have needed more time than most.
    fn rebuild(&self, before: &[Piece], split: &Split) -> Result<WindowFunction, PipelineError> {
        let limits = Limits { deadline: self.patience(), ..self.function.limits };
        let restored = WindowFunction::restore(
            &self.function.component,
            limits,
            &self.function.specs,
            self.watermark_us,
            &self.parts(),
        );
        let mut function = restored.map_err(|error| self.failed(&error))?;
        let taken = before.iter().chain(split.pieces.iter().map(|(piece, _)| piece));
        for piece in taken {
            function.update(&piece.parsed.rows).map_err(|error| self.failed(&error))?;
        }
        function.set_deadline(self.function.limits.deadline);
        Ok(function)
    }

    fn part_of(&mut self, piece: &Piece, records: std::ops::Range<usize>) -> Result<Piece, PipelineError> {
        let mut batch = piece.batch.select(records);
        let parsed = self.parse.parse(&mut batch).map_err(|error| self.failed(&error))?;
        let (event_times, _) = event_times(&batch, &parsed.rows, &self.time, i64::MAX)
            .map_err(|why| self.failed(&CallError::Refused(why)))?;
        Ok(Piece { batch, parsed, event_times })
    }

    fn failed(&self, error: &CallError) -> PipelineError {
        PipelineError::of_call(self.function.component.name().to_owned(), "update", error)
    }
}
