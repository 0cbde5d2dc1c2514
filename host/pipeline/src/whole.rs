//! The whole result of windows whose topic gets it at each change (mode `complete`): every window since the result began,
//! open or closed. It is kept in memory and, as a blob for each window definition, with the state of each commit.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use bytes::Bytes;
use tallow_log::LogError;
use tallow_log::record::{BlobRef, State};
use tallow_manifest::{OutputMode, Pipeline};
use tallow_sink::{EpochOutput, WholeResult};

use crate::error::PipelineError;
use crate::republish_diff::key;

#[derive(Default)]
pub struct Whole {
    windows: BTreeMap<String, Rows>,
}

struct Rows {
    most: u64,
    /// By key and start: whether the window is open, and its row.
    rows: BTreeMap<Vec<String>, (bool, RecordBatch)>,
}

impl Whole {
    /// As a record's state has it. `read`: reads a blob.
    ///
    /// # Errors
    /// A blob cannot be read.
    pub fn read(
        pipeline: &Pipeline,
        read: &dyn Fn(&BlobRef) -> Result<Bytes, LogError>,
        state: &State,
    ) -> Result<Self, PipelineError> {
        let mut whole = Self::default();
        for window in &pipeline.windows {
            let Some(to) = window.kafka.as_ref().filter(|to| to.mode == OutputMode::Complete) else {
                continue;
            };
            let mut rows = Rows { most: to.most_rows, rows: BTreeMap::new() };
            if let Some(blobs) = state.whole.get(&window.name) {
                for (open, blob) in [(false, &blobs.closed), (true, &blobs.open)] {
                    if let Some(blob) = blob {
                        rows.decode(open, read(blob)?).map_err(|error| broken(&window.name, &error))?;
                    }
                }
            }
            whole.windows.insert(window.name.clone(), rows);
        }
        Ok(whole)
    }

    /// Takes an epoch's windows in, and gives it the whole result of those definitions in which something changed.
    ///
    /// # Errors
    /// More rows than the topic is to get.
    pub fn apply(&mut self, output: &mut EpochOutput<'_>) -> Result<(), PipelineError> {
        let mut changed = BTreeSet::new();
        for (open, batches) in [(false, &output.closed), (false, &output.repeated), (true, &output.open)] {
            for (window, batch) in batches {
                let Some(rows) = self.windows.get_mut(window) else { continue };
                rows.take(open, batch).map_err(|error| broken(window, &error))?;
                changed.insert(window.clone());
            }
        }
        for window in &changed {
            let Some(rows) = self.windows.get(window) else { continue };
            let count = rows.rows.len() as u64;
            if count > rows.most {
                return Err(PipelineError::Whole { window: window.clone(), rows: count, most: rows.most });
            }
            for open in [false, true] {
                if let Some(batch) = rows.of(open).map_err(|error| broken(window, &error))? {
                    output.whole.push(WholeResult { window: window.clone(), open, rows: batch });
                }
            }
        }
        Ok(())
    }
}

/// Writes the whole results that an epoch has been given into the state. `put`: stores a blob.
///
/// # Errors
/// The store does not take a blob.
pub fn write(
    whole: &[WholeResult],
    state: &mut State,
    put: &dyn Fn(Bytes) -> Result<BlobRef, LogError>,
) -> Result<(), PipelineError> {
    for result in whole {
        // One without open windows, or without closed ones, is not among them.
        state.whole.remove(&result.window);
    }
    for WholeResult { window, open, rows } in whole {
        let bytes = encode(rows).map_err(|error| broken(window, &error))?;
        let blobs = state.whole.entry(window.clone()).or_default();
        *(if *open { &mut blobs.open } else { &mut blobs.closed }) = Some(put(bytes)?);
    }
    Ok(())
}

fn broken(window: &str, error: &ArrowError) -> PipelineError {
    PipelineError::Checkpoint(format!("the whole result of window `{window}`: {error}"))
}

impl Rows {
    /// A window's newest row takes the place of the one before.
    fn take(&mut self, open: bool, batch: &RecordBatch) -> Result<(), ArrowError> {
        for row in 0..batch.num_rows() {
            let one = take_record_batch(batch, &UInt32Array::from(vec![row as u32]))?;
            self.rows.insert(key(batch, row), (open, one));
        }
        Ok(())
    }

    /// The rows of windows that are open, or of those that have closed.
    fn of(&self, open: bool) -> Result<Option<RecordBatch>, ArrowError> {
        let rows: Vec<&RecordBatch> =
            self.rows.values().filter(|(it, _)| *it == open).map(|(_, row)| row).collect();
        let Some(first) = rows.first() else { return Ok(None) };
        concat_batches(&first.schema(), rows.iter().copied()).map(Some)
    }

    fn decode(&mut self, open: bool, bytes: Bytes) -> Result<(), ArrowError> {
        for batch in StreamReader::try_new(Cursor::new(bytes), None)? {
            self.take(open, &batch?)?;
        }
        Ok(())
    }
}

fn encode(rows: &RecordBatch) -> Result<Bytes, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &rows.schema())?;
    writer.write(rows)?;
    Ok(writer.into_inner()?.into())
}
