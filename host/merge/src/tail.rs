//! The end of a key's series so far: the last rows of a year, which the next year is made from.

use arrow_array::RecordBatch;
use tallow_engine::{MergeSettings, Table, from_arrow};
use tallow_sink::rows_digest;
use tallow_store::{Digest, Store};
use tallow_table::file;

use crate::MergeError;

/// The last rows of a served partition.
pub struct Tail {
    pub digest: Digest,
    place: Place,
}

enum Place {
    /// In the partition at this path, which was not merged again.
    Stored(String),
    Fresh(Table),
}

impl Tail {
    /// Of a partition that was not merged again. `digest`: what the notes say of it.
    pub fn stored(path: String, digest: Digest) -> Self {
        Self { digest, place: Place::Stored(path) }
    }

    /// What the next year takes of a partition's end: of the last rows the columns that are carried or averaged, and
    /// no others, so that what does not matter to it does not change it.
    pub fn of(path: &str, rows: &RecordBatch, settings: &MergeSettings) -> Result<Self, MergeError> {
        let averaged = settings.averages.iter().map(|average| &average.column);
        let wanted: Vec<&String> = settings.keys.iter().chain(&settings.carried).chain(averaged).collect();
        let schema = rows.schema();
        let takes = |name: &String| wanted.contains(&name) || name == "window_start" || name == "window_end";
        let columns: Vec<usize> =
            (0..schema.fields().len()).filter(|index| takes(schema.field(*index).name())).collect();
        let from = rows.num_rows().saturating_sub(row_count(settings));
        let last = rows.slice(from, rows.num_rows() - from).project(&columns);
        let last = last.map_err(MergeError::input(path))?;
        let digest = rows_digest(&last).map_err(MergeError::input(path))?;
        let table = from_arrow(&last).map_err(MergeError::input(path))?;
        Ok(Self { digest, place: Place::Fresh(table) })
    }

    /// The rows; `None` if their file is gone.
    pub fn table(&self, store: &Store, settings: &MergeSettings) -> Result<Option<Table>, MergeError> {
        let path = match &self.place {
            Place::Fresh(table) => return Ok(Some(table.clone())),
            Place::Stored(path) => path,
        };
        let Some(content) = file::read(store, path)? else { return Ok(None) };
        Self::of(path, &content.rows, settings)?.table(store, settings)
    }
}

/// How many of the last rows of a partition the next one needs: the longest average less one, and at least the last
/// row, which a filled window is carried from.
fn row_count(settings: &MergeSettings) -> usize {
    let longest = settings.averages.iter().map(|average| average.length).max();
    (longest.unwrap_or(1) as usize - 1).max(1)
}
