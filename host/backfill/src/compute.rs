//! What was fetched, through the parse function and the window function, to the rows that are published.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use tallow_engine::{ColumnData, Component, Report, WindowFunction, to_arrow};
use tallow_epoch::Ledger;
use tallow_record::{Batch, TopicPartition};
use tallow_sink::{DeadLetter, ReasonKind};

use super::Spans;
use super::chunk::Chunk;
use super::columns::Target;
use super::coverage::Grid;
use super::fetch::Fetched;
use crate::error::BackfillError;
use tallow_worker::WorkerError;
use tallow_worker::dead_letter::dead_letter;
use tallow_worker::ledger_entries;
use tallow_worker::plan::Plan;
use tallow_worker::{ParseWorker, ParsedBatch, ParsedSlice};

pub struct Computer {
    pub plan: Arc<Plan>,
    pub parse: ParseWorker,
    pub window: Component,
    /// A definition each, in the plan's order.
    pub grids: Vec<Grid>,
    pub targets: Vec<Target>,
    /// Length of the bars.
    pub interval_us: i64,
}

/// The rows of one chunk.
pub struct Computed {
    /// By definition: the rows, in the stream's columns.
    pub closed: Vec<(String, RecordBatch)>,
    /// Windows for which the exchange has nothing at all.
    pub no_data: Spans,
    /// Windows that were to be published and could not: a message of theirs was broken.
    pub spoiled: u64,
    /// Windows that the exchange's answers say nothing of.
    pub unproved: u64,
    pub dead: Vec<DeadLetter>,
    pub ledger: Ledger,
}

impl Computer {
    /// `revision`: the number that a window's next row has, by definition and start.
    pub fn compute(
        &mut self,
        symbol: &str,
        source: &TopicPartition,
        fetched: &Fetched,
        chunk: &Chunk,
        clock_us: i64,
        revision: impl Fn(usize, i64) -> i64,
    ) -> Result<Computed, BackfillError> {
        let mut computed = Computed {
            closed: Vec::new(),
            no_data: self.without_data(fetched, chunk),
            spoiled: 0,
            unproved: 0,
            dead: Vec::new(),
            ledger: Ledger::default(),
        };
        let mut function = WindowFunction::open(&self.window, self.plan.limits, &self.plan.specs)
            .map_err(|error| self.failed("open", error))?;
        let parts = self.parse(symbol, source, fetched, clock_us)?;
        let mut broken = Spans::default();
        let places = Places::of(fetched, &parts, &self.plan.time, self.interval_us);
        computed.ledger.partition(source).records += fetched.records.len() as u64;
        for letter in parts.aside {
            computed.ledger.partition(source).set_aside(letter.kind.as_str(), 1);
            broken = broken.union(&places.of_broken(letter.place.offset));
            computed.dead.push(letter);
        }
        for slice in parts.slices {
            let reports =
                function.update(&slice.parsed.rows).map_err(|error| self.failed("update", error))?;
            ledger_entries::partitions(&mut computed.ledger, &slice);
            let windows = (self.plan.window_function.as_str(), self.plan.specs.as_slice());
            ledger_entries::windows(&mut computed.ledger, windows, &slice.parsed.rows, &reports)?;
            for (record, _) in slice.parsed.rejected.iter() {
                broken = broken.union(&places.of_broken(slice.batch.offsets[record]));
            }
            computed.dead.extend(refused(&slice, &reports, &self.plan));
        }
        computed.spoiled = self.spoiled(chunk, &broken);
        computed.unproved = self.unproved(chunk, &fetched.proved);
        self.close(symbol, &mut function, fetched, chunk, &broken, &mut computed, revision)?;
        computed.ledger.check()?;
        Ok(computed)
    }

    fn parse(
        &mut self,
        symbol: &str,
        source: &TopicPartition,
        fetched: &Fetched,
        clock_us: i64,
    ) -> Result<ParsedBatch, BackfillError> {
        let limits = &self.plan.pipeline.limits;
        let (most_records, most_bytes) = (limits.batch_records, limits.batch_bytes as usize);
        let mut parts = ParsedBatch::default();
        let mut batch = Batch::default();
        for (offset, (record, _)) in fetched.records.iter().enumerate() {
            if batch.len() == most_records
                || (!batch.is_empty() && batch.size_bytes() + record.len() > most_bytes)
            {
                self.parse.parse(std::mem::take(&mut batch), &mut parts)?;
            }
            let topic = batch.topic_index(&source.topic);
            let key = Some(symbol.as_bytes());
            batch.push(topic, source.partition, offset as i64, -1, clock_us, key, Some(record));
        }
        self.parse.parse(batch, &mut parts)?;
        Ok(parts)
    }

    /// Closes every window, and takes the rows of those that are wanted and known to be whole.
    #[allow(clippy::too_many_arguments)]
    fn close(
        &self,
        symbol: &str,
        function: &mut WindowFunction,
        fetched: &Fetched,
        chunk: &Chunk,
        broken: &Spans,
        computed: &mut Computed,
        revision: impl Fn(usize, i64) -> i64,
    ) -> Result<(), BackfillError> {
        let Some((_, end_us)) = chunk.fetch.hull() else { return Ok(()) };
        let end_us = self.grids.iter().map(|grid| grid.ceil(end_us)).max().unwrap_or(end_us);
        let outputs = function.advance(end_us).map_err(|error| self.failed("advance", error))?;
        let sound = fetched.proved.without(broken);
        for output in &outputs {
            let index = output.spec as usize;
            let name = &self.plan.specs[index].name;
            computed.ledger.window(name).closed += output.assignments;
            let windows = to_arrow(&output.table).map_err(|error| self.failed("closed windows", error))?;
            let starts = times(&windows, "window_start").ok_or_else(|| self.lacks("window_start"))?;
            let (mut chosen, mut revisions) = (Vec::new(), Vec::new());
            for (row, &start_us) in starts.iter().enumerate() {
                let end_us = start_us + self.grids[index].size_us;
                if !chunk.windows[index].contains(start_us, end_us) {
                    continue;
                }
                if !sound.contains(start_us, end_us) {
                    continue;
                }
                chosen.push(row as u32);
                revisions.push(revision(index, start_us));
            }
            if chosen.is_empty() {
                continue;
            }
            let rows = self.targets[index]
                .rows(&windows, chosen, revisions)
                .map_err(|why| self.failed("closed windows", why))?;
            self.check_symbol(symbol, &rows)?;
            computed.closed.push((name.clone(), rows));
        }
        Ok(())
    }

    /// How many of the windows hold a broken message.
    fn spoiled(&self, chunk: &Chunk, broken: &Spans) -> u64 {
        let windows = self.grids.iter().zip(&chunk.windows).map(|(grid, windows)| {
            let hit = grid.touched(broken);
            let sound = windows.without(&hit);
            ((windows.length_us() - sound.length_us()) / grid.size_us) as u64
        });
        windows.sum()
    }

    /// How many of the windows are not known to be whole, since the exchange's answers were of another time.
    fn unproved(&self, chunk: &Chunk, proved: &Spans) -> u64 {
        let windows = self.grids.iter().zip(&chunk.windows).map(|(grid, windows)| {
            let hit = grid.touched(&windows.without(proved));
            ((windows.length_us() - windows.without(&hit).length_us()) / grid.size_us) as u64
        });
        windows.sum()
    }

    /// The windows for which the exchange has not a single bar.
    fn without_data(&self, fetched: &Fetched, chunk: &Chunk) -> Spans {
        let windows = self.grids.iter().zip(&chunk.windows).flat_map(|(grid, windows)| {
            let touched = windows.without(&windows.without(&fetched.no_data));
            grid.whole(&touched).iter().collect::<Vec<_>>()
        });
        windows.collect()
    }

    /// Rows under another symbol would be another table's truth.
    fn check_symbol(&self, symbol: &str, rows: &RecordBatch) -> Result<(), BackfillError> {
        let keys = rows.column(0).as_string_opt::<i32>().ok_or_else(|| self.lacks("the key"))?;
        match keys.iter().find(|key| *key != Some(symbol)) {
            None => Ok(()),
            Some(other) => Err(WorkerError::Function {
                function: self.parse.name().to_owned(),
                call: "parse",
                why: format!(
                    "it names the symbol `{}` in what was fetched for `{symbol}`: look at `parse-settings`",
                    other.unwrap_or_default()
                ),
            }
            .into()),
        }
    }

    fn lacks(&self, column: &str) -> BackfillError {
        self.failed("closed windows", format!("its table lacks {column}"))
    }

    fn failed(&self, call: &'static str, error: impl std::fmt::Display) -> BackfillError {
        WorkerError::Function { function: self.plan.window_function.clone(), call, why: error.to_string() }
            .into()
    }
}

/// When the bars are of that could be read, by their place among all.
struct Places<'f> {
    fetched: &'f Fetched,
    times_us: BTreeMap<i64, i64>,
    interval_us: i64,
}

impl<'f> Places<'f> {
    fn of(fetched: &'f Fetched, parts: &ParsedBatch, time: &str, interval_us: i64) -> Self {
        let mut times_us = BTreeMap::new();
        for slice in &parts.slices {
            let rows = &slice.parsed.rows;
            let column = rows.table.columns.iter().find(|column| column.name == time);
            let Some(ColumnData::TimestampUs(values)) = column.map(|column| &column.data) else { continue };
            let places = rows.records.iter().map(|record| slice.batch.offsets[*record as usize]);
            times_us.extend(places.zip(values.iter().copied()));
        }
        Self { fetched, times_us, interval_us }
    }

    /// When a broken bar may be of: bars come in the order of their times, so that it lies between those beside it.
    fn of_broken(&self, place: i64) -> Spans {
        let Some((_, covers)) = self.fetched.records.get(place as usize) else { return Spans::default() };
        let same =
            |other: &i64| self.fetched.records.get(*other as usize).is_some_and(|(_, it)| it == covers);
        let before = self.times_us.range(..place).next_back().filter(|(other, _)| same(other));
        let after = self.times_us.range(place..).next().filter(|(other, _)| same(other));
        let to_us = after.map_or(covers.1, |(_, after_us)| *after_us);
        let from_us = before.map_or(covers.0, |(_, before_us)| {
            let next_us = before_us + self.interval_us;
            if next_us < to_us { next_us } else { before_us + 1 }
        });
        Spans::one(from_us, to_us)
    }
}

fn times(rows: &RecordBatch, column: &str) -> Option<Vec<i64>> {
    let column = rows.column_by_name(column)?.as_primitive_opt::<TimestampMicrosecondType>()?;
    Some(column.values().to_vec())
}

/// Messages that the parse function calls broken, and rows that the window function refuses.
fn refused(slice: &ParsedSlice, reports: &[Report], plan: &Plan) -> Vec<DeadLetter> {
    let mut letters: Vec<DeadLetter> = slice
        .parsed
        .rejected
        .iter()
        .map(|(record, reason)| dead_letter(&slice.batch, record, ReasonKind::Rejected, reason.to_owned()))
        .collect();
    let names = plan.specs.iter().map(|spec| spec.name.as_str());
    let judged: Vec<(&str, &Report)> = names.zip(reports).collect();
    letters.extend(ledger_entries::refused_rows(slice, &judged).into_iter().map(|(_, letter)| letter));
    letters
}
