//! Sets of numbers as ranges: short as long as few numbers are missing.

use std::collections::BTreeMap;

/// Sorted disjoint ranges of ids, adjacent ones joined.
#[derive(Clone, Debug)]
pub struct Ranges {
    /// First to last id of every range but the highest.
    lower: BTreeMap<i64, i64>,
    /// The highest range, which nearly every new id extends; `first > last` when there is none.
    first: i64,
    last: i64,
}

impl Default for Ranges {
    fn default() -> Self {
        Ranges { lower: BTreeMap::new(), first: i64::MAX, last: i64::MIN }
    }
}

impl Ranges {
    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }

    pub fn len(&self) -> usize {
        self.lower.len() + usize::from(!self.is_empty())
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
    fn insert_apart(&mut self, mut first: i64, mut last: i64) {
        if first > self.last {
            if !self.is_empty() {
                self.lower.insert(self.first, self.last);
            }
            (self.first, self.last) = (first, last);
            return;
        }
        if let Some((&before, &end)) = self.lower.range(..first).next_back()
            && end + 1 == first
        {
            self.lower.remove(&before);
            first = before;
        }
        if last + 1 == self.first {
            self.first = first;
            return;
        }
        if let Some(end) = self.lower.remove(&(last + 1)) {
            last = end;
        }
        self.lower.insert(first, last);
    }

    pub fn iter(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        let highest = (!self.is_empty()).then_some((self.first, self.last));
        self.lower.iter().map(|(&first, &last)| (first, last)).chain(highest)
    }

    /// How many ids of `first..=last` are there.
    pub fn count_within(&self, first: i64, last: i64) -> u64 {
        if first > last {
            return 0;
        }
        let mut count = 0;
        for (from, to) in self.lower.range(..=last).rev().map(|(&from, &to)| (from, to)) {
            if to < first {
                break;
            }
            count += to.min(last).abs_diff(from.max(first)) + 1;
        }
        if self.first <= last && self.last >= first && !self.is_empty() {
            count += self.last.min(last).abs_diff(self.first.max(first)) + 1;
        }
        count
    }

    /// The smallest id above a given one.
    pub fn next_above(&self, id: i64) -> Option<i64> {
        let within = |(first, last): (i64, i64)| (last > id).then(|| first.max(id + 1));
        let below = self.lower.range(..=id).next_back().map(|(&first, &last)| (first, last));
        let above = self.lower.range(id.saturating_add(1)..).next().map(|(&first, &last)| (first, last));
        let highest = (!self.is_empty()).then_some((self.first, self.last));
        below.and_then(within).or_else(|| above.or(highest).and_then(within))
    }

    /// Forgets every id up to a given one.
    pub fn forget_through(&mut self, id: i64) {
        while let Some((&first, &last)) = self.lower.first_key_value() {
            if first > id {
                return;
            }
            self.lower.remove(&first);
            if last > id {
                self.lower.insert(id + 1, last);
                return;
            }
        }
        if self.last <= id {
            *self = Ranges::default();
        } else if self.first <= id {
            self.first = id + 1;
        }
    }

    /// The range that a number is in.
    fn range_of(&self, number: i64) -> Option<(i64, i64)> {
        let lower = || self.lower.range(..=number).next_back().map(|(&first, &last)| (first, last));
        let range = if number >= self.first { Some((self.first, self.last)) } else { lower() };
        range.filter(|&(_, last)| number <= last)
    }

    pub fn contains(&self, number: i64) -> bool {
        self.range_of(number).is_some()
    }

    /// First number of the range that a number is in.
    pub fn start_of(&self, number: i64) -> Option<i64> {
        self.range_of(number).map(|(first, _)| first)
    }

    /// The largest number at or below a given one.
    pub fn last_through(&self, number: i64) -> Option<i64> {
        if number >= self.first {
            return Some(number.min(self.last));
        }
        self.lower.range(..=number).next_back().map(|(_, &last)| last.min(number))
    }

    /// Removes numbers that are in one range.
    pub fn remove(&mut self, first: i64, last: i64) {
        let Some((from, to)) = self.range_of(first) else { return };
        let highest = from == self.first;
        if highest {
            (self.first, self.last) = (i64::MAX, i64::MIN);
        } else {
            self.lower.remove(&from);
        }
        if from < first {
            self.lower.insert(from, first - 1);
        }
        if last < to {
            self.lower.insert(last + 1, to);
        }
        if highest && let Some((first, last)) = self.lower.pop_last() {
            (self.first, self.last) = (first, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Change {
        Insert(i64, i64),
        Forget(i64),
        Remove(i64, i64),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            10 => (-30i64..30, 0i64..4).prop_map(|(first, more)| Change::Insert(first, first + more)),
            1 => (-40i64..40).prop_map(Change::Forget),
            2 => (-30i64..30, 0i64..3).prop_map(|(first, more)| Change::Remove(first, first + more)),
        ]
    }

    proptest! {
        #[test]
        fn ranges_are_a_set_of_ids(changes in prop::collection::vec(change(), 0..40), first in -40i64..40, more in 0i64..20) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for change in changes {
                match change {
                    Change::Insert(first, last) => {
                        if (first..=last).all(|id| !set.contains(&id)) {
                            ranges.insert(first, last);
                            set.extend(first..=last);
                        }
                    }
                    Change::Forget(id) => {
                        ranges.forget_through(id);
                        set.retain(|&kept| kept > id);
                    }
                    Change::Remove(first, last) => {
                        if (first..=last).all(|id| set.contains(&id)) {
                            ranges.remove(first, last);
                            set.retain(|&kept| kept < first || kept > last);
                        }
                    }
                }
                let listed: Vec<i64> = ranges.iter().flat_map(|(first, last)| first..=last).collect();
                prop_assert_eq!(&listed, &set.iter().copied().collect::<Vec<_>>());
                let apart = ranges.iter().zip(ranges.iter().skip(1)).all(|(left, right)| left.1 + 1 < right.0);
                prop_assert!(apart, "adjacent ranges are joined");
            }
            let within = set.range(first..=first + more).count() as u64;
            prop_assert_eq!(ranges.count_within(first, first + more), within);
            prop_assert_eq!(ranges.next_above(first), set.range(first + 1..).next().copied());
            prop_assert_eq!(ranges.last_through(first), set.range(..=first).next_back().copied());
            prop_assert_eq!(ranges.contains(first), set.contains(&first));
            let start = ranges.start_of(first);
            prop_assert_eq!(start.is_some(), set.contains(&first));
            prop_assert!(start.is_none_or(|start| (start..=first).all(|id| set.contains(&id)) && !set.contains(&(start - 1))));
        }
    }
}
