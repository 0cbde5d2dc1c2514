//! A set of ids that is small both if ids follow each other and if they are scattered: the highest
//! range by itself, which nearly every new id extends, and below it chunks of ids.

use std::collections::BTreeMap;

use rangemap::RangeInclusiveSet;

use crate::chunk::Chunk;
use crate::lower::Lower;

#[derive(Clone, Debug)]
pub struct IdSet {
    /// The highest range; `first > last` when there is none.
    first: i64,
    last: i64,
    /// All ids below it, none of which is next to it. Few keys have any.
    lower: Option<Box<Lower>>,
}

impl Default for IdSet {
    fn default() -> Self {
        IdSet { first: i64::MAX, last: i64::MIN, lower: None }
    }
}

impl IdSet {
    /// A set of what [`IdSet::top`] and [`IdSet::lower`] gave; `None` if they do not belong together.
    pub fn from_parts(
        top: Option<(i64, i64)>,
        whole: RangeInclusiveSet<i64>,
        parts: BTreeMap<i64, Chunk>,
    ) -> Option<IdSet> {
        let lower = Lower::new(whole, parts)?;
        let Some((first, last)) = top else {
            return lower.is_empty().then(IdSet::default);
        };
        let below = lower.last_through(i64::MAX).is_none_or(|highest| highest < first - 1);
        let lower = (!lower.is_empty()).then(|| Box::new(lower));
        below.then_some(IdSet { first, last, lower })
    }

    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }

    /// The highest id.
    pub fn highest(&self) -> Option<i64> {
        (!self.is_empty()).then_some(self.last)
    }

    /// The highest range.
    pub fn top(&self) -> Option<(i64, i64)> {
        (!self.is_empty()).then_some((self.first, self.last))
    }

    /// What is below the highest range.
    pub fn lower(&self) -> Option<&Lower> {
        self.lower.as_deref()
    }

    /// Bytes that all but the highest range takes. It follows from the ids alone: not from the order in
    /// which they came, nor from restarts.
    pub fn bytes(&self) -> u64 {
        self.lower.as_ref().map_or(0, |lower| lower.bytes())
    }

    /// Adds ids of which none is there.
    #[inline]
    pub fn insert(&mut self, first: i64, last: i64) {
        if self.last.wrapping_add(1) == first {
            self.last = last;
        } else {
            self.insert_apart(first, last);
        }
    }

    #[cold]
    fn insert_apart(&mut self, first: i64, last: i64) {
        if first > self.last {
            if !self.is_empty() {
                self.lower.get_or_insert_default().insert(self.first, self.last);
            }
            (self.first, self.last) = (first, last);
        } else if last + 1 == self.first {
            self.first = first;
            self.join();
        } else {
            self.lower.get_or_insert_default().insert(first, last);
        }
    }

    /// Takes the range that ends where the highest one begins into it.
    fn join(&mut self) {
        if let Some(lower) = &mut self.lower
            && lower.contains(self.first - 1)
        {
            self.first = lower.take_range_to(self.first - 1);
            if lower.is_empty() {
                self.lower = None;
            }
        }
    }

    pub fn contains(&self, id: i64) -> bool {
        if id >= self.first {
            id <= self.last
        } else {
            self.lower.as_ref().is_some_and(|lower| lower.contains(id))
        }
    }

    /// How many ids of `first..=last` are there.
    pub fn count_within(&self, first: i64, last: i64) -> u64 {
        if first > last {
            return 0;
        }
        let mut count = self.lower.as_ref().map_or(0, |lower| lower.count_within(first, last));
        if self.first <= last && self.last >= first && !self.is_empty() {
            count += self.last.min(last).abs_diff(self.first.max(first)) + 1;
        }
        count
    }

    /// The smallest id above a given one.
    pub fn next_above(&self, id: i64) -> Option<i64> {
        let lower = || self.lower.as_ref().and_then(|lower| lower.next_from(id + 1));
        let top = || (self.last > id).then(|| self.first.max(id + 1));
        if id < self.first { lower().or_else(top) } else { top() }
    }

    /// The largest id at or below a given one.
    pub fn last_through(&self, id: i64) -> Option<i64> {
        if id >= self.first && !self.is_empty() {
            return Some(id.min(self.last));
        }
        self.lower.as_ref().and_then(|lower| lower.last_through(id))
    }

    /// Forgets every id up to a given one.
    pub fn forget_through(&mut self, id: i64) {
        if self.last <= id {
            *self = IdSet::default();
        } else if self.first <= id {
            (self.first, self.lower) = (id + 1, None);
        } else if let Some(lower) = &mut self.lower {
            lower.forget_through(id);
            if lower.is_empty() {
                self.lower = None;
            }
        }
    }

    /// Forgets every id above a given one.
    pub fn forget_above(&mut self, id: i64) {
        if self.last <= id {
            return;
        }
        let mut kept = IdSet::default();
        for (first, last) in self.ranges().into_iter().take_while(|range| range.0 <= id) {
            kept.insert(first, last.min(id));
        }
        *self = kept;
    }

    /// Forgets the lowest chunks until all but the highest range takes at most so many bytes; the highest id
    /// that was forgotten.
    pub fn shorten(&mut self, most_bytes: u64) -> Option<i64> {
        let lower = self.lower.as_mut()?;
        let mut forgotten = None;
        while lower.bytes() > most_bytes {
            forgotten = lower.forget_lowest().or(forgotten);
        }
        if lower.is_empty() {
            self.lower = None;
        }
        forgotten
    }

    /// All ranges, ascending.
    pub fn ranges(&self) -> Vec<(i64, i64)> {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        let lower = self.lower.iter().flat_map(|lower| lower.ranges());
        for (first, last) in lower.chain(self.top()) {
            match ranges.last_mut() {
                Some(before) if before.1 + 1 == first => before.1 = last,
                _ => ranges.push((first, last)),
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Change {
        /// First id and how many more, one after the other or each second one.
        Insert(i64, i64, bool),
        Forget(i64),
        ForgetAbove(i64),
        Shorten(u64),
    }

    /// Around the borders of chunks, on both sides of zero.
    fn id() -> impl Strategy<Value = i64> {
        (-3i64..4, -40i64..40).prop_map(|(chunk, place)| (chunk << 16) + place)
    }

    fn change() -> impl Strategy<Value = Change> {
        let more = prop_oneof![4 => 0i64..6, 1 => 60_000i64..150_000];
        prop_oneof![
            12 => (id(), more, prop::bool::weighted(0.2)).prop_map(|(first, more, each)| Change::Insert(first, more, each)),
            2 => id().prop_map(Change::Forget),
            1 => id().prop_map(Change::ForgetAbove),
            1 => (0u64..400).prop_map(Change::Shorten),
        ]
    }

    fn apply(ids: &mut IdSet, set: &mut BTreeSet<i64>, change: Change) -> Result<(), TestCaseError> {
        match change {
            Change::Insert(first, more, false) => {
                // Only the ids that are new, as ranges.
                let mut start = None;
                for id in first..=first + more + 1 {
                    match (start, id <= first + more && !set.contains(&id)) {
                        (None, true) => start = Some(id),
                        (Some(from), false) => {
                            ids.insert(from, id - 1);
                            set.extend(from..id);
                            start = None;
                        }
                        _ => {}
                    }
                }
            }
            Change::Insert(first, more, true) => {
                for id in (first..=first + more).step_by(2) {
                    if set.insert(id) {
                        ids.insert(id, id);
                    }
                }
            }
            Change::Forget(id) => {
                ids.forget_through(id);
                set.retain(|&kept| kept > id);
            }
            Change::ForgetAbove(id) => {
                ids.forget_above(id);
                set.retain(|&kept| kept <= id);
            }
            Change::Shorten(most_bytes) => {
                let before = ids.bytes();
                let forgotten = ids.shorten(most_bytes);
                prop_assert_eq!(forgotten.is_some(), before > most_bytes);
                prop_assert!(ids.bytes() <= most_bytes);
                set.retain(|&kept| forgotten.is_none_or(|id| kept > id));
            }
        }
        Ok(())
    }

    /// The same ids put in from the lowest to the highest.
    fn again(ids: &IdSet) -> IdSet {
        let mut again = IdSet::default();
        ids.ranges().into_iter().for_each(|(first, last)| again.insert(first, last));
        again
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

        #[test]
        fn ids_are_a_set_however_they_came(
            changes in prop::collection::vec(change(), 0..25), probes in prop::collection::vec((id(), id()), 30),
        ) {
            let (mut ids, mut set) = (IdSet::default(), BTreeSet::new());
            for change in changes {
                apply(&mut ids, &mut set, change)?;
                let ranges = ids.ranges();
                prop_assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "adjacent ranges are joined");
                prop_assert_eq!(ids.top(), ranges.last().copied(), "the highest range is whole");
                prop_assert_eq!(ids.bytes(), again(&ids).bytes(), "bytes follow from the ids alone");
                prop_assert_eq!(ids.highest(), set.last().copied());
            }
            prop_assert!(ids.ranges().into_iter().flat_map(|(first, last)| first..=last).eq(set.iter().copied()));
            for (probe, other) in probes {
                prop_assert_eq!(ids.contains(probe), set.contains(&probe));
                prop_assert_eq!(ids.next_above(probe), set.range(probe + 1..).next().copied());
                prop_assert_eq!(ids.last_through(probe), set.range(..=probe).next_back().copied());
                let within = if probe > other { 0 } else { set.range(probe..=other).count() as u64 };
                prop_assert_eq!(ids.count_within(probe, other), within);
            }
        }
    }

    #[test]
    fn scattered_ids_take_little_and_ranges_nothing() {
        let mut each_second = IdSet::default();
        (0..1_000_000).for_each(|index| each_second.insert(2 * index, 2 * index));
        assert_eq!(each_second.bytes(), 31 * (64 + 8192), "two bits an id");
        let mut each_hundredth = IdSet::default();
        (0..1_000_000).for_each(|index| each_hundredth.insert(100 * index, 100 * index));
        assert!(each_hundredth.bytes() < 4_200_000, "{} bytes: some four an id", each_hundredth.bytes());
        (0..1_000_000).for_each(|index| each_second.insert(2 * index + 1, 2 * index + 1));
        assert_eq!((each_second.bytes(), each_second.top()), (0, Some((0, 1_999_999))));
        let mut far = IdSet::default();
        far.insert(0, 1 << 60);
        far.insert((1 << 60) + 2, (1 << 60) + 2);
        assert_eq!(far.bytes(), 64 + 64 + 4, "a range of any length is one");
    }
}
