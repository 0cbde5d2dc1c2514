//! A group whose rows are so far out of order that memory has no room for their windows: they are sorted by key and time
//! first, and then taken key by key.

use std::sync::atomic::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use tallow_sort::{SortError, Sorter};
use tallow_table::Stored;

use super::accounts::Accounts;
use super::close::Closer;
use super::commits::Commits;
use super::coverage::Coverage;
use super::error::BatchError;
use super::fold::Fold;
use super::group::Making;
use super::letters::Letters;
use super::plan::KEY;
use super::report::Report;
use super::spill::{self, Sorted};
use crate::stage::parse::Parts;

/// Bytes of rows that are sorted at once.
const SORT_BYTES: usize = 64 << 20;

pub struct Sorting<'a> {
    making: &'a Making<'a>,
    pub accounts: Accounts,
    sorter: Sorter,
    closer: Closer<'a>,
    letters: Letters,
    files: Vec<Stored>,
}

impl<'a> Sorting<'a> {
    pub fn begin(making: &'a Making<'a>) -> Result<Self, BatchError> {
        let wiring = making.wiring;
        let plan = &wiring.plan;
        Ok(Self {
            accounts: Accounts::new(plan.job.on_reject),
            sorter: Sorter::new(&plan.scratch, SORT_BYTES, KEY, &plan.spec.time),
            closer: Closer::new(plan, &wiring.merge, making.footer(), true)?,
            letters: Letters::new(&plan.log_name(), making.name),
            files: Vec::new(),
            making,
        })
    }

    /// Takes what a worker made of the next lines.
    pub fn take(&mut self, parts: Parts, commits: &Commits<'_>) -> Result<(), BatchError> {
        for piece in self.accounts.take(parts)? {
            if let Some(rows) = spill::to_rows(&piece).map_err(SortError::from)? {
                self.sorter.add(rows)?;
            }
        }
        let letters = self.letters.of_many(&mut self.accounts.dead)?;
        self.making.store(letters, commits, &mut self.files)
    }

    /// Takes the rows into their windows, once there are no more lines. Gives the report and the group's files. `coverage`
    /// is empty; `shown` is told how many rows are taken.
    pub fn finish(
        mut self,
        coverage: &Coverage,
        commits: &Commits<'_>,
        shown: &dyn Fn(u64),
    ) -> Result<(Report, Vec<Stored>), BatchError> {
        let sorter = std::mem::replace(&mut self.sorter, Sorter::new("".as_ref(), 0, "", ""));
        let mut sorted = sorter.finish()?;
        let time = &self.making.wiring.plan.spec.time;
        let mut open: Option<(Option<String>, Fold)> = None;
        let mut taken = 0;
        while let Some(rows) = sorted.next()? {
            if self.making.wiring.stop.load(Ordering::Relaxed) {
                return Err(BatchError::Stopped);
            }
            let key = key_of(&rows);
            let mut fold = match open.take() {
                Some((of, fold)) if of == key => fold,
                before => {
                    if let Some((_, fold)) = before {
                        self.end_key(fold, commits)?;
                    }
                    self.new_fold(coverage.clone())?
                }
            };
            let Sorted { piece, within } = spill::from_rows(&rows, time).map_err(SortError::from)?;
            fold.take(&piece, Some(&within), &mut self.accounts)?;
            let letters = self.letters.of_many(&mut self.accounts.dead)?;
            let complete = self.closer.relieve(&mut fold, &mut self.accounts)?;
            self.making.store(letters.into_iter().chain(complete), commits, &mut self.files)?;
            taken += rows.num_rows() as u64;
            shown(taken);
            open = Some((key, fold));
        }
        if let Some((_, fold)) = open {
            self.end_key(fold, commits)?;
        }
        let letters = self.letters.of_all(&mut self.accounts.dead)?;
        self.making.store(letters, commits, &mut self.files)?;
        self.accounts.check()?;
        Ok((self.accounts.report, self.files))
    }

    fn new_fold(&self, coverage: Coverage) -> Result<Fold, BatchError> {
        let plan = &self.making.wiring.plan;
        Fold::new(&self.making.wiring.window, plan.limits, &plan.spec, KEY, coverage)
    }

    fn end_key(&mut self, mut fold: Fold, commits: &Commits<'_>) -> Result<(), BatchError> {
        let Self { making, closer, accounts, files, .. } = self;
        closer.close_all(&mut fold, accounts, &mut |partitions| making.store(partitions, commits, files))?;
        closer.begin_key();
        fold.finish(&mut accounts.report);
        Ok(())
    }
}

/// The key of rows of one key.
fn key_of(rows: &RecordBatch) -> Option<String> {
    let keys = rows.column_by_name(KEY)?.as_string_opt::<i32>()?;
    (keys.len() > 0 && keys.is_valid(0)).then(|| keys.value(0).to_owned())
}
