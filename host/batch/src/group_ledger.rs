//! The books of a group: what became of each line and row, and the dead letters that are held.

use tallow_engine::{ColumnData, Report as WindowReport};
use tallow_manifest::OnReject;
use tallow_sink::{DeadLetter, ReasonKind};
use tallow_worker::dead_letter::dead_letter;
use tallow_worker::ledger_entries;
use tallow_worker::{ParsedBatch, ParsedSlice, WorkerError};

use crate::error::BatchError;
use crate::example::Example;
use crate::judgement::FileCounts;
use crate::learner::FLAGGED;
use crate::report::Report;

#[derive(Debug)]
pub struct Accounts {
    pub report: Report,
    pub dead: Vec<DeadLetter>,
    /// By number of the file.
    pub files: Vec<FileCounts>,
    /// Lines that gave rows.
    pub with_rows: u64,
    /// Rows in windows that are closed.
    pub closed: u64,
    on_reject: OnReject,
}

impl Accounts {
    pub fn new(on_reject: OnReject) -> Self {
        Self {
            report: Report::default(),
            dead: Vec::new(),
            files: Vec::new(),
            with_rows: 0,
            closed: 0,
            on_reject,
        }
    }

    /// Books what a worker made of the next lines of file number `file`, and gives the slices whose rows continue.
    pub fn take(&mut self, file: usize, parts: ParsedBatch) -> Result<Vec<ParsedSlice>, BatchError> {
        let lines = parts.taken.iter().map(|taken| taken.records).sum::<u64>();
        self.report.lines += lines;
        self.file(file).lines += lines;
        for letter in parts.aside {
            let example = || Example::new(&letter.place, letter.value.as_deref(), &letter.reason);
            self.report.put_aside(&letter.reason, example);
            self.file(file).bury(example);
            self.dead.push(without_line_end(letter));
        }
        for slice in &parts.slices {
            slice.parsed.ignored.iter().for_each(|(_, reason)| self.report.ignore(reason));
            self.reject(file, slice)?;
            let rows = &slice.parsed.rows;
            let with_rows = rows.records.chunk_by(|a, b| a == b).count() as u64;
            self.with_rows += with_rows;
            self.file(file).with_rows += with_rows;
            self.report.rows += u64::from(rows.table.rows) - ledger_entries::rows_of_ids(rows);
            self.report.rounded += slice.parsed.rounded;
            self.look_for_contradictions(slice);
        }
        Ok(parts.slices)
    }

    fn file(&mut self, file: usize) -> &mut FileCounts {
        if self.files.len() <= file {
            self.files.resize(file + 1, FileCounts::default());
        }
        &mut self.files[file]
    }

    /// Counts rows that contradict themselves.
    fn look_for_contradictions(&mut self, slice: &ParsedSlice) {
        let rows = &slice.parsed.rows;
        let column = rows.table.column(FLAGGED).map(|column| &column.data);
        let Ok(ColumnData::Int64(flags)) = column else { return };
        self.report.contradicting += flags.iter().filter(|flag| **flag != 0).count() as u64;
        if let (Some(row), None) =
            (flags.iter().position(|flag| *flag != 0), &self.report.first_contradicting)
        {
            let record = rows.records[row] as usize;
            let example = Example::new(&slice.batch.place(record), slice.batch.values.get(record), "");
            self.report.first_contradicting = Some(example.to_string());
        }
    }

    fn reject(&mut self, file: usize, slice: &ParsedSlice) -> Result<(), BatchError> {
        for (record, reason) in slice.parsed.rejected.iter() {
            let line = slice.batch.values.get(record);
            let example = || Example::new(&slice.batch.place(record), line, reason);
            self.report.reject(reason, example);
            self.file(file).bury(example);
            match self.on_reject {
                OnReject::Drop => {}
                OnReject::DeadLetter | OnReject::Permissive => {
                    let letter = dead_letter(&slice.batch, record, ReasonKind::Rejected, reason.to_owned());
                    self.dead.push(without_line_end(letter));
                }
                OnReject::Fail => {
                    let place = slice.batch.place(record);
                    let place = format!("{}:{}", place.topic, place.offset);
                    return Err(WorkerError::BadRecord { place, reason: reason.to_owned() }.into());
                }
            }
        }
        Ok(())
    }

    /// Books how the window function judged a slice's rows. `within`: of each row its number among those of its line,
    /// where the slice does not say so. `window`: the definition that they went to.
    pub fn judge(
        &mut self,
        slice: &ParsedSlice,
        within: Option<&[u32]>,
        report: &WindowReport,
        window: &str,
    ) {
        self.report.accepted += report.accepted;
        self.report.duplicates += report.duplicate;
        self.report.conflicts += report.conflict;
        self.report.invalid += report.invalid.len() as u64;
        for (row, mut letter) in ledger_entries::refused_rows(slice, &[(window, report)]) {
            let example = || Example::new(&letter.place, letter.value.as_deref(), &letter.reason);
            self.report.examples.entry(letter.kind.as_str().to_owned()).or_insert_with(example);
            letter.row = within.and_then(|within| within.get(row as usize)).copied().or(letter.row);
            self.dead.push(without_line_end(letter));
        }
    }

    /// Checks the books once all windows are closed.
    pub fn check(&self) -> Result<(), BatchError> {
        self.report
            .imbalance(self.with_rows, self.closed)
            .map_or(Ok(()), |wrong| Err(BatchError::Books(wrong)))
    }
}

/// A record of a file holds its line end, which is no part of the line.
fn without_line_end(mut letter: DeadLetter) -> DeadLetter {
    if let Some(value) = &mut letter.value {
        let ends = value.iter().rev().take_while(|byte| b"\r\n".contains(byte)).count();
        value.truncate(value.len() - ends);
    }
    letter
}
