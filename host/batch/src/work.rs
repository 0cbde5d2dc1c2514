//! A group whose rows are taken as they come: its open windows, books and files, from the first line to the last, in one
//! run or in several.

use tallow_env::Ticks;
use tallow_table::{File, Stored};

use crate::checkpoint::Checkpoint;
use crate::commits::{COMMIT_EVERY, Commits};
use crate::error::BatchError;
use crate::group_build::GroupBuild;
use crate::group_ledger::Accounts;
use crate::group_read::ParsedLines;
use crate::ids::Ids;
use crate::position::Position;
use crate::taking::Taking;
use crate::window_accumulator::Fold;

pub struct Work<'a> {
    taking: Taking<'a>,
    /// How many lines were taken.
    pub at: Position,
    /// The clock that all lines are judged by, µs.
    pub clock_us: i64,
    fold: Fold<'a>,
    /// When the last checkpoint was made.
    kept: Ticks,
}

impl<'a> Work<'a> {
    pub fn begin(making: &'a GroupBuild<'a>, ids: Ids) -> Result<Self, BatchError> {
        let services = making.services;
        Ok(Self {
            taking: Taking::new(making, false)?,
            at: Position::default(),
            clock_us: services.clock.now_us(),
            fold: Fold::new(services, making.coverage(ids))?,
            kept: services.clock.ticks(),
        })
    }

    /// Continues from a checkpoint.
    pub fn resume(
        making: &'a GroupBuild<'a>,
        commits: &Commits<'_>,
        mut checkpoint: Checkpoint,
    ) -> Result<Self, BatchError> {
        let services = making.services;
        let mut taking = Taking::new(making, false)?;
        checkpoint.accounts(&mut taking.accounts);
        taking.closer.closed_us = checkpoint.closed_us;
        for (symbol, rows) in checkpoint.last_rows()? {
            taking.closer.finish.continue_from(&symbol, rows);
        }
        taking.letters.files = checkpoint.letter_files;
        let fold = Fold::restore(services, checkpoint.kept(commits)?)?;
        taking.files = checkpoint.files;
        let (at, clock_us, kept) = (checkpoint.at, checkpoint.clock_us, services.clock.ticks());
        Ok(Self { taking, at, clock_us, fold, kept })
    }

    /// Lines that were taken, in this run and before.
    pub fn lines(&self) -> u64 {
        self.taking.accounts.report.lines
    }

    /// Takes what a worker made of the next lines of a file.
    pub fn take(&mut self, lines: ParsedLines, commits: &mut Commits<'_>) -> Result<(), BatchError> {
        let count: u64 = lines.parsed.taken.iter().map(|taken| taken.records).sum();
        let before = if lines.file == self.at.file { self.at.lines } else { 0 };
        self.at = Position { file: lines.file, lines: before + count };
        for slice in self.taking.book(lines)? {
            self.fold.take(&slice, None, &self.taking.lengths, &mut self.taking.accounts)?;
        }
        self.taking.relieve(&mut self.fold, commits)?;
        // What cannot be committed now is committed as soon as it can.
        let is_old = self.taking.making.services.clock.ticks().since(self.kept) >= COMMIT_EVERY;
        match is_old && self.is_between_years() || commits.is_due() {
            true => self.checkpoint(commits),
            false => Ok(()),
        }
    }

    /// Not while a year's file is half written.
    fn is_between_years(&self) -> bool {
        self.taking.closer.finish.is_between_years()
    }

    /// Commits the groups that are whole, and how far this one is, where that can be told.
    pub fn checkpoint(&mut self, commits: &mut Commits<'_>) -> Result<(), BatchError> {
        if !self.is_between_years() || self.at == Position::default() {
            return commits.commit();
        }
        let Taking { making, accounts, closer, letters, files, .. } = &self.taking;
        self.kept = making.services.clock.ticks();
        let last_rows = closer.finish.last_rows().map(|(symbol, rows)| {
            let body = File::of_rows("last rows", rows, "window_start", &[])?.body;
            let bytes = body.read(0..body.length());
            let bytes = bytes.map_err(|error| BatchError::Checkpoint { why: error.to_string() })?;
            Ok((symbol.to_owned(), bytes.to_vec()))
        });
        let checkpoint = Checkpoint {
            at: self.at,
            clock_us: self.clock_us,
            closed_us: closer.closed_us,
            last_rows: last_rows.collect::<Result<Vec<_>, BatchError>>()?,
            letter_files: letters.files,
            files: files.clone(),
            ..Checkpoint::of(making)
        };
        let unfinished = checkpoint.put(commits, accounts, self.fold.keep()?)?;
        commits.commit_with(making.name, unfinished)
    }

    /// Closes all windows, once there are no more lines. Gives the books and the group's files.
    pub fn finish(self, commits: &Commits<'_>) -> Result<(Accounts, Vec<Stored>), BatchError> {
        let Self { mut taking, fold, .. } = self;
        taking.store_letters(commits)?;
        taking.close_all(fold, commits)?;
        taking.end()
    }
}
