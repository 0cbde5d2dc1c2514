//! The rows in order.

use std::sync::Arc;

use arrow_array::RecordBatch;

use crate::layout::Layout;
use crate::merge::Merge;
use crate::order::Ordered;
use crate::run::Run;
use crate::{Bounds, SortError};

/// What a [`Sorter`](crate::Sorter) was given, in order.
pub struct Sorted(Source);

enum Source {
    Empty,
    Memory(Ordered),
    Runs(Box<Merge>),
}

impl Sorted {
    pub(crate) fn empty() -> Self {
        Self(Source::Empty)
    }

    pub(crate) fn memory(layout: Arc<Layout>, batches: Vec<RecordBatch>, bounds: &Bounds) -> Self {
        Self(Source::Memory(Ordered::new(layout, batches, bounds.given, true)))
    }

    pub(crate) fn runs(layout: Arc<Layout>, runs: Vec<Run>, bounds: &Bounds) -> Result<Self, SortError> {
        Ok(Self(Source::Runs(Box::new(Merge::new(layout, runs, bounds.given, true)?))))
    }

    /// The next rows, by key, then time, then arrival; rows without a key are first, and of a key those without a
    /// time. All of a batch are of one key. A batch has up to 8,192 rows, fewer where these take more than 4 MiB.
    /// None after the last rows.
    ///
    /// # Errors
    /// The scratch folder does not give back what was written.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<RecordBatch>, SortError> {
        match &mut self.0 {
            Source::Empty => Ok(None),
            Source::Memory(ordered) => ordered.next(),
            Source::Runs(merge) => merge.next(),
        }
    }
}
