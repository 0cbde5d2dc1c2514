//! A moment's counts.

use std::collections::BTreeMap;

use tallow_engine::Report;
use tallow_worker::reasons;

use crate::watermark_hold::WatermarkHold;

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
    /// Of these, windows without rows.
    pub filled: u64,
    /// Windows without rows that were left out, as their keys were silent for too long.
    pub unfilled: u64,
    /// Decimals with more places than their column keeps.
    pub rounded: u64,
    /// Records that go to a topic under another key, once for each key.
    pub rekeyed: u64,
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
    pub held: Option<WatermarkHold>,
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

    pub(super) fn add(&mut self, more: &Self) {
        self.records += more.records;
        self.rows += more.rows;
        self.ignored += more.ignored;
        self.rounded += more.rounded;
        self.rekeyed += more.rekeyed;
        self.dead_letters += more.dead_letters;
        for (reason, count) in &more.reasons {
            reasons::add(&mut self.reasons, reason, *count);
        }
        more.windows.iter().for_each(|(window, refused)| self.refuse(window, *refused));
    }

    pub(super) fn refuse(&mut self, window: &str, refused: Refused) {
        let all = self.windows.entry(window.to_owned()).or_default();
        all.late += refused.late;
        all.duplicates += refused.duplicates;
        all.conflicts += refused.conflicts;
        all.untracked += refused.untracked;
    }
}
