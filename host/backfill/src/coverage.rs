//! Which windows of a symbol are to be fetched. Facts in, decision out.

use std::collections::BTreeMap;

use tallow_table::ids::{Ids, Known, empty_spans};

use super::Spans;

/// What the tables say of one window, all its revisions together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether some revision lacks nothing, as far as can be known.
    pub whole: bool,
    /// The stream's first and last trade id in it, where it knows ids.
    pub ids: Option<Ids>,
    /// The newest revision.
    pub revision: i64,
}

impl Seen {
    pub fn merge(&mut self, other: Seen) {
        self.whole |= other.whole;
        self.ids = match (self.ids, other.ids) {
            (Some(ids), Some(more)) => Some(ids.union(more)),
            (ids, more) => ids.or(more),
        };
        self.revision = self.revision.max(other.revision);
    }
}

/// Windows by their start, µs.
pub type Windows = BTreeMap<i64, Seen>;

/// Where windows of one definition begin: `offset_us` and all multiples of `size_us` from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub size_us: i64,
    pub offset_us: i64,
}

impl Grid {
    /// The start of the window that a moment is in.
    pub fn floor(&self, time_us: i64) -> i64 {
        time_us - (time_us - self.offset_us).rem_euclid(self.size_us)
    }

    /// The first start at or after a moment.
    pub fn ceil(&self, time_us: i64) -> i64 {
        self.floor(time_us + self.size_us - 1)
    }

    pub fn is_start(&self, time_us: i64) -> bool {
        self.floor(time_us) == time_us
    }

    /// The windows that lie in the spans as a whole.
    pub fn whole(&self, spans: &Spans) -> Spans {
        spans.iter().map(|(from, to)| (self.ceil(from), self.floor(to))).collect()
    }

    /// The windows that the spans touch.
    pub fn touched(&self, spans: &Spans) -> Spans {
        spans.iter().map(|(from, to)| (self.floor(from), self.ceil(to))).collect()
    }
}

/// Where nothing was traded, as the ids on both sides prove.
pub fn empty(grid: Grid, windows: &Windows) -> Spans {
    let known = windows.iter().filter_map(|(&start_us, seen)| {
        Some(Known { start_us, end_us: start_us + grid.size_us, ids: seen.ids? })
    });
    empty_spans(known).into_iter().collect()
}

/// The windows between two moments that are not there, or not whole. `known`: spans in which nothing is to be
/// fetched, such as those that are [`empty`] or that the exchange has nothing for; only windows that lie in them as a whole count.
pub fn needed(grid: Grid, windows: &Windows, (from_us, to_us): (i64, i64), known: &Spans) -> Spans {
    let (from_us, to_us) = (grid.ceil(from_us), grid.floor(to_us));
    if from_us >= to_us {
        return Spans::default();
    }
    let mut spans = Vec::new();
    let mut next = from_us;
    for (&start, seen) in windows.range(from_us..to_us) {
        if start > next {
            spans.push((next, start));
        }
        if !seen.whole {
            spans.push((start, start + grid.size_us));
        }
        next = start + grid.size_us;
    }
    if next < to_us {
        spans.push((next, to_us));
    }
    let spans: Spans = spans.into_iter().collect();
    spans.without(&grid.whole(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { size_us: 10, offset_us: 0 };

    /// Start, whether it is whole, first and last id.
    type Row = (i64, bool, Option<(i64, i64)>);

    fn windows(rows: &[Row]) -> Windows {
        let seen = |&(start, whole, ids): &Row| {
            let ids = ids.map(|(first, last)| Ids { first, last });
            (start, Seen { whole, ids, revision: 0 })
        };
        rows.iter().map(seen).collect()
    }

    fn spans(spans: &[(i64, i64)]) -> Spans {
        spans.iter().copied().collect()
    }

    #[test]
    fn windows_that_are_missing_or_incomplete_are_needed_and_no_others() {
        type Case<'a> = (&'a str, &'a [Row], &'a [(i64, i64)], &'a [(i64, i64)]);
        let table: &[Case] = &[
            ("nothing is there", &[], &[], &[(0, 100)]),
            ("all is known", &[], &[(0, 100)], &[]),
            ("whole windows", &[(0, true, None), (10, true, None), (20, true, None)], &[], &[(30, 100)]),
            (
                "an incomplete one",
                &[
                    (0, true, Some((1, 2))),
                    (10, false, Some((3, 5))),
                    (20, true, Some((6, 6))),
                    (90, true, Some((7, 9))),
                ],
                &[],
                &[(10, 20)],
            ),
            (
                "a hole that the ids know of",
                &[(0, true, Some((1, 2))), (50, false, Some((4, 5))), (90, true, Some((6, 7)))],
                &[],
                &[(10, 60)],
            ),
            (
                "minutes without a trade",
                &[(0, true, Some((1, 2))), (50, true, Some((3, 5))), (90, true, Some((6, 7)))],
                &[],
                &[],
            ),
            (
                "minutes without a trade before one that lacks some",
                &[(0, true, Some((1, 2))), (50, false, Some((3, 5))), (90, true, Some((6, 7)))],
                &[],
                &[(50, 60)],
            ),
            (
                "a table that knows no ids",
                &[(0, true, None), (50, true, None), (90, true, None)],
                &[],
                &[(10, 50), (60, 90)],
            ),
            (
                "a whole window before which the rows of others are gone",
                &[(0, true, Some((1, 2))), (50, true, Some((8, 9))), (90, true, Some((10, 11)))],
                &[],
                &[(10, 50)],
            ),
            (
                "the window after the end knows",
                &[(0, true, Some((1, 2))), (120, true, Some((3, 3)))],
                &[],
                &[],
            ),
            (
                "the window after the end knows of a hole",
                &[(0, true, Some((1, 2))), (120, false, Some((4, 4)))],
                &[],
                &[(10, 100)],
            ),
            ("an outage", &[(0, true, None)], &[(30, 60)], &[(10, 30), (60, 100)]),
            ("an outage of half a window", &[(0, true, None)], &[(35, 55)], &[(10, 40), (50, 100)]),
        ];
        for (what, rows, known, wanted) in table {
            let rows = windows(rows);
            let found = needed(GRID, &rows, (0, 100), &spans(known).union(&empty(GRID, &rows)));
            assert_eq!(found, spans(wanted), "{what}");
        }
    }

    #[test]
    fn only_windows_that_lie_between_the_moments_as_a_whole_are_needed() {
        assert_eq!(needed(GRID, &Windows::new(), (-15, 26), &Spans::default()), spans(&[(-10, 20)]));
        assert_eq!(needed(GRID, &Windows::new(), (1, 9), &Spans::default()), Spans::default());
        let shifted = Grid { size_us: 10, offset_us: 3 };
        assert_eq!(needed(shifted, &Windows::new(), (0, 30), &Spans::default()), spans(&[(3, 23)]));
    }
}
