//! One group of files: read, parsed, taken into the windows, closed.

use std::sync::atomic::Ordering;

use tallow_files::File;
use tallow_table::Stored;

use crate::checkpoint::Checkpoint;
use crate::commits::{Commits, Made};
use crate::error::BatchError;
use crate::example::NAMED;
use crate::group_build::GroupBuild;
use crate::group_ledger::Accounts;
use crate::ids::Ids;
use crate::judgement;
use crate::position::{Position, Way};
use crate::sorting::Sorting;
use crate::work::Work;

/// How far a group is.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Lines that were read in this run.
    pub lines: u64,
    /// Once they are read and sorted: rows that went into the windows, of how many.
    pub sorted: Option<(u64, u64)>,
}

/// A group that is made.
pub struct FinishedGroup {
    pub made: Made,
    pub files: Vec<Stored>,
    /// Lines that were read in this run.
    pub lines: u64,
}

/// The books and files of a group whose rows were all taken, and how many lines were read in this run.
type Taken = (Accounts, Vec<Stored>, u64);

impl GroupBuild<'_> {
    /// Reads the group's files and makes its partitions, from where an earlier run stopped. Where the rows turn out to be
    /// too far out of order for that, they are read again and sorted; where their ids turn out to count something too
    /// coarse, they are read again with finer ones.
    pub fn make(
        &self,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(Shown),
    ) -> Result<FinishedGroup, BatchError> {
        let bytes_before = self.progress.load(Ordering::Relaxed);
        let checkpoint = Checkpoint::held(commits, self.name, self.fingerprint);
        let before = commits.made(self.name).map(|made| Way { sorted: made.sorted, ids: made.ids });
        let mut way = Way { sorted: false, ids: self.first_ids()? };
        if let Some(before) = checkpoint.as_ref().map(Checkpoint::way).or(before) {
            way.sorted = before.sorted;
            way.ids = if way.ids == Ids::Unknown { way.ids } else { before.ids };
        }
        let mut checkpoint = checkpoint.filter(|found| !found.unsorted);
        let taken = loop {
            let taken = match way.sorted {
                true => self.sorted(way.ids, commits, shown),
                false => self.as_they_come(way.ids, checkpoint.take(), commits, shown),
            };
            match (taken, way.ids.finer()) {
                (Err(BatchError::Ids), Some(finer)) => {
                    tracing::info!(
                        group = self.name,
                        "rows are closer than their interval: they are read again"
                    );
                    way.ids = finer;
                }
                (Err(error), _) if error.is_unsorted() && !way.sorted => {
                    tracing::info!(group = self.name, "its rows are far out of order: they are sorted first");
                    way.sorted = true;
                    let unsorted = Checkpoint::put_unsorted(commits, self, way.ids)?;
                    commits.commit_with(self.name, unsorted)?;
                }
                (other, _) => break other,
            }
            self.progress.store(bytes_before, Ordering::Relaxed);
        };
        self.finish(taken?, way, commits)
    }

    /// Judges what was made of the group.
    fn finish(&self, taken: Taken, way: Way, commits: &Commits<'_>) -> Result<FinishedGroup, BatchError> {
        let (Accounts { mut report, files: counts, .. }, files, lines) = taken;
        if let Some(error) = report.contradictions() {
            return Err(error);
        }
        report.files = self.group.files.len() as u64;
        report.bytes = self.group.files.iter().map(File::size_bytes).sum();
        let names: Vec<&str> = self.group.files.iter().map(|file| file.name.as_str()).collect();
        let without_rows: Vec<&str> = judgement::without_rows(&names, &counts).collect();
        report.files_without_rows = without_rows.len() as u64;
        report.without_rows = without_rows.into_iter().take(NAMED).map(str::to_owned).collect();
        let before = commits.made(self.name).map(|made| &made.report);
        let doubts = judgement::doubts(&names, &counts, &report, before).join("; ");
        if !doubts.is_empty() && !self.services.plan.allow_empty {
            return Err(BatchError::Doubtful { doubts });
        }
        if !doubts.is_empty() {
            tracing::warn!(group = self.name, doubts, "published, as `allow-empty` says");
        }
        let paths = files.iter().map(|file| file.path.clone()).collect();
        let Way { sorted, ids } = way;
        let made = Made { fingerprint: self.fingerprint.to_owned(), paths, report, sorted, ids };
        Ok(FinishedGroup { made, files, lines })
    }

    /// Takes rows into the windows in the order of files and lines.
    fn as_they_come(
        &self,
        ids: Ids,
        checkpoint: Option<Checkpoint>,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(Shown),
    ) -> Result<Taken, BatchError> {
        let resumed = checkpoint.map(|checkpoint| Work::resume(self, commits, checkpoint));
        let mut work = match resumed {
            Some(Ok(work)) => work,
            Some(Err(error)) => {
                tracing::warn!(group = self.name, %error, "it cannot be continued: it begins again");
                Work::begin(self, ids)?
            }
            None => Work::begin(self, ids)?,
        };
        let taken_before: u64 = self.group.files[..work.at.file].iter().map(File::size_bytes).sum();
        self.progress.fetch_add(taken_before, Ordering::Relaxed);
        let lines_before = work.lines();
        let whole = self.read(work.at, work.clock_us, ids, |lines| {
            work.take(lines, commits)?;
            shown(Shown { lines: work.lines() - lines_before, sorted: None });
            Ok(())
        })?;
        if !whole {
            work.checkpoint(commits)?;
            return Err(BatchError::Stopped);
        }
        let lines = work.lines() - lines_before;
        let (accounts, files) = work.finish(commits)?;
        Ok((accounts, files, lines))
    }

    /// Takes rows into the windows in the order of keys and times.
    fn sorted(
        &self,
        ids: Ids,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(Shown),
    ) -> Result<Taken, BatchError> {
        let mut sorting = Sorting::begin(self)?;
        let clock_us = self.services.clock.now_us();
        let whole = self.read(Position::default(), clock_us, ids, |lines| {
            sorting.take(lines, commits)?;
            shown(Shown { lines: sorting.report().lines, sorted: None });
            Ok(())
        })?;
        if !whole {
            commits.commit()?;
            return Err(BatchError::Stopped);
        }
        let (lines, rows) = (sorting.report().lines, sorting.report().rows);
        let shown = |taken| shown(Shown { lines, sorted: Some((taken, rows)) });
        let (accounts, files) = sorting.finish(ids, commits, &shown)?;
        Ok((accounts, files, lines))
    }
}
