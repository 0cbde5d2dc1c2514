//! A group in work: its open windows, books and files, from the first line to the last, in one run or in several.

use tallow_env::Ticks;
use tallow_table::{File, Stored};

use super::beginning::{Lengths, Reading};
use super::checkpoint::{Checkpoint, CheckpointInput};
use super::commits::{COMMIT_EVERY, Commits};
use super::coverage::Coverage;
use super::dead_letter_files::Letters;
use super::error::BatchError;
use super::group_ledger::Accounts;
use super::plan::KEY;
use super::window_accumulator::Fold;
use super::window_closer::Closer;
use crate::group_build::GroupBuild;
use crate::position::Position;
use tallow_worker::ParsedBatch;

pub struct Work<'a> {
    making: &'a GroupBuild<'a>,
    /// How many lines were taken.
    pub at: Position,
    /// The clock that all lines are judged by, µs.
    pub clock_us: i64,
    pub accounts: Accounts,
    fold: Fold,
    /// How long the rows of the file are that is read.
    lengths: Lengths,
    closer: Closer<'a>,
    letters: Letters,
    files: Vec<Stored>,
    /// When it was told last how far the group is.
    kept: Ticks,
}

impl<'a> Work<'a> {
    pub fn begin(making: &'a GroupBuild<'a>, coverage: Coverage) -> Result<Self, BatchError> {
        let services = making.services;
        let plan = &services.plan;
        Ok(Self {
            at: Position::default(),
            clock_us: services.clock.now_us(),
            accounts: Accounts::new(plan.job.on_reject),
            fold: Fold::new(&services.window, plan.limits, &plan.spec, KEY, coverage)?,
            lengths: Lengths::default(),
            closer: Closer::new(plan, &services.merge, making.footer(), false)?,
            letters: Letters::new(&plan.log_name(), making.name),
            files: Vec::new(),
            kept: services.clock.ticks(),
            making,
        })
    }

    /// Goes on from a checkpoint.
    pub fn resume(
        making: &'a GroupBuild<'a>,
        commits: &Commits<'_>,
        mut checkpoint: Checkpoint,
    ) -> Result<Self, BatchError> {
        let services = making.services;
        let plan = &services.plan;
        let kept = checkpoint.kept(commits)?;
        let mut accounts = Accounts::new(plan.job.on_reject);
        checkpoint.accounts(&mut accounts);
        let mut closer = Closer::new(plan, &services.merge, making.footer(), false)?;
        closer.closed_us = checkpoint.closed_us;
        for (symbol, rows) in checkpoint.last_rows()? {
            closer.finish.go_on_from(&symbol, rows);
        }
        let mut letters = Letters::new(&plan.log_name(), making.name);
        letters.files = checkpoint.letter_files;
        Ok(Self {
            at: checkpoint.at,
            clock_us: checkpoint.clock_us,
            accounts,
            fold: Fold::restore(&services.window, plan.limits, &plan.spec, KEY, kept)?,
            lengths: Lengths::default(),
            closer,
            letters,
            files: checkpoint.files,
            kept: services.clock.ticks(),
            making,
        })
    }

    /// Takes what a worker made of the next lines of file number `file`.
    pub fn take(
        &mut self,
        file: usize,
        begins: Option<(Reading, bool)>,
        parts: ParsedBatch,
        commits: &mut Commits<'_>,
    ) -> Result<(), BatchError> {
        if let Some((reading, is_new)) = begins {
            let name = &self.making.group.files[file].name;
            self.lengths = Lengths::default();
            self.lengths.put(name, reading.interval_us);
            if is_new {
                self.accounts.report.take_reading(name, &reading);
            }
        }
        let lines: u64 = parts.taken.iter().map(|taken| taken.records).sum();
        let before = if file == self.at.file { self.at.lines } else { 0 };
        self.at = Position { file, lines: before + lines };
        for slice in self.accounts.take(file, parts)? {
            self.fold.take(&slice, None, &self.lengths, &mut self.accounts)?;
        }
        let letters = self.letters.of_many(&mut self.accounts.dead)?;
        let complete = self.closer.relieve(&mut self.fold, &mut self.accounts)?;
        self.making.store(letters.into_iter().chain(complete), commits, &mut self.files)?;
        // What cannot be told now is told as soon as it can.
        let is_old = self.making.services.clock.ticks().since(self.kept) >= COMMIT_EVERY;
        match is_old && self.closer.finish.is_between_years() || commits.is_due() {
            true => self.checkpoint(commits),
            false => Ok(()),
        }
    }

    /// Commits the groups that are whole, and how far this one is, where there is anything to be told: not while a year's
    /// file is half written.
    pub fn checkpoint(&mut self, commits: &mut Commits<'_>) -> Result<(), BatchError> {
        if !self.closer.finish.is_between_years() || self.at == Position::default() {
            return commits.commit();
        }
        self.kept = self.making.services.clock.ticks();
        let last_rows = self.closer.finish.last_rows().map(|(symbol, rows)| {
            let file = File::of_rows("last rows", rows, "window_start", &[])?;
            let bytes = file.body.read(0..file.body.length());
            let bytes = bytes.map_err(|error| BatchError::Checkpoint { why: error.to_string() })?;
            Ok((symbol.to_owned(), bytes.to_vec()))
        });
        let around = CheckpointInput {
            group: self.making.name,
            fingerprint: self.making.fingerprint,
            at: self.at,
            clock_us: self.clock_us,
            closed_us: self.closer.closed_us,
            last_rows: last_rows.collect::<Result<Vec<_>, BatchError>>()?,
            letter_files: self.letters.files,
            files: &self.files,
        };
        let unfinished = Checkpoint::put(commits, around, &self.accounts, self.fold.keep()?)?;
        commits.commit_with(self.making.name, unfinished)
    }

    /// Closes all windows, once there are no more lines. Gives the books and the group's files.
    pub fn finish(mut self, commits: &Commits<'_>) -> Result<(Accounts, Vec<Stored>), BatchError> {
        let Self { making, accounts, fold, closer, letters, files, .. } = &mut self;
        making.store(letters.of_all(&mut accounts.dead)?, commits, files)?;
        closer.close_all(fold, accounts, &mut |partitions| making.store(partitions, commits, files))?;
        self.accounts.check()?;
        self.fold.finish(&mut self.accounts.report);
        Ok((self.accounts, self.files))
    }
}
