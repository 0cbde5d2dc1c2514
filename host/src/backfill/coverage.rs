//! Which windows of a symbol are to be fetched. Facts in, decision out.

use std::collections::BTreeMap;

use super::Spans;

/// What the tables say of one window, all its revisions together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether some revision lacks nothing, as far as can be known.
    pub whole: bool,
    /// Whether the stream has seen by the ids that nothing is missing up to its first row either. Then windows
    /// without a row before it are empty, not missing.
    pub continuous: bool,
    /// The newest revision.
    pub revision: i64,
}

impl Seen {
    pub fn merge(&mut self, other: Seen) {
        self.whole |= other.whole;
        self.continuous |= other.continuous;
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

/// The windows between two moments that are not there, or not whole. `known`: spans in which nothing is to be
/// fetched, such as those that the exchange has nothing for; only windows that lie in them as a whole count.
pub fn needed(grid: Grid, windows: &Windows, (from_us, to_us): (i64, i64), known: &Spans) -> Spans {
    let (from_us, to_us) = (grid.ceil(from_us), grid.floor(to_us));
    if from_us >= to_us {
        return Spans::default();
    }
    let mut spans = Vec::new();
    let mut next = from_us;
    for (&start, seen) in windows.range(from_us..to_us) {
        if start > next && !seen.continuous {
            spans.push((next, start));
        }
        if !seen.whole {
            spans.push((start, start + grid.size_us));
        }
        next = start + grid.size_us;
    }
    let after = windows.range(to_us..).next();
    if next < to_us && !after.is_some_and(|(_, seen)| seen.continuous) {
        spans.push((next, to_us));
    }
    let spans: Spans = spans.into_iter().collect();
    spans.without(&grid.whole(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { size_us: 10, offset_us: 0 };

    fn windows(rows: &[(i64, bool, bool)]) -> Windows {
        let seen = |&(start, whole, continuous)| (start, Seen { whole, continuous, revision: 0 });
        rows.iter().map(seen).collect()
    }

    fn spans(spans: &[(i64, i64)]) -> Spans {
        spans.iter().copied().collect()
    }

    #[test]
    fn windows_that_are_missing_or_incomplete_are_needed_and_no_others() {
        type Case<'a> = (&'a str, &'a [(i64, bool, bool)], &'a [(i64, i64)], &'a [(i64, i64)]);
        let table: &[Case] = &[
            ("nothing is there", &[], &[], &[(0, 100)]),
            ("all is known", &[], &[(0, 100)], &[]),
            ("whole windows", &[(0, true, false), (10, true, true), (20, true, true)], &[], &[(30, 100)]),
            (
                "an incomplete one",
                &[(0, true, false), (10, false, false), (20, true, true), (90, true, true)],
                &[],
                &[(10, 20)],
            ),
            (
                "a hole that the next window knows of",
                &[(0, true, true), (50, false, false), (90, true, true)],
                &[],
                &[(10, 60)],
            ),
            ("minutes without a trade", &[(0, true, true), (50, true, true), (90, true, true)], &[], &[]),
            (
                "a table that knows no ids",
                &[(0, true, false), (50, true, false), (90, true, false)],
                &[],
                &[(10, 50), (60, 90)],
            ),
            ("the window after the end knows", &[(0, true, true), (120, true, true)], &[], &[]),
            ("the window after the end does not", &[(0, true, true), (120, false, false)], &[], &[(10, 100)]),
            ("an outage", &[(0, true, true)], &[(30, 60)], &[(10, 30), (60, 100)]),
            ("an outage of half a window", &[(0, true, true)], &[(35, 55)], &[(10, 40), (50, 100)]),
        ];
        for (what, rows, known, wanted) in table {
            let found = needed(GRID, &windows(rows), (0, 100), &spans(known));
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
