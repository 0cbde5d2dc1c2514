//! Sets of event time.

use serde::{Deserialize, Serialize};

/// Stretches `[from, to)` in µs since 1970-01-01 UTC: sorted, none empty, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spans(Vec<(i64, i64)>);

impl Spans {
    pub fn one(from_us: i64, to_us: i64) -> Self {
        [(from_us, to_us)].into_iter().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, i64)> + '_ {
        self.0.iter().copied()
    }

    /// From the first moment to the last.
    pub fn hull(&self) -> Option<(i64, i64)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    pub fn length_us(&self) -> i64 {
        self.0.iter().map(|(from, to)| to - from).sum()
    }

    pub fn contains(&self, from_us: i64, to_us: i64) -> bool {
        let at = self.0.partition_point(|(_, to)| *to < to_us);
        self.0.get(at).is_some_and(|(from, to)| *from <= from_us && to_us <= *to)
    }

    pub fn union(&self, other: &Spans) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    pub fn without(&self, other: &Spans) -> Self {
        let mut left = Vec::new();
        let mut holes = other.0.iter().peekable();
        for &(mut from, to) in &self.0 {
            while let Some(&&(start, end)) = holes.peek() {
                if end <= from {
                    holes.next();
                    continue;
                }
                if start >= to {
                    break;
                }
                if start > from {
                    left.push((from, start));
                }
                from = end;
                if end > to {
                    break;
                }
            }
            if from < to {
                left.push((from, to));
            }
        }
        Self(left)
    }

    /// What lies between two moments.
    pub fn within(&self, from_us: i64, to_us: i64) -> Self {
        self.iter().map(|(from, to)| (from.max(from_us), to.min(to_us))).collect()
    }
}

impl FromIterator<(i64, i64)> for Spans {
    fn from_iter<I: IntoIterator<Item = (i64, i64)>>(spans: I) -> Self {
        let mut spans: Vec<(i64, i64)> = spans.into_iter().filter(|(from, to)| from < to).collect();
        spans.sort_unstable();
        let mut united: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
        for (from, to) in spans {
            match united.last_mut() {
                Some((_, last)) if from <= *last => *last = to.max(*last),
                _ => united.push((from, to)),
            }
        }
        Self(united)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tallow_env::{Random, SeededRandom};

    use super::*;

    fn points(spans: &Spans) -> BTreeSet<i64> {
        spans.iter().flat_map(|(from, to)| from..to).collect()
    }

    /// Against sets of single moments.
    #[test]
    fn sets_of_spans_are_sets_of_their_moments() {
        let random = SeededRandom::new(5);
        let any = || -> Spans {
            (0..random.below(6))
                .map(|_| {
                    let from = random.below(40) as i64;
                    (from, from + random.below(10) as i64)
                })
                .collect()
        };
        for _ in 0..2000 {
            let (a, b) = (any(), any());
            let (left, right) = (points(&a), points(&b));
            assert_eq!(points(&a.union(&b)), &left | &right);
            assert_eq!(points(&a.without(&b)), &left - &right, "{a:?} {b:?}");
            assert_eq!(a.length_us(), left.len() as i64);
            let (from, to) = (random.below(40) as i64, 20 + random.below(30) as i64);
            assert_eq!(
                points(&a.within(from, to)),
                left.iter().copied().filter(|it| (from..to).contains(it)).collect()
            );
            if from < to {
                assert_eq!(
                    a.contains(from, to),
                    (from..to).all(|it| left.contains(&it)),
                    "{a:?} {from} {to}"
                );
            }
            for spans in [a.union(&b), a.without(&b)] {
                assert!(spans.0.windows(2).all(|pair| pair[0].1 < pair[1].0), "{spans:?}");
            }
        }
    }
}
