//! Which times rows are there for, by key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_engine::{ColumnData, Rows};

use crate::ids::Ids;
use crate::segments::{Clash, Segments};

/// A time without rows, with rows on both sides: from `from_us` to before `to_us`.
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
    ids: Ids,
    /// How long a time without rows is that counts as a gap; `None`: any.
    gap_us: Option<i64>,
    keys: BTreeMap<String, Segments>,
}

impl Coverage {
    pub fn new(ids: Ids, gap_us: Option<i64>) -> Self {
        Self { ids, gap_us, keys: BTreeMap::new() }
    }

    /// Notes the times of parsed rows, and gives the earliest. `time` and `key` are their columns; rows that lack one
    /// are not noted. `intervals`: how long rows are, each with the number of the row before which it ends to hold.
    ///
    /// # Errors
    /// A row clashes with others: its number, and how.
    pub fn add(
        &mut self,
        rows: &Rows,
        time: &str,
        key: &str,
        intervals: &[(usize, i64)],
    ) -> Result<Option<i64>, (usize, Clash)> {
        let (Ok(times), Ok(keys)) = (rows.table.column(time), rows.table.column(key)) else {
            return Ok(None);
        };
        let (ColumnData::TimestampUs(values), ColumnData::Text(text)) = (&times.data, &keys.data) else {
            return Ok(None);
        };
        let mut row = 0;
        // A null's code may be any, or one beside it: where there are nulls, each row is looked at.
        for run in text.codes.chunk_by(|a, b| a == b && keys.validity.is_none()) {
            let end = row + run.len();
            if !keys.is_valid(row) {
                row = end;
                continue;
            }
            let name = String::from_utf8_lossy(text.entry(run[0]));
            let segments = match self.keys.get_mut(&*name) {
                Some(segments) => segments,
                None => self.keys.entry(name.into_owned()).or_default(),
            };
            for (until, interval_us) in intervals {
                let to = end.min(*until);
                if row >= to {
                    continue;
                }
                let added = match times.validity {
                    None => segments.add_all(&values[row..to], *interval_us, self.ids),
                    Some(_) => (row..to).filter(|row| times.is_valid(*row)).try_for_each(|at| {
                        segments.add(values[at], *interval_us, self.ids).map_err(|clash| (at - row, clash))
                    }),
                };
                added.map_err(|(at, clash)| (row + at, clash))?;
                row = to;
            }
            row = end;
        }
        Ok(match times.validity {
            None => values.iter().copied().min(),
            Some(_) => (0..values.len()).filter(|row| times.is_valid(*row)).map(|row| values[row]).min(),
        })
    }

    pub fn ids(&self) -> Ids {
        self.ids
    }

    /// The keys that have rows.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        let with_rows = self.keys.iter().filter(|(_, segments)| segments.count() > 0);
        with_rows.map(|(symbol, _)| symbol.as_str())
    }

    pub fn is_of_one_key(&self) -> bool {
        self.symbols().nth(1).is_none()
    }

    /// From the first row of a key to where its last one ends; `None` without rows.
    pub fn span_us(&self, symbol: &str) -> Option<(i64, i64)> {
        self.keys.get(symbol)?.span_us()
    }

    /// Forgets what lies before a moment that no further row is before, and gives the gaps that ended by then.
    pub fn settle(&mut self, before_us: i64) -> Vec<Gap> {
        let gap_us = self.gap_us;
        named(self.keys.iter_mut().map(|(symbol, segments)| (symbol, segments.settle(before_us, gap_us))))
    }

    /// The gaps that are not settled.
    pub fn gaps(&self) -> Vec<Gap> {
        named(self.keys.iter().map(|(symbol, segments)| (symbol, segments.gaps(self.gap_us))))
    }

    /// Segments of the key that has most.
    pub fn most_segments(&self) -> usize {
        self.keys.values().map(Segments::count).max().unwrap_or(0)
    }

    /// What the segments take, in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.keys.values().map(Segments::size_bytes).sum()
    }

    /// Whether there is no gap in a window, and the rows reach over both its ends. Not for windows that are settled.
    pub fn covers(&self, symbol: &str, start_us: i64, end_us: i64) -> bool {
        self.keys.get(symbol).is_some_and(|segments| segments.cover(start_us, end_us, self.gap_us))
    }

    /// How many intervals are missing in a window and before its first row, where the ids cannot tell. Not for windows that
    /// are settled.
    pub fn missing(&self, symbol: &str, start_us: i64, end_us: i64) -> Option<i64> {
        match self.ids {
            Ids::Unit { .. } => Some(self.keys.get(symbol)?.missing(start_us, end_us)),
            Ids::Intervals | Ids::Unknown => None,
        }
    }
}

fn named<'s>(of_keys: impl Iterator<Item = (&'s String, Vec<(i64, i64)>)>) -> Vec<Gap> {
    let gap = |symbol: &String, (from_us, to_us)| Gap { symbol: symbol.clone(), from_us, to_us };
    of_keys.flat_map(|(symbol, gaps)| gaps.into_iter().map(move |it| gap(symbol, it))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn coverage(times: &[i64], interval_us: i64, gap_us: Option<i64>) -> Coverage {
        let mut coverage = Coverage::new(Ids::Unit { us: 1 }, gap_us);
        let segments = coverage.keys.entry("A".to_owned()).or_default();
        let (one_by_one, at_once) = times.split_at(times.len() / 3);
        one_by_one.iter().for_each(|time| segments.add(*time, interval_us, coverage.ids).unwrap());
        at_once.chunks(5).for_each(|times| segments.add_all(times, interval_us, coverage.ids).unwrap());
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
            let missing = sorted.windows(2).filter(|pair| (start..end).contains(&pair[1])).map(|pair| (pair[1] - pair[0] - interval).max(0) / interval);
            prop_assert_eq!(coverage.missing("A", start, end), Some(missing.sum()));
        }

        #[test]
        fn settling_on_the_way_gives_the_same_gaps_spans_and_covers(steps in prop::collection::vec(1i64..9, 2..60), every in 1usize..7, interval in 1i64..4, gap in prop::option::of(1i64..6)) {
            let times: Vec<i64> = steps.iter().scan(0, |at, step| { *at += step; Some(*at) }).collect();
            let whole = coverage(&times, interval, gap);
            let mut settling = Coverage::new(Ids::Unit { us: 1 }, gap);
            settling.keys.insert("A".to_owned(), Segments::default());
            let mut gaps = Vec::new();
            for (at, time) in times.iter().enumerate() {
                settling.keys.get_mut("A").unwrap().add(*time, interval, Ids::Unknown).unwrap();
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
        let mut coverage = Coverage::new(Ids::Intervals, None);
        assert_eq!(coverage.add(&rows, "time", "key", &[(4, 10)]), Ok(Some(10)));
        assert_eq!(coverage.symbols().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!((coverage.span_us("A"), coverage.span_us("B")), (Some((10, 20)), Some((30, 40))));
    }

    #[test]
    fn a_key_without_rows_covers_nothing() {
        let coverage = Coverage::new(Ids::Intervals, None);
        assert!(!coverage.covers("A", 0, 1) && coverage.span_us("A").is_none());
    }
}
