//! Rows that are picked out of batches, and put together as one.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_select::interleave::interleave_record_batch;

use crate::layout::Layout;
use crate::{Extent, SortError};

/// Rows of several batches on their way into one.
pub struct Picks {
    layout: Arc<Layout>,
    most: Extent,
    batches: Vec<RecordBatch>,
    /// Index into `batches`, and the row.
    rows: Vec<(usize, usize)>,
    bytes: usize,
}

impl Picks {
    pub fn new(layout: Arc<Layout>, most: Extent) -> Self {
        Self { layout, most, batches: Vec::new(), rows: Vec::new(), bytes: 0 }
    }

    /// The index of a batch whose rows come next.
    pub fn add_batch(&mut self, batch: &RecordBatch) -> usize {
        self.batches.push(batch.clone());
        self.batches.len() - 1
    }

    #[inline]
    pub fn add(&mut self, batch: usize, row: usize) {
        self.bytes += self.layout.row_bytes(&self.batches[batch], row);
        self.rows.push((batch, row));
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.rows.len() >= self.most.rows || self.bytes >= self.most.bytes
    }

    /// The rows so far; `None` if there are none.
    pub fn give(&mut self) -> Result<Option<RecordBatch>, SortError> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let given = interleave_record_batch(&batches, &self.rows)?;
        self.batches.clear();
        self.rows.clear();
        self.bytes = 0;
        Ok(Some(given))
    }
}
