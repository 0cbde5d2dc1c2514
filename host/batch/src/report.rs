//! What became of everything that a batch read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_worker::reasons;

use crate::beginning::Reading;
use crate::coverage::Gap;
use crate::error::BatchError;
use crate::example::{Example, NAMED};

/// Gaps that are listed one by one; of more, the longest are.
pub const MAX_GAPS: usize = 1_000;
/// Remarks told apart; further ones share a line.
const MAX_REMARKS: usize = 50;

/// Counts of a group, or of a whole job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub files: u64,
    /// Of the files as they are, compressed or not.
    pub bytes: u64,
    /// Lines = with rows + ignored + rejected + set aside.
    pub lines: u64,
    /// Rows = accepted + duplicates + conflicts + invalid.
    pub rows: u64,
    pub ignored: BTreeMap<String, u64>,
    /// Lines that went to the dead letters, by reason.
    pub rejected: BTreeMap<String, u64>,
    pub set_aside: BTreeMap<String, u64>,
    /// The first line of each of the reasons above, and of contradicting and invalid rows.
    #[serde(default)]
    pub examples: BTreeMap<String, Example>,
    pub accepted: u64,
    /// Rows whose open time was there already, with the same content. They are dropped.
    pub duplicates: u64,
    /// Rows whose open time was there already, with other content. The first one counts, the others are dead letters.
    pub conflicts: u64,
    /// Rows without what the window needs.
    pub invalid: u64,
    /// Rows that contradict themselves: a high below the low, say.
    #[serde(default)]
    pub contradicting: u64,
    /// The first of them: its file, line and text.
    #[serde(default)]
    pub first_contradicting: Option<String>,
    /// Numbers with more places than their column keeps, rounded half to even.
    pub rounded: u64,
    /// Windows in the table, those below included.
    pub windows: u64,
    pub filled: u64,
    /// Windows at the edges of the input or with a gap in them.
    pub partial: u64,
    /// By key: the time from the first row to the end of the last, µs.
    pub spans_us: BTreeMap<String, (i64, i64)>,
    pub interval_us: i64,
    /// Files that gave no row and no dead letter, and some of their names.
    #[serde(default)]
    pub files_without_rows: u64,
    #[serde(default)]
    pub without_rows: Vec<String>,
    pub gaps: u64,
    pub gaps_us: i64,
    /// By length, longest first.
    pub longest_gaps: Vec<Gap>,
    /// What people should know of how files were read, with the number of files and the first one's name.
    #[serde(default)]
    pub remarks: BTreeMap<String, (u64, String)>,
}

impl Report {
    /// Counts a line that gave no row and is known to be none.
    pub fn ignore(&mut self, reason: &str) {
        reasons::count(&mut self.ignored, reason);
    }

    /// Counts a line that the parse function rejected.
    pub fn reject(&mut self, reason: &str, example: impl FnOnce() -> Example) {
        if let Some(new) = reasons::count(&mut self.rejected, reason) {
            self.examples.entry(new).or_insert_with(example);
        }
    }

    /// Counts a line on which the function failed, or that is ahead of the clock.
    pub fn put_aside(&mut self, reason: &str, example: impl FnOnce() -> Example) {
        if let Some(new) = reasons::count(&mut self.set_aside, reason) {
            self.examples.entry(new).or_insert_with(example);
        }
    }

    /// Takes how a file is read.
    pub fn take_reading(&mut self, file: &str, reading: &Reading) {
        self.interval_us = match self.interval_us {
            0 => reading.interval_us,
            known_us => known_us.min(reading.interval_us),
        };
        for remark in &reading.remarks {
            self.remark(remark, 1, file);
        }
    }

    fn remark(&mut self, remark: &str, files: u64, first: &str) {
        let known = self.remarks.len() < MAX_REMARKS || self.remarks.contains_key(remark);
        let remark = if known { remark } else { "other remarks" };
        self.remarks.entry(remark.to_owned()).or_insert_with(|| (0, first.to_owned())).0 += files;
    }

    /// The error where more rows contradict themselves than data of any quality has.
    pub fn contradictions(&self) -> Option<BatchError> {
        let most = (self.rows / 100).max(1);
        let (count, rows) = (self.contradicting, self.rows);
        let first = self.first_contradicting.clone().unwrap_or_default();
        (count > most).then_some(BatchError::Contradicting { count, rows, first })
    }

    pub fn take_gaps(&mut self, mut gaps: Vec<Gap>) {
        self.gaps += gaps.len() as u64;
        self.gaps_us += gaps.iter().map(Gap::length_us).sum::<i64>();
        self.longest_gaps.append(&mut gaps);
        self.longest_gaps.sort_by_key(|gap| (std::cmp::Reverse(gap.length_us()), gap.clone()));
        self.longest_gaps.truncate(MAX_GAPS);
    }

    /// Adds another group's counts.
    pub fn absorb(&mut self, other: &Report) {
        for (mine, theirs) in [
            (&mut self.files, other.files),
            (&mut self.files_without_rows, other.files_without_rows),
            (&mut self.bytes, other.bytes),
            (&mut self.lines, other.lines),
            (&mut self.rows, other.rows),
            (&mut self.accepted, other.accepted),
            (&mut self.duplicates, other.duplicates),
            (&mut self.conflicts, other.conflicts),
            (&mut self.invalid, other.invalid),
            (&mut self.contradicting, other.contradicting),
            (&mut self.rounded, other.rounded),
            (&mut self.windows, other.windows),
            (&mut self.filled, other.filled),
            (&mut self.partial, other.partial),
            (&mut self.gaps, other.gaps),
        ] {
            *mine += theirs;
        }
        for (mine, theirs) in [
            (&mut self.ignored, &other.ignored),
            (&mut self.rejected, &other.rejected),
            (&mut self.set_aside, &other.set_aside),
        ] {
            theirs.iter().for_each(|(reason, count)| *mine.entry(reason.clone()).or_default() += count);
        }
        for (reason, example) in &other.examples {
            self.examples.entry(reason.clone()).or_insert_with(|| example.clone());
        }
        self.without_rows.extend(other.without_rows.iter().cloned());
        self.without_rows.truncate(NAMED);
        if self.first_contradicting.is_none() {
            self.first_contradicting.clone_from(&other.first_contradicting);
        }
        other.remarks.iter().for_each(|(remark, (files, first))| self.remark(remark, *files, first));
        self.spans_us.extend(other.spans_us.iter().map(|(symbol, span)| (symbol.clone(), *span)));
        self.interval_us = self.interval_us.max(other.interval_us);
        let (gaps, gaps_us) = (self.gaps, self.gaps_us + other.gaps_us);
        self.take_gaps(other.longest_gaps.clone());
        (self.gaps, self.gaps_us) = (gaps, gaps_us);
    }

    /// What does not add up, where something does not.
    pub fn imbalance(&self, with_rows: u64, closed: u64) -> Option<String> {
        let apart: u64 = [&self.ignored, &self.rejected, &self.set_aside]
            .into_iter()
            .flat_map(|reasons| reasons.values())
            .sum();
        let judged = self.accepted + self.duplicates + self.conflicts + self.invalid;
        for (what, left, right) in [
            ("lines = with rows + ignored + rejected + set aside", self.lines, with_rows + apart),
            ("rows = accepted + duplicates + conflicts + invalid", self.rows, judged),
            ("accepted = in windows", self.accepted, closed),
        ] {
            if left != right {
                return Some(format!("{what}: {left} and {right}"));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from_us: i64, to_us: i64) -> Gap {
        Gap { symbol: "A".to_owned(), from_us, to_us }
    }

    #[test]
    fn the_longest_gaps_are_kept_and_all_are_counted() {
        let mut report = Report::default();
        report.take_gaps((0..2_000).map(|at| gap(at * 10_000, at * 10_000 + at + 1)).collect());
        assert_eq!((report.gaps, report.longest_gaps.len()), (2_000, MAX_GAPS));
        assert_eq!(report.longest_gaps[0].length_us(), 2_000);
        let mut all = Report::default();
        all.absorb(&report);
        all.absorb(&report);
        assert_eq!((all.gaps, all.gaps_us), (4_000, 2 * 2_001_000));
        assert_eq!(all.longest_gaps[1].length_us(), 2_000);
    }

    #[test]
    fn books_that_do_not_balance_say_which() {
        let sound = Report { lines: 3, rows: 2, accepted: 1, duplicates: 1, ..Report::default() };
        let mut report = Report { ignored: [("header".to_owned(), 1)].into(), ..sound };
        assert_eq!(report.imbalance(2, 1), None);
        assert_eq!(report.imbalance(2, 0).as_deref(), Some("accepted = in windows: 1 and 0"));
        report.duplicates = 0;
        assert!(report.imbalance(2, 1).is_some_and(|what| what.starts_with("rows = ")));
    }
}
