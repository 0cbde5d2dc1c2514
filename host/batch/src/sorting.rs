//! A group whose rows are so far out of order that memory has no room for their windows: they are sorted by key and time
//! first, and then taken key by key.

use std::sync::atomic::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use tallow_sort::{SortError, Sorter};
use tallow_table::{NewPartition, Stored};

use super::beginning::{Lengths, Reading};
use super::commits::Commits;
use super::coverage::Coverage;
use super::dead_letter_files::Letters;
use super::error::BatchError;
use super::group_ledger::Accounts;
use super::plan::KEY;
use super::report::Report;
use super::spill::{self, Sorted};
use super::window_accumulator::Fold;
use super::window_closer::Closer;
use crate::group_build::GroupBuild;
use tallow_worker::ParsedBatch;

/// Bytes of rows that are sorted at once.
const SORT_BYTES: usize = 64 << 20;

pub struct Sorting<'a> {
    sorter: Sorter,
    taking: Taking<'a>,
}

/// What takes rows, before and after they are sorted.
struct Taking<'a> {
    making: &'a GroupBuild<'a>,
    accounts: Accounts,
    /// How long the rows of each file are.
    lengths: Lengths,
    closer: Closer<'a>,
    letters: Letters,
    files: Vec<Stored>,
}

impl<'a> Sorting<'a> {
    pub fn begin(making: &'a GroupBuild<'a>) -> Result<Self, BatchError> {
        let services = making.services;
        let plan = &services.plan;
        let taking = Taking {
            accounts: Accounts::new(plan.job.on_reject),
            lengths: Lengths::default(),
            closer: Closer::new(plan, &services.merge, making.footer(), true)?,
            letters: Letters::new(&plan.log_name(), making.name),
            files: Vec::new(),
            making,
        };
        Ok(Self { sorter: Sorter::new(&plan.scratch, SORT_BYTES, KEY, &plan.spec.time), taking })
    }

    /// What is known of the lines so far.
    pub fn report(&self) -> &Report {
        &self.taking.accounts.report
    }

    /// Takes what a worker made of the next lines of file number `file`. `begins`: how the file is read, with its first ones.
    pub fn take(
        &mut self,
        file: usize,
        begins: Option<(Reading, bool)>,
        parts: ParsedBatch,
        commits: &mut Commits<'_>,
    ) -> Result<(), BatchError> {
        if let Some((reading, _)) = begins {
            let name = &self.taking.making.group.files[file].name;
            self.taking.lengths.put(name, reading.interval_us);
            self.taking.accounts.report.take_reading(name, &reading);
        }
        for slice in self.taking.accounts.take(file, parts)? {
            if let Some(rows) = spill::to_rows(&slice).map_err(SortError::from)? {
                self.sorter.add(rows)?;
            }
        }
        self.taking.store(Vec::new(), commits)
    }

    /// Takes the rows into their windows, once there are no more lines. Gives the books and the group's files. `coverage`
    /// is empty; `shown` is told how many rows are taken.
    pub fn finish(
        self,
        coverage: &Coverage,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(u64),
    ) -> Result<(Accounts, Vec<Stored>), BatchError> {
        let Self { sorter, mut taking } = self;
        let services = taking.making.services;
        let plan = &services.plan;
        let mut sorted = sorter.finish()?;
        let mut open: Option<(Option<String>, Fold)> = None;
        let mut taken = 0;
        while let Some(rows) = sorted.next()? {
            if services.stop.load(Ordering::Relaxed) {
                commits.commit()?;
                return Err(BatchError::Stopped);
            }
            let key = key_of(&rows);
            let mut fold = match open.take() {
                Some((of, fold)) if of == key => fold,
                before => {
                    if let Some((_, fold)) = before {
                        taking.end_key(fold, commits)?;
                    }
                    Fold::new(&services.window, plan.limits, &plan.spec, KEY, coverage.clone())?
                }
            };
            taking.take(&rows, &mut fold, commits)?;
            taken += rows.num_rows() as u64;
            shown(taken);
            open = Some((key, fold));
        }
        if let Some((_, fold)) = open {
            taking.end_key(fold, commits)?;
        }
        let letters = taking.letters.of_all(&mut taking.accounts.dead)?;
        taking.making.store(letters, commits, &mut taking.files)?;
        taking.accounts.check()?;
        Ok((taking.accounts, taking.files))
    }
}

impl Taking<'_> {
    /// Takes sorted rows of one key.
    fn take(
        &mut self,
        rows: &RecordBatch,
        fold: &mut Fold,
        commits: &mut Commits<'_>,
    ) -> Result<(), BatchError> {
        let services = self.making.services;
        let sorted = spill::from_rows(rows, &services.plan.spec.time).map_err(SortError::from)?;
        let Sorted { slice, within } = sorted;
        fold.take(&slice, Some(&within), &self.lengths, &mut self.accounts).map_err(|error| match error {
            BatchError::Unsorted => BatchError::Answer {
                function: services.window.name().to_owned(),
                what: "rows as late that came in the order of their times".to_owned(),
            },
            other => other,
        })?;
        let complete = self.closer.relieve(fold, &mut self.accounts)?;
        self.store(complete, commits)
    }

    /// Stores partitions and the dead letters where there are many, and commits other groups where it is time.
    fn store(&mut self, partitions: Vec<NewPartition>, commits: &mut Commits<'_>) -> Result<(), BatchError> {
        let letters = self.letters.of_many(&mut self.accounts.dead)?;
        self.making.store(letters.into_iter().chain(partitions), commits, &mut self.files)?;
        match commits.is_due() {
            true => commits.commit(),
            false => Ok(()),
        }
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
