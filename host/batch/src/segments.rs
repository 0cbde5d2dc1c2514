//! The times of one key's rows, as segments in which each row follows the one before at once.

use serde::{Deserialize, Serialize};

use crate::ids::Ids;

/// Segments before a time that are looked at: more than that only overlap where rows of many grids do.
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

    /// Whether there is a row at that time.
    fn has(&self, time_us: i64) -> bool {
        (self.from_us..=self.last_us).contains(&time_us) && (time_us - self.from_us) % self.interval_us == 0
    }
}

/// Why a row cannot be taken in beside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// Its id is that of a row of another time, or counts something else: ids have to count something smaller.
    Ids,
    /// It is for a time that rows of another interval are for.
    Overlap { other_us: i64 },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Segments {
    /// Where those began that are settled and gone; `None` if none are.
    settled_from_us: Option<i64>,
    /// Sorted by their beginnings.
    sorted: Vec<Segment>,
    /// The one that the last row went to: the next one mostly goes there too.
    recent: usize,
}

/// What is known of the times.
impl Segments {
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    pub fn size_bytes(&self) -> u64 {
        size_of_val(self.sorted.as_slice()) as u64
    }

    /// From the first row to where the last one ends; `None` without rows.
    pub fn span_us(&self) -> Option<(i64, i64)> {
        let from_us = self.settled_from_us.unwrap_or(self.sorted.first()?.from_us);
        let end_us = self.sorted.iter().rev().take(OVERLAPPING).map(Segment::end_us).max()?;
        Some((from_us, end_us))
    }

    /// Forgets what lies before a moment that no further row is before, and gives the gaps that ended by then.
    pub fn settle(&mut self, before_us: i64, gap_us: Option<i64>) -> Vec<(i64, i64)> {
        let ended = self.sorted.partition_point(|segment| segment.from_us <= before_us);
        let Some(done) = ended.checked_sub(1).filter(|done| *done > 0) else { return Vec::new() };
        let gaps = gaps_between(&self.sorted[..ended], gap_us);
        self.settled_from_us.get_or_insert(self.sorted[0].from_us);
        // The one that reaches furthest may have begun before others.
        let kept = (0..ended).max_by_key(|at| (self.sorted[*at].end_us(), *at)).unwrap_or(done);
        self.sorted.swap(kept, done);
        self.sorted.drain(..done);
        self.recent = self.recent.saturating_sub(done);
        gaps
    }

    /// The gaps that are not settled, each from its begin to its end.
    pub fn gaps(&self, gap_us: Option<i64>) -> Vec<(i64, i64)> {
        gaps_between(&self.sorted, gap_us)
    }

    /// Whether there is no gap in a window, and the rows reach over both its ends.
    pub fn cover(&self, start_us: i64, end_us: i64, gap_us: Option<i64>) -> bool {
        let next = self.sorted.partition_point(|segment| segment.from_us <= start_us);
        let before = &self.sorted[next.saturating_sub(OVERLAPPING)..next];
        let Some(mut reached_us) = before.iter().map(Segment::end_us).max() else { return false };
        for segment in &self.sorted[next..] {
            if reached_us >= end_us {
                break;
            }
            if is_gap(segment.from_us - reached_us, gap_us) {
                return false;
            }
            reached_us = reached_us.max(segment.end_us());
        }
        reached_us >= end_us
    }

    /// How many intervals are missing in a window and before its first row.
    pub fn missing(&self, start_us: i64, end_us: i64) -> i64 {
        let from = self.sorted.partition_point(|segment| segment.from_us < start_us);
        let to = self.sorted.partition_point(|segment| segment.from_us < end_us);
        let before = &self.sorted[from.saturating_sub(OVERLAPPING)..from];
        let mut reached = before.iter().map(|it| (it.end_us(), it.interval_us)).max();
        let mut missing = 0;
        for segment in &self.sorted[from..to] {
            if let Some((reached_us, interval_us)) = reached {
                missing += (segment.from_us - reached_us).max(0) / interval_us;
            }
            reached = reached.max(Some((segment.end_us(), segment.interval_us)));
        }
        missing
    }
}

/// Whether a time without rows counts.
fn is_gap(length_us: i64, gap_us: Option<i64>) -> bool {
    length_us > 0 && gap_us.is_none_or(|gap_us| length_us >= gap_us)
}

fn gaps_between(segments: &[Segment], gap_us: Option<i64>) -> Vec<(i64, i64)> {
    let Some((first, others)) = segments.split_first() else { return Vec::new() };
    let mut reached_us = first.end_us();
    let gap = |segment: &Segment| {
        let gap = (reached_us, segment.from_us);
        reached_us = reached_us.max(segment.end_us());
        is_gap(gap.1 - gap.0, gap_us).then_some(gap)
    };
    others.iter().filter_map(gap).collect()
}

/// Taking rows in.
impl Segments {
    /// Rows that follow each other without a gap are noted at once. An error has the number of the time that clashes.
    pub fn add_all(&mut self, times: &[i64], interval_us: i64, ids: Ids) -> Result<(), (usize, Clash)> {
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
    pub fn add(&mut self, time_us: i64, interval_us: i64, ids: Ids) -> Result<(), Clash> {
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
        let is_there =
            |at: &usize| self.sorted[*at].interval_us == interval_us && self.sorted[*at].has(time_us);
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
        self.recent = before.unwrap_or(next);
        match (before, after) {
            (Some(before), Some(after)) => {
                self.sorted[before].last_us = after.last_us;
                self.sorted.remove(next);
            }
            (Some(before), None) => self.sorted[before].last_us = time_us,
            (None, Some(_)) => self.sorted[next].from_us = time_us,
            (None, None) => {
                self.sorted.insert(next, Segment { from_us: time_us, last_us: time_us, interval_us });
            }
        }
        Ok(())
    }

    /// Whether a new row can be beside those around it. `next`: the first segment that begins after it.
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
            let mut rows =
                [before_us, before_us + interval_us].into_iter().filter(|row_us| other.has(*row_us));
            if rows.any(|row_us| ids.are_same(row_us, time_us, interval_us)) {
                return Err(Clash::Ids);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

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
    fn two_intervals_are_side_by_side_but_never_overlap() {
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
}
