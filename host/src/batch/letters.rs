//! Dead letters of a batch, in files of their own beside the table's partitions.

use std::collections::BTreeSet;

use tallow_sink::DeadLetter;
use tallow_table::{File as TableFile, NewPartition, Run};

use super::error::BatchError;
use super::group::Making;

/// Dead letters that are held before they become a file.
pub const LETTERS_A_FILE: usize = 20_000;
/// Bytes of dead letters that are held.
const LETTER_BYTES: usize = 16 << 20;

/// Dead letters on their way into files of the run.
#[derive(Default)]
pub struct Letters {
    /// Of the files so far.
    pub paths: BTreeSet<String>,
}

impl Letters {
    /// Makes a file of the letters where they are `many` or large.
    pub(super) fn put(
        &mut self,
        making: &Making<'_>,
        run: &mut Run<'_>,
        letters: &mut Vec<DeadLetter>,
        many: usize,
    ) -> Result<(), BatchError> {
        let bytes = || letters.iter().filter_map(|letter| letter.value.as_ref()).map(Vec::len).sum::<usize>();
        if letters.is_empty() || letters.len() < many && bytes() < LETTER_BYTES {
            return Ok(());
        }
        let job = making.wiring.plan.log_name();
        let group = tallow_sink::hive::segment("group", making.name);
        let path = format!("dead-letter/{job}/{group}/{:05}.parquet", self.paths.len());
        let rows = tallow_sink::dead_letter_rows(letters, &job)?;
        let file = TableFile::of_rows(&path, &rows, "topic", &[("tallow.job", job)])?;
        run.put(NewPartition { path: path.clone(), file, inputs: making.inputs() })?;
        self.paths.insert(path);
        letters.clear();
        Ok(())
    }
}
