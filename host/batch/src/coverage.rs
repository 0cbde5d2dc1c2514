//! Which times rows are there for: the event times of each key as segments, in which a row follows another at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_engine::{ColumnData, Rows};

/// Segments before a time that are looked at: more than that do not lie over each other but where rows of many grids do.
const OVERLAPPING: usize = 16;

/// Rows from `from_us` on, the last of them at `last_us`, each for as long as an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Segment {
    from_us: i64,
    last_us: i64,
    interval_us: i64,
}

impl Segment {
    fn end_us(&self) -> i64 {
        self.last_us.saturating_add(self.interval_us)
    }
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

/// What the rows' ids count, which decides what rows can have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ids {
    /// Intervals: rows of different ones are not comparable, and two that open within one have the same id.
    #[default]
    Intervals,
    /// Units of time.
    Unit { us: i64 },
    /// What the parse function makes of them.
    Unknown,
}

impl Ids {
    /// What to count where rows of different times have the same id: whole seconds, then microseconds.
    pub fn finer(self) -> Option<Self> {
        match self {
            Ids::Intervals => Some(Ids::Unit { us: 1_000_000 }),
            Ids::Unit { us: 2.. } => Some(Ids::Unit { us: 1 }),
            Ids::Unit { .. } | Ids::Unknown => None,
        }
    }

    /// What ids of rows of an interval count, µs.
    pub fn unit_us(self, interval_us: i64) -> i64 {
        match self {
            Ids::Unit { us } => us,
            Ids::Intervals | Ids::Unknown => interval_us,
        }
    }

    fn are_same(self, one_us: i64, other_us: i64, interval_us: i64) -> bool {
        let unit_us = match self {
            Ids::Intervals => interval_us,
            Ids::Unit { us } => us,
            Ids::Unknown => return false,
        };
        one_us != other_us && one_us.div_euclid(unit_us) == other_us.div_euclid(unit_us)
    }
}

/// Why a row cannot be taken in beside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// Its id is that of a row of another time, or counts something else: ids have to count something smaller.
    Ids,
    /// It is there for a time for which rows of another interval are.
    Overlap { other_us: i64 },
}

/// The segments of each key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    ids: Ids,
    /// How long a time without rows is that counts as a gap; none: any.
    gap_us: Option<i64>,
    keys: BTreeMap<String, Segments>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Segments {
    /// Where those began that are settled and gone; none: none are.
    settled_from_us: Option<i64>,
    /// Sorted by their beginnings.
    sorted: Vec<Segment>,
    /// The one that the last row went to: the next one mostly goes there too.
    recent: usize,
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
        let column = |name: &str| rows.table.columns.iter().find(|column| column.name == name);
        let (Some(times), Some(keys)) = (column(time), column(key)) else { return Ok(None) };
        let (ColumnData::TimestampUs(values), ColumnData::Text(text)) = (&times.data, &keys.data) else {
            return Ok(None);
        };
        let has_key = |row: usize| keys.is_valid(row);
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
                let is_valid = |row: usize| times.is_valid(row);
                for (until, interval_us) in intervals {
                    let to = end.min(*until);
                    if row >= to {
                        continue;
                    }
                    let added = match times.validity {
                        None => segments.add_all(&values[row..to], *interval_us, self.ids),
                        Some(_) => (row..to).filter(|row| is_valid(*row)).try_for_each(|at| {
                            segments
                                .add(values[at], *interval_us, self.ids)
                                .map_err(|clash| (at - row, clash))
                        }),
                    };
                    added.map_err(|(at, clash)| (row + at, clash))?;
                    row = to;
                }
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
        let end_us = sorted.iter().rev().take(OVERLAPPING).map(Segment::end_us).max()?;
        Some((from_us, end_us))
    }

    /// Forgets what lies before a moment that no further row is before, and gives the gaps that ended by then.
    pub fn settle(&mut self, before_us: i64) -> Vec<Gap> {
        let gap_us = self.gap_us;
        let mut gaps = Vec::new();
        for (symbol, segments) in &mut self.keys {
            let ended = segments.sorted.partition_point(|segment| segment.from_us <= before_us);
            let Some(done) = ended.checked_sub(1).filter(|done| *done > 0) else { continue };
            gaps.extend(gaps_between(symbol, &segments.sorted[..ended], gap_us));
            segments.settled_from_us.get_or_insert(segments.sorted[0].from_us);
            // The one that reaches furthest may have begun before others.
            let kept = (0..ended).max_by_key(|at| (segments.sorted[*at].end_us(), *at)).unwrap_or(done);
            segments.sorted.swap(kept, done);
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
        let before = &segments.sorted[next.saturating_sub(OVERLAPPING)..next];
        let Some(mut reached_us) = before.iter().map(Segment::end_us).max() else { return false };
        for segment in &segments.sorted[next..] {
            if reached_us >= end_us {
                break;
            }
            if is_gap(segment.from_us - reached_us, self.gap_us) {
                return false;
            }
            reached_us = reached_us.max(segment.end_us());
        }
        reached_us >= end_us
    }

    /// How many intervals are missing in a window and before its first row, where the ids cannot tell. Not for windows that
    /// are settled.
    pub fn missing(&self, symbol: &str, start_us: i64, end_us: i64) -> Option<i64> {
        if !matches!(self.ids, Ids::Unit { .. }) {
            return None;
        }
        let segments = self.keys.get(symbol)?;
        let from = segments.sorted.partition_point(|segment| segment.from_us < start_us);
        let to = segments.sorted.partition_point(|segment| segment.from_us < end_us);
        let before = &segments.sorted[from.saturating_sub(OVERLAPPING)..from];
        let mut reached = before.iter().map(|it| (it.end_us(), it.interval_us)).max();
        let mut missing = 0;
        for segment in &segments.sorted[from..to] {
            if let Some((reached_us, interval_us)) = reached {
                missing += (segment.from_us - reached_us).max(0) / interval_us;
            }
            reached = reached.max(Some((segment.end_us(), segment.interval_us)));
        }
        Some(missing)
    }

    /// The gaps that are not settled.
    pub fn gaps(&self) -> Vec<Gap> {
        let of_key = |(symbol, segments): (&String, &Segments)| {
            gaps_between(symbol, &segments.sorted, self.gap_us).collect::<Vec<_>>()
        };
        self.keys.iter().flat_map(of_key).collect()
    }
}

/// Whether a time without rows counts.
fn is_gap(length_us: i64, gap_us: Option<i64>) -> bool {
    length_us > 0 && gap_us.is_none_or(|gap_us| length_us >= gap_us)
}

fn gaps_between(symbol: &str, segments: &[Segment], gap_us: Option<i64>) -> impl Iterator<Item = Gap> {
    let mut reached_us = i64::MAX;
    segments.iter().filter_map(move |segment| {
        let gap = Gap { symbol: symbol.to_owned(), from_us: reached_us, to_us: segment.from_us };
        let is_first = reached_us == i64::MAX;
        reached_us = if is_first { segment.end_us() } else { reached_us.max(segment.end_us()) };
        (!is_first && is_gap(gap.length_us(), gap_us)).then_some(gap)
    })
}

impl Segments {
    /// Rows that follow each other without a gap are noted at once. An error has the number of the time that clashes.
    fn add_all(&mut self, times: &[i64], interval_us: i64, ids: Ids) -> Result<(), (usize, Clash)> {
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return Ok(()) };
        self.add(*first, interval_us, ids).map_err(|clash| (0, clash))?;
        let is_last = self.recent + 1 == self.sorted.len();
        let recent = self.sorted[self.recent];
        if is_last
            && (recent.last_us, recent.interval_us) == (*first, interval_us)
            && times.windows(2).fold(true, |joined, pair| joined & (pair[1] - pair[0] == interval_us))
        {
            self.sorted[self.recent].last_us = *last;
            return Ok(());
        }
        for (at, time_us) in times.iter().enumerate().skip(1) {
            self.add(*time_us, interval_us, ids).map_err(|clash| (at, clash))?;
        }
        Ok(())
    }

    #[inline]
    fn add(&mut self, time_us: i64, interval_us: i64, ids: Ids) -> Result<(), Clash> {
        let is_last = self.recent + 1 == self.sorted.len();
        if let Some(segment) = self.sorted.get_mut(self.recent)
            && segment.interval_us == interval_us
        {
            if time_us == segment.last_us {
                return Ok(());
            }
            if is_last && time_us - segment.last_us == interval_us {
                segment.last_us = time_us;
                return Ok(());
            }
        }
        self.add_anywhere(time_us, interval_us, ids)
    }

    #[cold]
    fn add_anywhere(&mut self, time_us: i64, interval_us: i64, ids: Ids) -> Result<(), Clash> {
        let next = self.sorted.partition_point(|segment| segment.from_us <= time_us);
        let nearest = next.saturating_sub(OVERLAPPING)..next;
        let is_there = |at: &usize| {
            let segment = self.sorted[*at];
            segment.interval_us == interval_us
                && time_us <= segment.last_us
                && (time_us - segment.from_us) % interval_us == 0
        };
        if let Some(there) = nearest.clone().rev().find(is_there) {
            self.recent = there;
            return Ok(());
        }
        self.check(next, time_us, interval_us, ids)?;
        let ends_here = |at: &usize| {
            let segment = self.sorted[*at];
            segment.interval_us == interval_us && segment.end_us() == time_us
        };
        let before = nearest.rev().find(ends_here);
        let after = self.sorted.get(next);
        let after =
            after.filter(|it| it.interval_us == interval_us && it.from_us - time_us == interval_us).copied();
        self.recent = match (before, after) {
            (Some(before), Some(after)) => {
                self.sorted[before].last_us = after.last_us;
                self.sorted.remove(next);
                before
            }
            (Some(before), None) => {
                self.sorted[before].last_us = time_us;
                before
            }
            (None, Some(_)) => {
                self.sorted[next].from_us = time_us;
                next
            }
            (None, None) => {
                self.sorted.insert(next, Segment { from_us: time_us, last_us: time_us, interval_us });
                next
            }
        };
        Ok(())
    }

    /// Whether a new row can stand beside those around it. `next`: the first segment that begins after it.
    fn check(&self, next: usize, time_us: i64, interval_us: i64, ids: Ids) -> Result<(), Clash> {
        if ids == Ids::Unknown {
            return Ok(());
        }
        if ids == Ids::Intervals && self.sorted.first().is_some_and(|first| first.interval_us != interval_us)
        {
            return Err(Clash::Ids);
        }
        let around = &self.sorted[next.saturating_sub(OVERLAPPING)..(next + 1).min(self.sorted.len())];
        for other in
            around.iter().filter(|other| other.from_us < time_us + interval_us && time_us < other.end_us())
        {
            if other.interval_us != interval_us {
                return Err(Clash::Overlap { other_us: other.interval_us });
            }
            // The rows of the segment right before and after.
            let before_us = time_us - (time_us - other.from_us).rem_euclid(interval_us);
            let rows = [before_us, before_us + interval_us];
            let has = |row_us: &&i64| (other.from_us..=other.last_us).contains(*row_us);
            if rows.iter().filter(has).any(|row_us| ids.are_same(*row_us, time_us, interval_us)) {
                return Err(Clash::Ids);
            }
        }
        Ok(())
    }
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

        /// Against every pair of rows.
        #[test]
        fn two_times_of_one_interval_clash_whatever_the_order(times in prop::collection::vec(0i64..60, 1..6), interval in 2i64..9) {
            let mut segments = Segments::default();
            let clashes = times.iter().any(|time| segments.add(*time, interval, Ids::Intervals).is_err());
            let pairs = || times.iter().flat_map(|one| times.iter().map(move |other| (one, other)));
            let same = pairs().any(|(one, other)| one != other && one / interval == other / interval);
            prop_assert_eq!(clashes, same);
        }
    }

    #[test]
    fn two_intervals_stand_side_by_side_but_not_over_each_other() {
        let (minutes, hours) = (1, 60);
        let unit = Ids::Unit { us: 1 };
        let mut segments = Segments::default();
        segments.add_all(&[0, 60, 120], hours, unit).unwrap();
        segments.add_all(&[180, 181], minutes, unit).unwrap();
        assert_eq!(segments.add(121, minutes, unit), Err(Clash::Overlap { other_us: hours }));
        assert_eq!(segments.add(150, hours, unit), Err(Clash::Overlap { other_us: minutes }));
        let mut segments = Segments::default();
        segments.add(0, hours, Ids::Intervals).unwrap();
        assert_eq!(segments.add(600, minutes, Ids::Intervals), Err(Clash::Ids));
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
