//! A group whose rows are so far out of order that memory has no room for their windows: they are sorted by key and time
//! first, and then taken key by key.

use std::sync::atomic::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use tallow_sort::{SortError, Sorter};
use tallow_table::Stored;

use crate::commits::Commits;
use crate::error::BatchError;
use crate::group_build::GroupBuild;
use crate::group_ledger::Accounts;
use crate::group_read::ParsedLines;
use crate::ids::Ids;
use crate::plan::KEY;
use crate::report::Report;
use crate::spill::{self, Sorted};
use crate::taking::Taking;
use crate::window_accumulator::Fold;

/// Bytes of rows that are sorted at once.
const SORT_BYTES: usize = 64 << 20;

pub struct Sorting<'a> {
    sorter: Sorter,
    taking: Taking<'a>,
}

impl<'a> Sorting<'a> {
    pub fn begin(making: &'a GroupBuild<'a>) -> Result<Self, BatchError> {
        let plan = &making.services.plan;
        let sorter = Sorter::new(&plan.scratch, SORT_BYTES, KEY, &plan.spec.time);
        Ok(Self { sorter, taking: Taking::new(making, true)? })
    }

    /// What is known of the lines so far.
    pub fn report(&self) -> &Report {
        &self.taking.accounts.report
    }

    /// Takes what a worker made of the next lines of a file.
    pub fn take(&mut self, lines: ParsedLines, commits: &mut Commits<'_>) -> Result<(), BatchError> {
        for slice in self.taking.book(lines)? {
            if let Some(rows) = spill::to_rows(&slice).map_err(SortError::from)? {
                self.sorter.add(rows)?;
            }
        }
        let letters = self.taking.letters.of_many(&mut self.taking.accounts.dead)?;
        self.taking.store(letters, commits)?;
        commits.commit_if_due()
    }

    /// Takes the rows into their windows, once there are no more lines. Gives the books and the group's files. `shown` is
    /// called with how many rows are taken.
    pub fn finish(
        self,
        ids: Ids,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(u64),
    ) -> Result<(Accounts, Vec<Stored>), BatchError> {
        let Self { sorter, mut taking } = self;
        let (making, services) = (taking.making, taking.making.services);
        let mut sorted = sorter.finish()?;
        let mut open: Option<(Option<String>, Fold<'_>)> = None;
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
                    end_key(before, &mut taking, commits)?;
                    Fold::new(services, making.coverage(ids))?
                }
            };
            take_sorted(&rows, &mut fold, &mut taking)?;
            taking.relieve(&mut fold, commits)?;
            commits.commit_if_due()?;
            taken += rows.num_rows() as u64;
            shown(taken);
            open = Some((key, fold));
        }
        end_key(open, &mut taking, commits)?;
        taking.store_letters(commits)?;
        taking.end()
    }
}

/// Takes sorted rows of one key.
fn take_sorted(rows: &RecordBatch, fold: &mut Fold<'_>, taking: &mut Taking<'_>) -> Result<(), BatchError> {
    let services = taking.making.services;
    let Sorted { slice, within } =
        spill::from_rows(rows, &services.plan.spec.time).map_err(SortError::from)?;
    let taken = fold.take(&slice, Some(&within), &taking.lengths, &mut taking.accounts);
    taken.map_err(|error| match error {
        BatchError::Unsorted => BatchError::Answer {
            function: services.window.name().to_owned(),
            what: "rows as late that came in the order of their times".to_owned(),
        },
        other => other,
    })
}

fn end_key(
    open: Option<(Option<String>, Fold<'_>)>,
    taking: &mut Taking<'_>,
    commits: &Commits<'_>,
) -> Result<(), BatchError> {
    let Some((_, fold)) = open else { return Ok(()) };
    taking.close_all(fold, commits)?;
    taking.closer.begin_key();
    Ok(())
}

/// The key of rows of one key.
fn key_of(rows: &RecordBatch) -> Option<String> {
    let keys = rows.column_by_name(KEY)?.as_string_opt::<i32>()?;
    (keys.len() > 0 && keys.is_valid(0)).then(|| keys.value(0).to_owned())
}
