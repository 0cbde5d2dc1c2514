//! Closed windows, through the merge function, into partitions: some windows of each key at a time, a partition a key and
//! year.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use tallow_engine::{MergeFunction, MergeInput, MergeSource, Output, Table, from_arrow, to_arrow};
use tallow_lake::{Partition, partition};
use tallow_manifest::Decimals;
use tallow_sink::decimals_to_doubles;
use tallow_table::{FileWriter, NewPartition};

use crate::coverage::Coverage;
use crate::error::{BatchError, failed};
use crate::group_build::GroupBuild;
use crate::plan::{KEY, Plan};
use crate::report::Report;
use crate::services::Services;
use crate::step::Step;

/// Made by the merge function, and the same in every row of a batch table.
const SOURCE: &str = "source";

/// Makes partitions of what closes, step by step.
pub struct Finish<'a> {
    plan: &'a Plan,
    merge: MergeFunction,
    function: String,
    series: BTreeMap<String, Series>,
    footer: Vec<(&'static str, String)>,
}

/// A key's rows so far.
#[derive(Default)]
struct Series {
    /// The last ones, as many as the next step's averages need.
    before: Option<RecordBatch>,
    /// The file of the year that is not complete, with its rows so far.
    year: Option<FileWriter>,
}

impl<'a> Finish<'a> {
    pub fn new(making: &'a GroupBuild<'a>) -> Result<Self, BatchError> {
        let Services { plan, merge: component, .. } = making.services;
        let function = component.name().to_owned();
        let merge =
            MergeFunction::new(component, plan.limits).map_err(|error| failed(&function, "start", error))?;
        Ok(Self { plan, merge, function, series: BTreeMap::new(), footer: making.footer() })
    }

    /// Takes what closed in a step, and gives the partitions that are complete with it: those of keys that have no rows
    /// after the step, and all of them where the year ends.
    pub fn step(
        &mut self,
        step: Step,
        outputs: &[Output],
        coverage: &Coverage,
        report: &mut Report,
    ) -> Result<Vec<NewPartition>, BatchError> {
        let mut closed = self.by_symbol(outputs)?;
        let mut partitions = Vec::new();
        for symbol in coverage.symbols() {
            let Some((from_us, end_us)) = coverage.span_us(symbol) else { continue };
            let [first, last] = [from_us, end_us - 1].map(|time_us| self.plan.window_start_us(time_us));
            if first >= step.to_us || last < step.from_us {
                continue;
            }
            let rows =
                closed.remove(symbol).map(|rows| self.with_complete(&rows, symbol, coverage)).transpose()?;
            let continues = last >= step.to_us;
            let merged = self.merged(symbol, rows, continues.then_some(step.to_us))?;
            if merged.num_rows() > 0 {
                self.keep_tail(symbol, &merged)?;
                let written = self.as_written(&merged, report)?;
                self.write(symbol, partition::year(step.from_us), &written)?;
            }
            if step.ends_year() || !continues {
                partitions.extend(self.partition(symbol)?);
            }
        }
        Ok(partitions)
    }

    /// Whether every row that was taken is in a partition that was given.
    pub fn is_between_years(&self) -> bool {
        self.series.values().all(|series| series.year.is_none())
    }

    /// The last rows of each key, which those after them are filled and averaged from.
    pub fn last_rows(&self) -> impl Iterator<Item = (&str, &RecordBatch)> {
        self.series.iter().filter_map(|(symbol, series)| Some((symbol.as_str(), series.before.as_ref()?)))
    }

    /// Forgets the keys whose rows were taken.
    pub fn forget(&mut self) {
        self.series.clear();
    }

    /// Continues after rows that an earlier run took.
    pub fn continue_from(&mut self, symbol: &str, rows: RecordBatch) {
        self.series.insert(symbol.to_owned(), Series { before: Some(rows), year: None });
    }

    fn by_symbol(&self, outputs: &[Output]) -> Result<BTreeMap<String, RecordBatch>, BatchError> {
        let mut of_symbol: BTreeMap<String, Vec<RecordBatch>> = BTreeMap::new();
        for output in outputs.iter().filter(|output| output.table.rows > 0) {
            let rows = to_arrow(&output.table).map_err(|error| self.wrong(&error))?;
            let keys = rows.column_by_name(KEY).and_then(|column| column.as_string_opt::<i32>());
            let keys = keys.ok_or_else(|| self.answer(format!("windows without a text column `{KEY}`")))?;
            let mut rows_of: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
            (0..rows.num_rows()).for_each(|row| rows_of.entry(keys.value(row)).or_default().push(row as u32));
            for (symbol, indices) in rows_of {
                let part = take_record_batch(&rows, &UInt32Array::from(indices))
                    .map_err(|error| self.wrong(&error))?;
                of_symbol.entry(symbol.to_owned()).or_default().push(part);
            }
        }
        of_symbol
            .into_iter()
            .map(|(symbol, parts)| {
                let rows = concat_batches(&parts[0].schema(), &parts).map_err(|error| self.wrong(&error))?;
                Ok((symbol, rows))
            })
            .collect()
    }

    /// Says of each window whether it is complete: whether the input reaches over it without a gap; and how many rows are
    /// missing, where their ids cannot tell.
    fn with_complete(
        &self,
        rows: &RecordBatch,
        symbol: &str,
        coverage: &Coverage,
    ) -> Result<RecordBatch, BatchError> {
        let starts = self.times(rows, "window_start")?;
        let ends = self.times(rows, "window_end")?;
        let complete: BooleanArray = starts
            .iter()
            .zip(&ends)
            .map(|(start, end)| Some(coverage.covers(symbol, *start, *end)))
            .collect();
        let schema = rows.schema();
        let mut columns = rows.columns().to_vec();
        let index = schema.index_of("complete").map_err(|error| self.wrong(&error))?;
        columns[index] = std::sync::Arc::new(complete) as ArrayRef;
        let missing: Option<Int64Array> = starts
            .iter()
            .zip(&ends)
            .map(|(start, end)| coverage.missing(symbol, *start, *end).map(Some))
            .collect();
        if let (Some(missing), Ok(index)) = (missing, schema.index_of("missing")) {
            columns[index] = std::sync::Arc::new(missing) as ArrayRef;
        }
        RecordBatch::try_new(schema, columns).map_err(|error| self.wrong(&error))
    }

    fn times(&self, rows: &RecordBatch, name: &str) -> Result<Vec<i64>, BatchError> {
        let column = rows.column_by_name(name);
        let times = column.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        let times = times.ok_or_else(|| self.answer(format!("windows without a time `{name}`")))?;
        Ok(times.values().to_vec())
    }

    fn merged(
        &mut self,
        symbol: &str,
        rows: Option<RecordBatch>,
        until_us: Option<i64>,
    ) -> Result<RecordBatch, BatchError> {
        let table = |rows: &RecordBatch| from_arrow(rows).map_err(|error| self.wrong(&error));
        let before = self.series.get(symbol).and_then(|series| series.before.as_ref());
        let before: Option<Table> = before.map(table).transpose()?;
        let inputs: Vec<MergeInput> = match &rows {
            Some(rows) => vec![MergeInput { source: MergeSource::Batch, table: table(rows)?, covers: None }],
            None => Vec::new(),
        };
        let settings = self.plan.merge_settings(until_us);
        let merged = self
            .merge
            .merge(before.as_ref(), &inputs, &settings)
            .map_err(|error| failed(&self.function, "merge", error))?;
        to_arrow(&merged.table).map_err(|error| self.wrong(&error))
    }

    fn keep_tail(&mut self, symbol: &str, merged: &RecordBatch) -> Result<(), BatchError> {
        let wanted = self.plan.rows_before();
        let count = merged.num_rows();
        let before = self.series.get(symbol).and_then(|series| series.before.as_ref());
        let tail = match before {
            Some(before) if count < wanted => {
                concat_batches(&merged.schema(), [before, merged]).map_err(|error| self.wrong(&error))?
            }
            _ => merged.clone(),
        };
        let from = tail.num_rows().saturating_sub(wanted);
        // A copy: a slice would keep the whole year in memory.
        let indices: UInt32Array = (from as u32..tail.num_rows() as u32).collect();
        let tail = take_record_batch(&tail, &indices).map_err(|error| self.wrong(&error))?;
        self.series.entry(symbol.to_owned()).or_default().before = Some(tail);
        Ok(())
    }

    /// The rows of a step as the table has them.
    fn as_written(&self, merged: &RecordBatch, report: &mut Report) -> Result<RecordBatch, BatchError> {
        let filled = count(merged, "filled", true);
        report.windows += merged.num_rows() as u64;
        report.filled += filled;
        report.partial += count(merged, "complete", false) - filled;
        let mut rows = merged.clone();
        if let Ok(index) = rows.schema().index_of(SOURCE) {
            rows.remove_column(index);
        }
        match self.plan.job.decimals {
            Decimals::Double => decimals_to_doubles(&rows).map_err(|error| self.wrong(&error)),
            Decimals::Decimal => Ok(rows),
        }
    }

    /// Adds rows to the file of a key's year.
    fn write(&mut self, symbol: &str, year: i32, rows: &RecordBatch) -> Result<(), BatchError> {
        let open = &mut self.series.entry(symbol.to_owned()).or_default().year;
        let file = match open {
            Some(file) => file,
            None => {
                let path = self.plan.table.path(&Partition::of(symbol, year));
                open.insert(FileWriter::new(&path, rows.schema(), "window_start", &self.plan.scratch)?)
            }
        };
        Ok(file.write(rows)?)
    }

    /// The partition of a key's year that is open, complete with it; none without rows.
    fn partition(&mut self, symbol: &str) -> Result<Option<NewPartition>, BatchError> {
        let Some(file) = self.series.get_mut(symbol).and_then(|series| series.year.take()) else {
            return Ok(None);
        };
        let path = file.path().to_owned();
        Ok(Some(NewPartition { path, file: file.finish(&self.footer)?, inputs: Vec::new() }))
    }

    fn answer(&self, what: String) -> BatchError {
        BatchError::Answer { function: self.function.clone(), what }
    }

    fn wrong(&self, error: &ArrowError) -> BatchError {
        self.answer(error.to_string())
    }
}

/// How many rows have that value in a boolean column.
fn count(rows: &RecordBatch, name: &str, value: bool) -> u64 {
    let column = rows.column_by_name(name).and_then(|column| column.as_boolean_opt());
    column.map_or(0, |column| column.iter().filter(|it| *it == Some(value)).count() as u64)
}
