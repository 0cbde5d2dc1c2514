//! Takes parsed batches in order into the windows, and keeps the books: what became of each line and row.

use std::collections::BTreeMap;

use tallow_engine::{CallError, Component, Limits, Output, Report as WindowReport, Spec, WindowFunction};
use tallow_sink::{DeadLetter, ReasonKind};

use super::coverage::Coverage;
use super::error::BatchError;
use super::report::Report;
use crate::books;
use crate::dead::dead_letter;
use crate::error::PipelineError;
use crate::plan::OnReject;
use crate::stage::parse::{Parts, Piece};

/// The windows of one group, and what is known of its rows.
pub struct Fold {
    name: String,
    function: WindowFunction,
    spec: Spec,
    key: &'static str,
    on_reject: OnReject,
    pub coverage: Coverage,
    pub report: Report,
    pub dead: Vec<DeadLetter>,
    with_rows: u64,
    closed: u64,
    /// Earliest time of the rows since it was last asked for, µs.
    earliest_us: Option<i64>,
}

impl Fold {
    pub fn new(
        component: &Component,
        limits: Limits,
        spec: &Spec,
        key: &'static str,
        on_reject: OnReject,
        coverage: Coverage,
    ) -> Result<Self, BatchError> {
        let name = component.name().to_owned();
        let function = WindowFunction::open(component, limits, std::slice::from_ref(spec))
            .map_err(|error| failed(&name, "open", error))?;
        Ok(Self {
            name,
            function,
            spec: spec.clone(),
            key,
            on_reject,
            coverage,
            report: Report::default(),
            dead: Vec::new(),
            with_rows: 0,
            closed: 0,
            earliest_us: None,
        })
    }

    /// Takes what a worker made of a batch.
    pub fn take(&mut self, parts: Parts) -> Result<(), BatchError> {
        self.report.lines += parts.taken.iter().map(|taken| taken.records).sum::<u64>();
        for letter in parts.aside {
            Report::count(&mut self.report.set_aside, &letter.reason);
            self.dead.push(without_line_end(letter));
        }
        for piece in parts.pieces {
            self.take_piece(&piece)?;
        }
        Ok(())
    }

    fn take_piece(&mut self, piece: &Piece) -> Result<(), BatchError> {
        let rows = &piece.parsed.rows;
        for (_, reason) in piece.parsed.ignored.iter() {
            Report::count(&mut self.report.ignored, reason);
        }
        self.reject(piece)?;
        self.with_rows += distinct(&rows.records);
        self.report.rows += u64::from(rows.table.rows);
        self.report.rounded += piece.parsed.rounded;
        if rows.table.rows == 0 {
            return Ok(());
        }
        let earliest_us = self.coverage.add(rows, &self.spec.time, self.key);
        self.earliest_us = self.earliest_us.into_iter().chain(earliest_us).min();
        let reports = self.function.update(rows).map_err(|error| BatchError::Rows {
            function: self.name.clone(),
            place: places(piece),
            error,
        })?;
        for report in &reports {
            if let Some(row) = report.late_rows.first() {
                let (record, _) = books::record_and_row(rows, *row);
                let place = piece.batch.place(record);
                return Err(BatchError::OutOfOrder { place: format!("{}:{}", place.topic, place.offset) });
            }
            self.judge(piece, report);
        }
        Ok(())
    }

    /// What the open windows take, by the function's own account, in bytes.
    pub fn state_bytes(&mut self) -> Result<u64, BatchError> {
        let stats = self.function.stats().map_err(|error| failed(&self.name, "stats", error))?;
        Ok(stats.iter().map(|it| it.bytes).sum())
    }

    /// Earliest time of the rows since this was last asked for, µs.
    pub fn take_earliest_us(&mut self) -> Option<i64> {
        self.earliest_us.take()
    }

    fn reject(&mut self, piece: &Piece) -> Result<(), BatchError> {
        for (record, reason) in piece.parsed.rejected.iter() {
            Report::count(&mut self.report.rejected, reason);
            match self.on_reject {
                OnReject::Drop => {}
                OnReject::DeadLetter => {
                    let letter = dead_letter(&piece.batch, record, ReasonKind::Rejected, reason.to_owned());
                    self.dead.push(without_line_end(letter));
                }
                OnReject::Fail => {
                    let place = piece.batch.place(record);
                    let place = format!("{}:{}", place.topic, place.offset);
                    return Err(PipelineError::BadRecord { place, reason: reason.to_owned() }.into());
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self, piece: &Piece, report: &WindowReport) {
        self.report.accepted += report.accepted;
        self.report.duplicates += report.duplicate;
        self.report.conflicts += report.conflict;
        self.report.invalid += report.invalid.len() as u64;
        let refused = [
            (&report.conflict_rows, ReasonKind::Conflict, "its id was seen before with other content"),
            (&report.invalid, ReasonKind::Invalid, "it lacks an event time, a key or an id"),
        ];
        for (list, kind, reason) in refused {
            for &row in list {
                let (record, within) = books::record_and_row(&piece.parsed.rows, row);
                let mut letter = dead_letter(&piece.batch, record, kind, reason.to_owned());
                (letter.window, letter.row) = (Some(self.spec.name.clone()), Some(within));
                self.dead.push(without_line_end(letter));
            }
        }
    }

    /// Closes every window that ends by then.
    pub fn close(&mut self, end_us: i64) -> Result<Vec<Output>, BatchError> {
        let outputs = self.function.advance(end_us).map_err(|error| failed(&self.name, "advance", error))?;
        self.closed += outputs.iter().map(|output| output.assignments).sum::<u64>();
        Ok(outputs)
    }

    /// Checks the books once all windows are closed, and completes the report.
    pub fn finish(mut self) -> Result<Report, BatchError> {
        if let Some(wrong) = self.report.imbalance(self.with_rows, self.closed) {
            return Err(BatchError::Books(wrong));
        }
        let symbols: Vec<String> = self.coverage.symbols().map(str::to_owned).collect();
        let spans =
            symbols.into_iter().filter_map(|symbol| Some((symbol.clone(), self.coverage.span_us(&symbol)?)));
        self.report.spans_us = spans.collect::<BTreeMap<_, _>>();
        self.report.take_gaps(self.coverage.gaps());
        Ok(self.report)
    }
}

/// How many numbers there are in an ascending list.
fn distinct(ascending: &[u32]) -> u64 {
    let changes = ascending.windows(2).filter(|pair| pair[0] != pair[1]).count();
    changes as u64 + u64::from(!ascending.is_empty())
}

/// The file of a piece's lines, with the first and the last of their numbers.
fn places(piece: &Piece) -> String {
    let (first, last) = (piece.batch.place(0), piece.batch.place(piece.batch.len().saturating_sub(1)));
    format!("{}:{}-{}", first.topic, first.offset, last.offset)
}

/// A record of a file holds its line end, which is no part of the line.
fn without_line_end(mut letter: DeadLetter) -> DeadLetter {
    if let Some(value) = &mut letter.value {
        let ends = value.iter().rev().take_while(|byte| b"\r\n".contains(byte)).count();
        value.truncate(value.len() - ends);
    }
    letter
}

pub fn failed(function: &str, call: &'static str, error: CallError) -> BatchError {
    BatchError::Function { function: function.to_owned(), call, error }
}
