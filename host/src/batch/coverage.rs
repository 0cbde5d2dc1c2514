//! Which times rows are there for: the event times of each key as segments, in which a row follows another at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_engine::{ColumnData, Rows, bit};

/// Rows from `from_us` on, the last of them at `last_us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Segment {
    from_us: i64,
    last_us: i64,
}

/// A time without rows, between some and some: from `from_us` to before `to_us`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    pub symbol: String,
    pub from_us: i64,
    pub to_us: i64,
}

impl Gap {
    pub fn length_us(&self) -> i64 {
        self.to_us - self.from_us
    }
}

/// The segments of each key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// How long a row stands for the time after it.
    interval_us: i64,
    /// How long a time without rows is that counts as a gap; none: any.
    gap_us: Option<i64>,
    keys: BTreeMap<String, Segments>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Segments {
    /// Where those began that are settled and gone; none: none are.
    settled_from_us: Option<i64>,
    /// Sorted; more than `interval_us` from each other.
    sorted: Vec<Segment>,
    /// The one that the last row went to: the next one mostly goes there too.
    recent: usize,
}

impl Coverage {
    pub fn new(interval_us: i64, gap_us: Option<i64>) -> Self {
        Self { interval_us, gap_us, keys: BTreeMap::new() }
    }

    pub fn interval_us(&self) -> i64 {
        self.interval_us
    }

    /// Notes the times of parsed rows, and gives the earliest. `time` and `key` are their columns; rows that lack one
    /// are not noted.
    pub fn add(&mut self, rows: &Rows, time: &str, key: &str) -> Option<i64> {
        let column = |name: &str| rows.table.columns.iter().find(|column| column.name == name);
        let (Some(times), Some(keys)) = (column(time), column(key)) else { return None };
        let (ColumnData::TimestampUs(values), ColumnData::Text(text)) = (&times.data, &keys.data) else {
            return None;
        };
        let has_key = |row: usize| keys.validity.as_deref().is_none_or(|bits| bit(bits, row));
        let mut row = 0;
        // A null's code may be any, or one beside it: where there are nulls, each row is looked at.
        for run in text.codes.chunk_by(|a, b| a == b && keys.validity.is_none()) {
            if !has_key(row) {
                row += 1;
                continue;
            }
            let code = run[0] as usize;
            let start = if code == 0 { 0 } else { text.ends[code - 1] as usize };
            let name = String::from_utf8_lossy(&text.bytes[start..text.ends[code] as usize]);
            if !self.keys.contains_key(&*name) {
                self.keys.insert(name.clone().into_owned(), Segments::default());
            }
            let end = row + run.len();
            if let Some(segments) = self.keys.get_mut(&*name) {
                match times.validity.as_deref() {
                    None => segments.add_all(&values[row..end], self.interval_us),
                    Some(bits) => (row..end)
                        .filter(|row| bit(bits, *row))
                        .for_each(|row| segments.add(values[row], self.interval_us)),
                }
            }
            row = end;
        }
        match times.validity.as_deref() {
            None => values.iter().copied().min(),
            Some(bits) => (0..values.len()).filter(|row| bit(bits, *row)).map(|row| values[row]).min(),
        }
    }

    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        let with_rows = self.keys.iter().filter(|(_, segments)| !segments.sorted.is_empty());
        with_rows.map(|(symbol, _)| symbol.as_str())
    }

    pub fn is_of_one_key(&self) -> bool {
        self.symbols().nth(1).is_none()
    }

    /// From the first row of a key to where its last one ends; none without rows.
    pub fn span_us(&self, symbol: &str) -> Option<(i64, i64)> {
        let Segments { settled_from_us, sorted, .. } = self.keys.get(symbol)?;
        let from_us = settled_from_us.unwrap_or(sorted.first()?.from_us);
        Some((from_us, sorted.last()?.last_us + self.interval_us))
    }

    /// Forgets what lies before a moment that no further row is before, and gives the gaps that ended by then.
    pub fn settle(&mut self, before_us: i64) -> Vec<Gap> {
        let (interval_us, gap_us) = (self.interval_us, self.gap_us);
        let mut gaps = Vec::new();
        for (symbol, segments) in &mut self.keys {
            let ended = segments.sorted.partition_point(|segment| segment.from_us <= before_us);
            let Some(done) = ended.checked_sub(1).filter(|done| *done > 0) else { continue };
            gaps.extend(gaps_between(symbol, &segments.sorted[..ended], interval_us, gap_us));
            segments.settled_from_us.get_or_insert(segments.sorted[0].from_us);
            segments.sorted.drain(..done);
            segments.recent = segments.recent.saturating_sub(done);
        }
        gaps
    }

    /// Segments of the key that has most.
    pub fn most_segments(&self) -> usize {
        self.keys.values().map(|segments| segments.sorted.len()).max().unwrap_or(0)
    }

    /// What the segments take, in bytes.
    pub fn size_bytes(&self) -> u64 {
        let segments: usize = self.keys.values().map(|segments| segments.sorted.len()).sum();
        (segments * size_of::<Segment>()) as u64
    }

    /// Whether there is no gap in a window, and the rows reach over both its ends. Not for windows that are settled.
    pub fn covers(&self, symbol: &str, start_us: i64, end_us: i64) -> bool {
        let Some(segments) = self.keys.get(symbol) else { return false };
        let next = segments.sorted.partition_point(|segment| segment.from_us <= start_us);
        let Some(at) = next.checked_sub(1) else { return false };
        let mut reached_us = i64::MIN;
        for segment in &segments.sorted[at..] {
            if reached_us > i64::MIN && is_gap(segment.from_us - reached_us, self.gap_us) {
                return false;
            }
            reached_us = segment.last_us.saturating_add(self.interval_us);
            if reached_us >= end_us {
                return true;
            }
        }
        false
    }

    /// The gaps that are not settled.
    pub fn gaps(&self) -> Vec<Gap> {
        let of_key = |(symbol, segments): (&String, &Segments)| {
            gaps_between(symbol, &segments.sorted, self.interval_us, self.gap_us).collect::<Vec<_>>()
        };
        self.keys.iter().flat_map(of_key).collect()
    }
}

/// Whether a time without rows counts.
fn is_gap(length_us: i64, gap_us: Option<i64>) -> bool {
    gap_us.is_none_or(|gap_us| length_us >= gap_us)
}

fn gaps_between(
    symbol: &str,
    segments: &[Segment],
    interval_us: i64,
    gap_us: Option<i64>,
) -> impl Iterator<Item = Gap> {
    let gap = move |pair: &[Segment]| Gap {
        symbol: symbol.to_owned(),
        from_us: pair[0].last_us + interval_us,
        to_us: pair[1].from_us,
    };
    segments.windows(2).map(gap).filter(move |gap| is_gap(gap.length_us(), gap_us))
}

impl Segments {
    /// Rows that follow each other without a gap are noted at once.
    fn add_all(&mut self, times: &[i64], joined_us: i64) {
        let follows = |pair: &[i64]| (pair[1] > pair[0]) & (pair[1] - pair[0] <= joined_us);
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return };
        self.add(*first, joined_us);
        let is_last = self.recent + 1 == self.sorted.len();
        if is_last
            && self.sorted[self.recent].last_us == *first
            && times.windows(2).fold(true, |joined, pair| joined & follows(pair))
        {
            self.sorted[self.recent].last_us = *last;
        } else {
            times[1..].iter().for_each(|time| self.add(*time, joined_us));
        }
    }

    #[inline]
    fn add(&mut self, time_us: i64, joined_us: i64) {
        if let Some(segment) = self.sorted.get_mut(self.recent)
            && segment.from_us <= time_us
        {
            if time_us <= segment.last_us {
                return;
            }
            let is_last = self.recent + 1 == self.sorted.len();
            let segment = &mut self.sorted[self.recent];
            if is_last && time_us - segment.last_us <= joined_us {
                segment.last_us = time_us;
                return;
            }
        }
        self.add_anywhere(time_us, joined_us);
    }

    #[cold]
    fn add_anywhere(&mut self, time_us: i64, joined_us: i64) {
        let next = self.sorted.partition_point(|segment| segment.from_us <= time_us);
        let before = next.checked_sub(1).filter(|index| time_us - self.sorted[*index].last_us <= joined_us);
        let after = self.sorted.get(next).filter(|segment| segment.from_us - time_us <= joined_us).copied();
        self.recent = match (before, after) {
            (Some(before), Some(after)) => {
                if time_us > self.sorted[before].last_us {
                    self.sorted[before].last_us = after.last_us;
                    self.sorted.remove(next);
                }
                before
            }
            (Some(before), None) => {
                let segment = &mut self.sorted[before];
                segment.last_us = segment.last_us.max(time_us);
                before
            }
            (None, Some(_)) => {
                self.sorted[next].from_us = time_us;
                next
            }
            (None, None) => {
                self.sorted.insert(next, Segment { from_us: time_us, last_us: time_us });
                next
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn coverage(times: &[i64], interval_us: i64, gap_us: Option<i64>) -> Coverage {
        let mut coverage = Coverage::new(interval_us, gap_us);
        let joined_us = coverage.interval_us;
        let segments = coverage.keys.entry("A".to_owned()).or_default();
        let (one_by_one, at_once) = times.split_at(times.len() / 3);
        one_by_one.iter().for_each(|time| segments.add(*time, joined_us));
        at_once.chunks(5).for_each(|times| segments.add_all(times, joined_us));
        coverage
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against the sorted times themselves.
        #[test]
        fn gaps_are_where_no_row_follows_in_time_whatever_the_order(times in prop::collection::vec(0i64..200, 1..80), interval in 1i64..5, gap in prop::option::of(1i64..9), start in 0i64..200, size in 1i64..30) {
            let coverage = coverage(&times, interval, gap);
            let sorted: Vec<i64> = times.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
            let counts = |hole: i64| hole > 0 && gap.is_none_or(|gap| hole >= gap);
            let expected: Vec<(i64, i64)> = sorted
                .windows(2)
                .filter(|pair| counts(pair[1] - pair[0] - interval))
                .map(|pair| (pair[0] + interval, pair[1]))
                .collect();
            let found: Vec<(i64, i64)> = coverage.gaps().iter().map(|gap| (gap.from_us, gap.to_us)).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(coverage.span_us("A"), Some((sorted[0], sorted[sorted.len() - 1] + interval)));
            let end = start + size;
            let inside = sorted[0] <= start && end <= sorted[sorted.len() - 1] + interval;
            let whole = inside && !expected.iter().any(|(from, to)| *from < end && start < *to);
            prop_assert_eq!(coverage.covers("A", start, end), whole);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn settling_on_the_way_gives_the_same_gaps_spans_and_covers(steps in prop::collection::vec(1i64..9, 2..60), every in 1usize..7, interval in 1i64..4, gap in prop::option::of(1i64..6)) {
            let times: Vec<i64> = steps.iter().scan(0, |at, step| { *at += step; Some(*at) }).collect();
            let whole = coverage(&times, interval, gap);
            let mut settling = Coverage::new(interval, gap);
            let joined_us = settling.interval_us;
            settling.keys.insert("A".to_owned(), Segments::default());
            let mut gaps = Vec::new();
            for (at, time) in times.iter().enumerate() {
                settling.keys.get_mut("A").unwrap().add(*time, joined_us);
                // Rows may still come from here on.
                let open_us = time - 3;
                if at % every == 0 {
                    gaps.extend(settling.settle(open_us));
                }
                prop_assert_eq!(settling.covers("A", open_us, open_us + 3), coverage(&times[..=at], interval, gap).covers("A", open_us, open_us + 3));
            }
            gaps.extend(settling.gaps());
            prop_assert_eq!(gaps, whole.gaps());
            prop_assert_eq!(settling.span_us("A"), whole.span_us("A"));
        }
    }

    #[test]
    fn rows_without_a_key_are_no_keys_rows_whatever_their_code() {
        let text = tallow_engine::Text { bytes: b"AB".to_vec(), ends: vec![1, 2], codes: vec![0, 99, 1, 1] };
        let column =
            |name: &str, data, validity| tallow_engine::Column { name: name.to_owned(), data, validity };
        let columns = vec![
            column("key", ColumnData::Text(text), Some(vec![0b0101])),
            column("time", ColumnData::TimestampUs(vec![10, 20, 30, 40]), None),
        ];
        let kinds = tallow_engine::Text { bytes: b"k".to_vec(), ends: vec![1], codes: vec![0; 4] };
        let table = tallow_engine::Table { rows: 4, columns };
        let rows = Rows::new(table, kinds, vec![0, 1, 2, 3], &Default::default());
        let mut coverage = Coverage::new(10, None);
        assert_eq!(coverage.add(&rows, "time", "key"), Some(10));
        assert_eq!(coverage.symbols().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!((coverage.span_us("A"), coverage.span_us("B")), (Some((10, 20)), Some((30, 40))));
    }

    #[test]
    fn a_key_without_rows_covers_nothing() {
        let coverage = Coverage::new(60, None);
        assert!(!coverage.covers("A", 0, 1) && coverage.span_us("A").is_none());
    }
}
