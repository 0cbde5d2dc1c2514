//! Takes parsed rows in order into the windows, and notes which times they are there for.

use std::collections::BTreeMap;

use tallow_engine::{CallError, Output, Part, WindowFunction};
use tallow_worker::ParsedSlice;

use crate::back::Ends;
use crate::beginning::Lengths;
use crate::coverage::Coverage;
use crate::error::{BatchError, failed};
use crate::group_ledger::Accounts;
use crate::interval;
use crate::plan::KEY;
use crate::report::Report;
use crate::segments::Clash;
use crate::services::Services;

/// The windows of one group, and what is known of their rows.
pub struct Fold<'a> {
    services: &'a Services,
    function: WindowFunction,
    pub coverage: Coverage,
    /// Windows that end by then are closed, µs; `None`: none is.
    closed_us: Option<i64>,
    /// Earliest time of the newest rows, µs.
    pub newest_us: Option<i64>,
}

/// Open windows as they were at some moment, and what was known of their rows.
pub struct Kept {
    pub parts: Vec<Part>,
    pub coverage: Coverage,
    /// Windows that end by then are closed, µs.
    pub closed_us: Option<i64>,
}

impl<'a> Fold<'a> {
    pub fn new(services: &'a Services, coverage: Coverage) -> Result<Self, BatchError> {
        let Services { plan, window, .. } = services;
        let function = WindowFunction::open(window, plan.limits, std::slice::from_ref(&plan.spec))
            .map_err(|error| failed(window.name(), "open", error))?;
        Ok(Self { services, function, coverage, closed_us: None, newest_us: None })
    }

    /// As it was when it was kept.
    pub fn restore(services: &'a Services, kept: Kept) -> Result<Self, BatchError> {
        let Services { plan, window, .. } = services;
        let Kept { parts, coverage, closed_us } = kept;
        let (specs, until_us) = (std::slice::from_ref(&plan.spec), closed_us.unwrap_or(i64::MIN));
        let function = WindowFunction::restore(window, plan.limits, specs, until_us, &parts)
            .map_err(|error| failed(window.name(), "restore", error))?;
        Ok(Self { services, function, coverage, closed_us, newest_us: None })
    }

    pub fn keep(&mut self) -> Result<Kept, BatchError> {
        let snapshot = self.function.snapshot(0).map_err(|error| self.failed("snapshot", error))?;
        Ok(Kept { parts: snapshot.parts, coverage: self.coverage.clone(), closed_us: self.closed_us })
    }

    fn failed(&self, call: &'static str, error: CallError) -> BatchError {
        failed(self.services.window.name(), call, error)
    }

    /// Takes a slice's rows. `within`: of each row its number among those of its line, where the slice does not say so.
    /// `lengths`: how long the rows are.
    pub fn take(
        &mut self,
        slice: &ParsedSlice,
        within: Option<&[u32]>,
        lengths: &Lengths,
        accounts: &mut Accounts,
    ) -> Result<(), BatchError> {
        let (rows, spec) = (&slice.parsed.rows, &self.services.plan.spec);
        if rows.table.rows == 0 {
            return Ok(());
        }
        let intervals = lengths.of(&slice.batch, rows);
        // Sorted rows are beside those they repeat.
        let ends = within.is_none().then(|| Ends::before(rows, KEY, &self.coverage));
        let newest_us = self.coverage.add(rows, &spec.time, KEY, &intervals);
        self.newest_us = newest_us.map_err(|clash| clashed(slice, &intervals, clash))?.or(self.newest_us);
        let reports = self.function.update(rows).map_err(|error| BatchError::Rows {
            function: self.services.window.name().to_owned(),
            place: places(slice),
            error,
        })?;
        for report in &reports {
            if !report.late_rows.is_empty() {
                return Err(BatchError::Unsorted);
            }
            accounts.judge(slice, within, report, &spec.name);
        }
        // What was repeated may have other content.
        let repeated = reports.iter().any(|report| report.duplicate > 0);
        let interval_us = intervals.iter().map(|(_, interval_us)| *interval_us).min().unwrap_or(1);
        let unit_us = self.coverage.ids().unit_us(interval_us);
        let reaches = |ends: Ends| ends.reach_back(rows, &spec.time, KEY, unit_us);
        match repeated && ends.is_some_and(reaches) {
            true => Err(BatchError::Unsorted),
            false => Ok(()),
        }
    }

    /// What the open windows take, by the function's own account, and what is noted of their rows, in bytes.
    pub fn state_bytes(&mut self) -> Result<u64, BatchError> {
        let stats = self.function.stats().map_err(|error| self.failed("stats", error))?;
        Ok(stats.iter().map(|it| it.bytes).sum::<u64>() + self.coverage.size_bytes())
    }

    /// Whether rows were taken in of which the function could not tell whether they were new.
    pub fn has_untracked(&mut self) -> Result<bool, BatchError> {
        let stats = self.function.stats().map_err(|error| self.failed("stats", error))?;
        Ok(stats.iter().any(|it| it.untracked > 0))
    }

    /// Closes every window that ends by then.
    pub fn close(&mut self, end_us: i64, accounts: &mut Accounts) -> Result<Vec<Output>, BatchError> {
        let outputs = self.function.advance(end_us).map_err(|error| self.failed("advance", error))?;
        accounts.closed += outputs.iter().map(|output| output.assignments).sum::<u64>();
        self.closed_us = Some(end_us);
        Ok(outputs)
    }

    /// Reports which times rows are there for, once all windows are closed.
    pub fn finish(self, report: &mut Report) {
        let symbols = self.coverage.symbols();
        let spans = symbols.filter_map(|symbol| Some((symbol.to_owned(), self.coverage.span_us(symbol)?)));
        report.spans_us.extend(spans.collect::<BTreeMap<_, _>>());
        report.take_gaps(self.coverage.gaps());
    }
}

/// A row that cannot be taken in beside others.
fn clashed(slice: &ParsedSlice, intervals: &[(usize, i64)], (row, clash): (usize, Clash)) -> BatchError {
    let Clash::Overlap { other_us } = clash else { return BatchError::Ids };
    let record = slice.parsed.rows.records.get(row).map_or(0, |record| *record as usize);
    let place = slice.batch.place(record);
    let length_us = intervals.iter().find(|(until, _)| row < *until).map_or(0, |(_, length_us)| *length_us);
    let [length, other] = [length_us, other_us].map(|us| interval::name(us).unwrap_or_default());
    BatchError::Overlap { file: place.topic.to_string(), line: place.offset, length, other }
}

/// The file of a slice's lines, with the first and the last of their numbers; the first and the last line where they were
/// sorted.
fn places(slice: &ParsedSlice) -> String {
    let (first, last) = (slice.batch.place(0), slice.batch.place(slice.batch.len().saturating_sub(1)));
    if slice.batch.offsets.is_sorted() && first.topic == last.topic {
        return format!("{}:{}-{}", first.topic, first.offset, last.offset);
    }
    format!("{}:{} to {}:{}, sorted by time", first.topic, first.offset, last.topic, last.offset)
}
