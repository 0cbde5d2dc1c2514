//! What a running pipeline shows of itself: counters, and windows for a view. Nothing depends on it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use tallow_engine::{Parsed, Report, Stats};
use tallow_record::TopicPartition;

/// Reasons told apart; further ones share a line, so that hostile data cannot fill the memory.
const MAX_REASONS: usize = 50;

/// Somebody who looks on.
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

/// A moment's counts, since the program's start.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub records: u64,
    pub rows: u64,
    pub ignored: u64,
    /// Windows published.
    pub candles: u64,
    /// Of these, windows that are known to lack something.
    pub incomplete: u64,
    /// (row, window) pairs that came too late, all windows together.
    pub late: u64,
    pub duplicates: u64,
    pub conflicts: u64,
    /// Decimals with more places than their column keeps.
    pub rounded: u64,
    pub dead_letters: u64,
    /// Dead letters by reason.
    pub reasons: BTreeMap<String, u64>,
    pub epochs: u64,
    pub open_windows: u64,
    pub state_bytes: u64,
    pub watermark_us: Option<i64>,
}

#[derive(Default)]
pub struct Progress {
    records: AtomicU64,
    rows: AtomicU64,
    ignored: AtomicU64,
    candles: AtomicU64,
    incomplete: AtomicU64,
    late: AtomicU64,
    duplicates: AtomicU64,
    conflicts: AtomicU64,
    rounded: AtomicU64,
    dead_letters: AtomicU64,
    reasons: Mutex<BTreeMap<String, u64>>,
    epochs: AtomicU64,
    open_windows: AtomicU64,
    state_bytes: AtomicU64,
    /// `i64::MIN`: none yet.
    watermark_us: AtomicI64,
    /// Offset of the next record of each partition, as of the last commit.
    committed: Mutex<BTreeMap<TopicPartition, i64>>,
    viewers: Vec<Box<dyn Viewer>>,
}

impl Progress {
    pub fn new(viewers: Vec<Box<dyn Viewer>>) -> Self {
        Self { viewers, watermark_us: AtomicI64::new(i64::MIN), ..Self::default() }
    }

    pub fn counts(&self) -> Counts {
        let watermark_us = self.watermark_us.load(Relaxed);
        Counts {
            records: self.records.load(Relaxed),
            rows: self.rows.load(Relaxed),
            ignored: self.ignored.load(Relaxed),
            candles: self.candles.load(Relaxed),
            incomplete: self.incomplete.load(Relaxed),
            late: self.late.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            conflicts: self.conflicts.load(Relaxed),
            rounded: self.rounded.load(Relaxed),
            dead_letters: self.dead_letters.load(Relaxed),
            reasons: self.reasons().clone(),
            epochs: self.epochs.load(Relaxed),
            open_windows: self.open_windows.load(Relaxed),
            state_bytes: self.state_bytes.load(Relaxed),
            watermark_us: (watermark_us != i64::MIN).then_some(watermark_us),
        }
    }

    pub(crate) fn took(&self, records: u64) {
        self.records.fetch_add(records, Relaxed);
    }

    pub(crate) fn rows(&self, parsed: &Parsed, reports: &[Report]) {
        self.rows.fetch_add(u64::from(parsed.rows.table.rows), Relaxed);
        self.ignored.fetch_add(parsed.ignored.len() as u64, Relaxed);
        self.rounded.fetch_add(parsed.rounded, Relaxed);
        for report in reports {
            self.late.fetch_add(report.late, Relaxed);
            self.duplicates.fetch_add(report.duplicate, Relaxed);
            self.conflicts.fetch_add(report.conflict, Relaxed);
        }
    }

    pub(crate) fn dead(&self, reason: &str) {
        self.dead_letters.fetch_add(1, Relaxed);
        let reason = without_details(reason);
        let mut reasons = self.reasons();
        let known = reasons.len() < MAX_REASONS || reasons.contains_key(&reason);
        *reasons.entry(if known { reason } else { "other reasons".to_owned() }).or_default() += 1;
    }

    pub(crate) fn state(&self, stats: &[Stats], watermark_us: Option<i64>) {
        self.open_windows.store(stats.iter().map(|it| it.open_windows).sum(), Relaxed);
        self.state_bytes.store(stats.iter().map(|it| it.bytes).sum(), Relaxed);
        if let Some(watermark_us) = watermark_us {
            self.watermark_us.store(watermark_us, Relaxed);
        }
    }

    pub(crate) fn wants_open_windows(&self) -> bool {
        self.viewers.iter().any(|viewer| viewer.wants_open())
    }

    pub(crate) fn open_windows(&self, windows: Vec<(String, RecordBatch)>) {
        for viewer in self.viewers.iter().filter(|viewer| viewer.wants_open()) {
            viewer.open(&windows);
        }
    }

    /// A backfill has published windows of the pipeline's tables.
    pub(crate) fn backfilled(&self) {
        self.viewers.iter().for_each(|viewer| viewer.backfilled());
    }

    /// Offset of the next record that no commit has taken; 0 for a partition without one.
    pub fn committed(&self, partition: &TopicPartition) -> i64 {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).get(partition).copied().unwrap_or(0)
    }

    /// An epoch was committed and its output published.
    pub(crate) fn published(
        &self,
        pipeline: &str,
        positions: &BTreeMap<TopicPartition, i64>,
        closed: &[(String, RecordBatch)],
    ) {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).clone_from(positions);
        self.epochs.fetch_add(1, Relaxed);
        self.candles.fetch_add(closed.iter().map(|(_, rows)| rows.num_rows() as u64).sum(), Relaxed);
        self.incomplete.fetch_add(closed.iter().map(|(_, rows)| incomplete(rows)).sum(), Relaxed);
        for viewer in &self.viewers {
            viewer.closed(pipeline, closed);
        }
    }

    fn reasons(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows that say of themselves that they are not complete.
fn incomplete(rows: &RecordBatch) -> u64 {
    let complete = rows.column_by_name("complete").and_then(|column| column.as_boolean_opt());
    complete.map_or(0, |complete| complete.false_count() as u64)
}

/// A reason without what differs from record to record, so that counts of it mean something: numbers become `N`,
/// quoted text `"…"`.
pub(crate) fn without_details(reason: &str) -> String {
    let mut out = String::with_capacity(reason.len());
    for (index, part) in reason.split('"').enumerate() {
        if index % 2 == 1 {
            out.push_str("\"…\"");
            continue;
        }
        for word in part.split_inclusive(' ') {
            let number = word.trim_end().trim_matches(|letter: char| !letter.is_ascii_digit());
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let starts = word.starts_with(|letter: char| letter.is_ascii_digit());
            out.push_str(&if is_number && starts { word.replacen(number, "N", 1) } else { word.to_owned() });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_details_are_counted_together() {
        let progress = Progress::new(Vec::new());
        for reason in ["JSON: EOF at byte 34", "JSON: EOF at byte 9", "price: not a decimal: \"abc\""] {
            progress.dead(reason);
        }
        let reasons = progress.counts().reasons;
        assert_eq!(reasons["JSON: EOF at byte N"], 2);
        assert_eq!(without_details("not UTF-8 at byte 12"), "not UTF-8 at byte N");
        assert_eq!(reasons["price: not a decimal: \"…\""], 1);
    }

    #[test]
    fn hostile_reasons_do_not_fill_the_memory() {
        let progress = Progress::new(Vec::new());
        for number in 0..1000u32 {
            let letters: String = format!("{number:04}").bytes().map(|digit| (digit + 49) as char).collect();
            progress.dead(&letters);
        }
        let reasons = progress.counts().reasons;
        assert_eq!(reasons.len(), MAX_REASONS + 1);
        assert_eq!(reasons["other reasons"], 1000 - MAX_REASONS as u64);
    }
}
