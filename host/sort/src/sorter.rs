//! Takes rows, and writes them as sorted runs whenever they take as much memory as they may.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;

use crate::layout::Layout;
use crate::merge::Merge;
use crate::order::{ENTRY_BYTES, Ordered};
use crate::run::{Run, RunWriter};
use crate::sorted::Sorted;
use crate::{Bounds, SortError};

/// Sorts rows by key, time and arrival.
///
/// Memory: the rows that are held, up to `memory_bytes`, and 24 bytes a row; or, while runs are merged, 64 MiB and a
/// batch that is given back (more only where single rows are larger than 256 KiB). Space in the scratch folder: the rows' compressed, and up to as much again
/// while runs are merged into longer ones.
pub struct Sorter {
    scratch: PathBuf,
    memory_bytes: usize,
    key: String,
    time: String,
    bounds: Bounds,
    layout: Option<Arc<Layout>>,
    held: Vec<RecordBatch>,
    held_bytes: usize,
    /// In the order of arrival; each of the same level as the one before or of a lower one.
    runs: Vec<Leveled>,
}

/// A run, and how often its rows have been merged.
struct Leveled {
    run: Run,
    level: u32,
}

impl Sorter {
    /// `key` and `time` are the names of a text and of a timestamp column in µs. Nothing is done in `scratch` before
    /// memory is short.
    pub fn new(scratch: &Path, memory_bytes: usize, key: &str, time: &str) -> Self {
        Self {
            scratch: scratch.to_owned(),
            memory_bytes,
            key: key.to_owned(),
            time: time.to_owned(),
            bounds: Bounds::WIDE,
            layout: None,
            held: Vec::new(),
            held_bytes: 0,
            runs: Vec::new(),
        }
    }

    /// Takes rows. Memory that a batch shares with others counts for each of them.
    ///
    /// # Errors
    /// The rows have other columns than those before, or none to be sorted by; the scratch folder does not take a run.
    pub fn add(&mut self, rows: RecordBatch) -> Result<(), SortError> {
        let layout = match &self.layout {
            Some(layout) => layout,
            None => {
                let layout = Layout::new(rows.schema(), &self.scratch, &self.key, &self.time)?;
                self.layout.insert(Arc::new(layout))
            }
        };
        if layout.schema != rows.schema() {
            let [expected, found] = [&layout.schema, &rows.schema()].map(|schema| schema.to_string());
            return Err(SortError::Schema { expected, found });
        }
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let bytes = rows.get_array_memory_size() + rows.num_rows() * ENTRY_BYTES;
        if !self.held.is_empty() && self.held_bytes + bytes > self.memory_bytes {
            self.spill()?;
        }
        self.held.push(rows);
        self.held_bytes += bytes;
        Ok(())
    }

    /// All rows are there.
    ///
    /// # Errors
    /// The scratch folder does not take the last runs, or does not give back what was written.
    pub fn finish(mut self) -> Result<Sorted, SortError> {
        let Some(layout) = self.layout.clone() else { return Ok(Sorted::empty()) };
        if self.runs.is_empty() {
            return Ok(Sorted::memory(layout, self.held, &self.bounds));
        }
        self.spill()?;
        while !self.fits(self.runs.len()) {
            let fitting = (2..self.runs.len()).rev().find(|count| self.fits(*count)).unwrap_or(2);
            // No more than needed: what is merged here is merged once more.
            let needed = self.runs.len().saturating_sub(self.bounds.runs);
            self.merge(if needed > 0 { fitting.min(needed + 1) } else { fitting })?;
        }
        let runs = self.runs.into_iter().map(|leveled| leveled.run).collect();
        Sorted::runs(layout, runs, &self.bounds)
    }

    /// Writes what is held as a run; merges runs where there are as many of a level as can be merged at once, so that
    /// few files are open however many rows come.
    fn spill(&mut self) -> Result<(), SortError> {
        let Some(layout) = &self.layout else { return Ok(()) };
        let held = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        let mut rows = Ordered::new(layout.clone(), held, self.bounds.block, false);
        let run = written(layout, || rows.next())?;
        // Before memory is taken for a merge.
        drop(rows);
        self.runs.push(Leveled { run, level: 0 });
        while let Some(level) = self.runs.last().map(|last| last.level) {
            let alike = self.runs.iter().rev().take_while(|it| it.level == level).count();
            if alike < self.bounds.runs && self.fits(alike) {
                break;
            }
            self.merge(alike)?;
        }
        Ok(())
    }

    /// Whether the newest runs, so many of them, can be merged at once; two always can.
    fn fits(&self, count: usize) -> bool {
        let bytes: usize = self.runs.iter().rev().take(count).map(|it| it.run.largest_bytes).sum();
        count <= 2 || count <= self.bounds.runs && bytes <= self.bounds.merge_bytes
    }

    /// Makes one run of the newest ones.
    fn merge(&mut self, count: usize) -> Result<(), SortError> {
        let Some(layout) = &self.layout else { return Ok(()) };
        let newest = self.runs.split_off(self.runs.len() - count);
        let level = newest.iter().map(|it| it.level).max().unwrap_or_default() + 1;
        let runs = newest.into_iter().map(|leveled| leveled.run).collect();
        let mut merge = Merge::new(layout.clone(), runs, self.bounds.block, false)?;
        let run = written(layout, || merge.next())?;
        self.runs.push(Leveled { run, level });
        Ok(())
    }
}

fn written(
    layout: &Arc<Layout>,
    mut next: impl FnMut() -> Result<Option<RecordBatch>, SortError>,
) -> Result<Run, SortError> {
    let mut writer = RunWriter::new(layout)?;
    while let Some(block) = next()? {
        writer.write(&block)?;
    }
    writer.finish()
}

#[cfg(test)]
pub mod tests;
