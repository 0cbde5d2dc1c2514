//! What both ways of taking a group's rows share: the books, the windows that close, and the files that they become.

use tallow_table::{Input, NewPartition, Stored};
use tallow_worker::ParsedSlice;

use crate::beginning::Lengths;
use crate::commits::Commits;
use crate::dead_letter_files::Letters;
use crate::error::BatchError;
use crate::group_build::GroupBuild;
use crate::group_ledger::Accounts;
use crate::group_read::ParsedLines;
use crate::window_accumulator::Fold;
use crate::window_closer::Closer;

pub struct Taking<'a> {
    pub making: &'a GroupBuild<'a>,
    pub accounts: Accounts,
    /// How long the rows of each file are.
    pub lengths: Lengths,
    pub closer: Closer<'a>,
    pub letters: Letters,
    pub files: Vec<Stored>,
}

impl<'a> Taking<'a> {
    /// `sorted`: rows come one key after the other, each key's in the order of time.
    pub fn new(making: &'a GroupBuild<'a>, sorted: bool) -> Result<Self, BatchError> {
        let plan = &making.services.plan;
        Ok(Self {
            making,
            accounts: Accounts::new(plan.job.on_reject),
            lengths: Lengths::default(),
            closer: Closer::new(making, sorted)?,
            letters: Letters::new(&plan.log_name(), making.name),
            files: Vec::new(),
        })
    }

    /// Books what a worker made of the next lines of a file, and gives the slices whose rows continue.
    pub fn book(&mut self, lines: ParsedLines) -> Result<Vec<ParsedSlice>, BatchError> {
        let ParsedLines { file, begins, parsed } = lines;
        if let Some((reading, is_new)) = begins {
            let name = &self.making.group.files[file].name;
            self.lengths.put(name, reading.interval_us);
            if is_new {
                self.accounts.report.take_reading(name, &reading);
            }
        }
        self.accounts.take(file, parsed)
    }

    /// Closes windows where the open ones take too much, and stores what is complete with it.
    pub fn relieve(&mut self, fold: &mut Fold<'_>, commits: &Commits<'_>) -> Result<(), BatchError> {
        let complete = self.closer.relieve(fold, &mut self.accounts)?;
        let letters = self.letters.of_many(&mut self.accounts.dead)?;
        self.store(letters.into_iter().chain(complete), commits)
    }

    /// Closes all windows: there are no more rows for them.
    pub fn close_all(&mut self, mut fold: Fold<'_>, commits: &Commits<'_>) -> Result<(), BatchError> {
        self.closer.check_end(&mut fold)?;
        while let Some(complete) = self.closer.close_oldest(&mut fold, &mut self.accounts)? {
            self.store(complete, commits)?;
        }
        fold.finish(&mut self.accounts.report);
        Ok(())
    }

    /// Stores all dead letters that are held.
    pub fn store_letters(&mut self, commits: &Commits<'_>) -> Result<(), BatchError> {
        let letters = self.letters.of_all(&mut self.accounts.dead)?;
        self.store(letters, commits)
    }

    /// Stores partitions of the group, with what they are made of.
    pub fn store(
        &mut self,
        partitions: impl IntoIterator<Item = NewPartition>,
        commits: &Commits<'_>,
    ) -> Result<(), BatchError> {
        let GroupBuild { services, fingerprint, .. } = self.making;
        for mut partition in partitions {
            let name = format!("files of {}", services.plan.log_name());
            partition.inputs = vec![Input { name, tag: (*fingerprint).to_owned() }];
            self.files.push(commits.store(partition)?);
        }
        Ok(())
    }

    /// Checks the books, and gives them with the group's files.
    pub fn end(self) -> Result<(Accounts, Vec<Stored>), BatchError> {
        self.accounts.check()?;
        Ok((self.accounts, self.files))
    }
}
