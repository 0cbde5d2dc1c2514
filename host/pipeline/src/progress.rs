//! What a running pipeline shows of itself: counters, and windows for a view. Nothing depends on it.

mod counts;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use tallow_engine::{Parsed, Stats};
use tallow_record::TopicPartition;
use tallow_worker::reasons;

pub use self::counts::{Counts, Refused};
use crate::watermark_hold::WatermarkHold;

/// A view of a running pipeline.
pub trait Viewer: Send + Sync {
    /// Whether open windows are to be shown: it costs a view of them each epoch.
    fn wants_open(&self) -> bool {
        true
    }
    /// Open windows that changed, by window name.
    fn open(&self, windows: &[(String, RecordBatch)]);
    /// A backfill beside the pipeline has published windows.
    fn backfilled(&self) {}
    /// Windows that were committed and published.
    fn closed(&self, pipeline: &str, windows: &[(String, RecordBatch)]);
}

#[derive(Default)]
pub struct Progress {
    inner: Mutex<Inner>,
    viewers: Vec<Box<dyn Viewer>>,
}

#[derive(Default)]
struct Inner {
    /// Of epochs that are committed.
    committed: Counts,
    /// Of those that are not, oldest first; the last one grows.
    under_way: VecDeque<Counts>,
    /// What was committed before the function that is on probation was swapped in.
    before_probation: Option<Counts>,
    open_windows: u64,
    state_bytes: u64,
    watermark_us: Option<i64>,
    began: bool,
    partitions: u64,
    held: Option<WatermarkHold>,
    /// Offset of the next record of each partition, as of the last commit.
    positions: BTreeMap<TopicPartition, i64>,
}

impl Inner {
    fn growing(&mut self) -> &mut Counts {
        if self.under_way.is_empty() {
            self.under_way.push_back(Counts::default());
        }
        let last = self.under_way.len() - 1;
        &mut self.under_way[last]
    }
}

impl Progress {
    pub fn new(viewers: Vec<Box<dyn Viewer>>) -> Self {
        Self { viewers, ..Self::default() }
    }

    pub fn counts(&self) -> Counts {
        let inner = self.inner();
        let mut counts = inner.committed.clone();
        inner.under_way.iter().for_each(|epoch| counts.add(epoch));
        Counts {
            open_windows: inner.open_windows,
            state_bytes: inner.state_bytes,
            watermark_us: inner.watermark_us,
            began: inner.began,
            partitions: inner.partitions,
            held: inner.held.clone(),
            ..counts
        }
    }

    pub fn took(&self, records: u64) {
        self.inner().growing().records += records;
    }

    /// `refused`: by the name of the window definition.
    pub fn rows<'a>(&self, parsed: &Parsed, refused: impl Iterator<Item = (&'a str, Refused)>) {
        let mut inner = self.inner();
        let counts = inner.growing();
        counts.rows += u64::from(parsed.rows.table.rows);
        counts.ignored += parsed.ignored.len() as u64;
        counts.rounded += parsed.rounded;
        refused.for_each(|(window, refused)| counts.refuse(window, refused));
    }

    pub fn rekeyed(&self, records: u64) {
        self.inner().growing().rekeyed += records;
    }

    pub fn dead(&self, reason: &str) {
        let mut inner = self.inner();
        let counts = inner.growing();
        counts.dead_letters += 1;
        reasons::count(&mut counts.reasons, reason);
    }

    /// The windows' state: as restored at the start, then at each epoch's end.
    pub fn state(&self, stats: &[Stats], watermark_us: Option<i64>, partitions: usize) {
        let mut inner = self.inner();
        inner.open_windows = stats.iter().map(|it| it.open_windows).sum();
        inner.state_bytes = stats.iter().map(|it| it.bytes).sum();
        inner.watermark_us = watermark_us;
        inner.partitions = partitions as u64;
        inner.began = true;
    }

    pub fn held(&self, held: Option<WatermarkHold>) {
        self.inner().held = held;
    }

    pub fn wants_open_windows(&self) -> bool {
        self.viewers.iter().any(|viewer| viewer.wants_open())
    }

    pub fn open_windows(&self, windows: Vec<(String, RecordBatch)>) {
        for viewer in self.viewers.iter().filter(|viewer| viewer.wants_open()) {
            viewer.open(&windows);
        }
    }

    /// A backfill has published windows of the pipeline's tables.
    pub fn backfilled(&self) {
        self.viewers.iter().for_each(|viewer| viewer.backfilled());
    }

    /// Offset of the next record that no commit has taken; 0 for a partition without one.
    pub fn committed(&self, partition: &TopicPartition) -> i64 {
        self.inner().positions.get(partition).copied().unwrap_or(0)
    }

    /// An epoch goes to its commit: what comes from here on is of the next one.
    pub fn epoch_ended(&self) {
        self.inner().under_way.push_back(Counts::default());
    }

    /// The oldest epoch that was not committed is. `closed`: its windows that are published, or are about to be.
    pub fn epoch_committed(&self, closed: &[(String, RecordBatch)]) {
        let mut inner = self.inner();
        let epoch = inner.under_way.pop_front().unwrap_or_default();
        inner.committed.add(&epoch);
        inner.committed.epochs += 1;
        inner.committed.candles += closed.iter().map(|(_, rows)| rows.num_rows() as u64).sum::<u64>();
        inner.committed.incomplete += closed.iter().map(|(_, rows)| incomplete(rows)).sum::<u64>();
        inner.committed.filled += closed.iter().map(|(_, rows)| filled(rows)).sum::<u64>();
        inner.committed.unfilled += closed.iter().map(|(_, rows)| unfilled(rows)).sum::<u64>();
    }

    /// The run has ended: what was taken and not committed does not count.
    pub fn abandon(&self) {
        self.inner().under_way.clear();
    }

    /// A function is on probation from here on.
    pub fn probation_begins(&self) {
        let mut inner = self.inner();
        inner.before_probation = Some(inner.committed.clone());
    }

    /// What was committed since the probation began is void. One that began before the program did leaves nothing.
    pub fn rolled_back(&self) {
        let mut inner = self.inner();
        inner.committed = inner.before_probation.take().unwrap_or_default();
        inner.under_way.clear();
    }

    /// An epoch was committed and its output published.
    pub fn published(
        &self,
        pipeline: &str,
        positions: &BTreeMap<TopicPartition, i64>,
        closed: &[(String, RecordBatch)],
    ) {
        self.inner().positions.clone_from(positions);
        for viewer in &self.viewers {
            viewer.closed(pipeline, closed);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows whose `complete` is false.
fn incomplete(rows: &RecordBatch) -> u64 {
    let complete = rows.column_by_name("complete").and_then(|column| column.as_boolean_opt());
    complete.map_or(0, |complete| complete.false_count() as u64)
}

/// Rows of windows without rows.
fn filled(rows: &RecordBatch) -> u64 {
    let filled = rows.column_by_name("filled").and_then(|column| column.as_boolean_opt());
    filled.map_or(0, |filled| filled.true_count() as u64)
}

/// Empty windows that were left out.
fn unfilled(rows: &RecordBatch) -> u64 {
    let unfilled = rows.column_by_name("unfilled").and_then(|column| column.as_primitive_opt::<Int64Type>());
    unfilled.map_or(0, |unfilled| unfilled.iter().flatten().map(|windows| windows.max(0) as u64).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(progress: &Progress, records: u64) {
        progress.took(records);
        progress.dead("broken");
    }

    fn seen(progress: &Progress) -> (u64, u64, u64) {
        let counts = progress.counts();
        (counts.records, counts.dead_letters, counts.epochs)
    }

    #[test]
    fn an_epoch_that_is_taken_again_counts_once() {
        let progress = Progress::new(Vec::new());
        taken(&progress, 5);
        progress.epoch_ended();
        taken(&progress, 7);
        assert_eq!(seen(&progress), (12, 2, 0), "what is under way is seen");
        progress.epoch_committed(&[]);
        assert_eq!(seen(&progress), (12, 2, 1));
        // The second one fails, and is taken again.
        progress.abandon();
        assert_eq!(seen(&progress), (5, 1, 1));
        taken(&progress, 7);
        progress.epoch_ended();
        progress.epoch_committed(&[]);
        assert_eq!(seen(&progress), (12, 2, 2));
    }

    #[test]
    fn what_a_rollback_makes_void_does_not_count() {
        let progress = Progress::new(Vec::new());
        let commit = |records| {
            taken(&progress, records);
            progress.epoch_ended();
            progress.epoch_committed(&[]);
        };
        commit(5);
        progress.probation_begins();
        commit(7);
        taken(&progress, 1);
        progress.rolled_back();
        assert_eq!(seen(&progress), (5, 1, 1));
        commit(7);
        assert_eq!(seen(&progress), (12, 2, 2));
        // A probation that an earlier run began: all that this one committed is void.
        progress.rolled_back();
        assert_eq!(seen(&progress), (0, 0, 0));
    }

    #[test]
    fn each_window_definition_counts_for_itself() {
        let progress = Progress::new(Vec::new());
        for (window, duplicates) in [("1m", 3), ("1d", 2), ("1m", 3), ("1d", 2)] {
            progress.inner().growing().refuse(window, Refused { duplicates, ..Refused::default() });
        }
        let counts = progress.counts();
        assert_eq!((counts.windows["1m"].duplicates, counts.windows["1d"].duplicates), (6, 4));
        assert_eq!(counts.most(|window| window.duplicates), 6);
    }
}
