//! What a running pipeline shows of itself: counters, and windows for a view. Nothing depends on it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use tallow_engine::{Parsed, Report, Stats};
use tallow_record::TopicPartition;

use crate::withheld::Held;

/// Reasons told apart; further ones share a line, so that hostile data cannot fill the memory.
const MAX_REASONS: usize = 50;
const OTHER_REASONS: &str = "other reasons";

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

/// A moment's counts, since the program's start. What was taken and then not committed, or made void by a rollback, does
/// not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub records: u64,
    pub rows: u64,
    pub ignored: u64,
    /// Windows published.
    pub candles: u64,
    /// Of these, windows that are known to lack something.
    pub incomplete: u64,
    /// Decimals with more places than their column keeps.
    pub rounded: u64,
    pub dead_letters: u64,
    /// Dead letters by reason.
    pub reasons: BTreeMap<String, u64>,
    /// By window definition: each takes rows in by itself.
    pub windows: BTreeMap<String, Refused>,
    pub epochs: u64,
    pub open_windows: u64,
    pub state_bytes: u64,
    pub watermark_us: Option<i64>,
    /// Whether the pipeline came so far as to read.
    pub began: bool,
    /// Partitions that are read.
    pub partitions: u64,
    /// The partition that the watermark waits for.
    pub held: Option<Held>,
}

/// (row, window) pairs that a window definition did not take in, or not without a doubt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Refused {
    pub late: u64,
    pub duplicates: u64,
    pub conflicts: u64,
    /// Taken in without knowing whether their ids were new.
    pub untracked: u64,
}

impl From<&Report> for Refused {
    fn from(report: &Report) -> Self {
        let Report { late, duplicate: duplicates, conflict: conflicts, untracked, .. } = *report;
        Self { late, duplicates, conflicts, untracked }
    }
}

impl Counts {
    /// Of the window definition that has most: sums over definitions would count a row several times.
    pub fn most(&self, of: impl Fn(&Refused) -> u64) -> u64 {
        self.windows.values().map(of).max().unwrap_or(0)
    }

    fn add(&mut self, more: Self) {
        self.records += more.records;
        self.rows += more.rows;
        self.ignored += more.ignored;
        self.rounded += more.rounded;
        self.dead_letters += more.dead_letters;
        for (reason, count) in more.reasons {
            self.count_reason(reason, count);
        }
        more.windows.iter().for_each(|(window, refused)| self.refuse(window, *refused));
    }

    fn refuse(&mut self, window: &str, refused: Refused) {
        let all = self.windows.entry(window.to_owned()).or_default();
        all.late += refused.late;
        all.duplicates += refused.duplicates;
        all.conflicts += refused.conflicts;
        all.untracked += refused.untracked;
    }

    fn count_reason(&mut self, reason: String, count: u64) {
        let known = self.reasons.len() < MAX_REASONS || self.reasons.contains_key(&reason);
        *self.reasons.entry(if known { reason } else { OTHER_REASONS.to_owned() }).or_default() += count;
    }
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
    held: Option<Held>,
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
        inner.under_way.iter().for_each(|epoch| counts.add(epoch.clone()));
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

    pub fn dead(&self, reason: &str) {
        let mut inner = self.inner();
        let counts = inner.growing();
        counts.dead_letters += 1;
        counts.count_reason(without_details(reason), 1);
    }

    /// How the windows stand: at the start as they were restored, then at each epoch's end.
    pub fn state(&self, stats: &[Stats], watermark_us: Option<i64>, partitions: usize) {
        let mut inner = self.inner();
        inner.open_windows = stats.iter().map(|it| it.open_windows).sum();
        inner.state_bytes = stats.iter().map(|it| it.bytes).sum();
        inner.watermark_us = watermark_us;
        inner.partitions = partitions as u64;
        inner.began = true;
    }

    pub fn held(&self, held: Option<Held>) {
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
        inner.committed.add(epoch);
        inner.committed.epochs += 1;
        inner.committed.candles += closed.iter().map(|(_, rows)| rows.num_rows() as u64).sum::<u64>();
        inner.committed.incomplete += closed.iter().map(|(_, rows)| incomplete(rows)).sum::<u64>();
    }

    /// The run has ended: what was taken and not committed will be taken again, or nobody took it.
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

/// Rows that say of themselves that they are not complete.
fn incomplete(rows: &RecordBatch) -> u64 {
    let complete = rows.column_by_name("complete").and_then(|column| column.as_boolean_opt());
    complete.map_or(0, |complete| complete.false_count() as u64)
}

/// A reason without what differs from record to record, so that counts of it mean something: numbers become `N`,
/// quoted text `"…"`.
pub fn without_details(reason: &str) -> String {
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
