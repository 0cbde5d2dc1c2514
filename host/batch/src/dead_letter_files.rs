//! Dead letters of a batch, in files of their own beside the table's partitions.

use tallow_lake::tables;
use tallow_sink::DeadLetter;
use tallow_table::{File as TableFile, NewPartition};

use crate::error::BatchError;

/// Dead letters that are held before they become a file.
const LETTERS_A_FILE: usize = 20_000;
/// Bytes of dead letters that are held.
const LETTER_BYTES: usize = 16 << 20;

/// Dead letters on their way into files.
pub struct Letters {
    job: String,
    group: String,
    /// Files so far.
    pub files: u64,
}

impl Letters {
    /// `job`: name of the job's log. `group`: name of the group of files.
    pub fn new(job: &str, group: &str) -> Self {
        Self { job: job.to_owned(), group: group.to_owned(), files: 0 }
    }

    /// A file of the letters, where they are many or large.
    pub fn of_many(&mut self, letters: &mut Vec<DeadLetter>) -> Result<Option<NewPartition>, BatchError> {
        let bytes = || letters.iter().filter_map(|letter| letter.value.as_ref()).map(Vec::len).sum::<usize>();
        match letters.len() >= LETTERS_A_FILE || bytes() >= LETTER_BYTES {
            true => self.of_all(letters),
            false => Ok(None),
        }
    }

    /// A file of the letters, where there are any.
    pub fn of_all(&mut self, letters: &mut Vec<DeadLetter>) -> Result<Option<NewPartition>, BatchError> {
        if letters.is_empty() {
            return Ok(None);
        }
        let path = tables::batch_dead_letters(&self.job, &self.group, self.files);
        let rows = tallow_sink::dead_letter_rows(letters, &self.job)?;
        let file = TableFile::of_rows(&path, &rows, "topic", &[("tallow.job", self.job.clone())])?;
        self.files += 1;
        letters.clear();
        Ok(Some(NewPartition { path, file, inputs: Vec::new() }))
    }
}
