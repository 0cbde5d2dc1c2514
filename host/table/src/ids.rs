//! What trade ids prove: where the ids of two windows follow each other, nothing was traded between them.

/// The first and the last id of a window's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    pub first: i64,
    pub last: i64,
}

impl Ids {
    /// Of two revisions of a window.
    pub fn union(self, other: Ids) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// A window whose ids are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub start_us: i64,
    pub end_us: i64,
    pub ids: Ids,
}

/// The spans `[from, to)` between windows whose ids follow each other. `windows`: by time, each once.
pub fn empty_spans(windows: impl IntoIterator<Item = Known>) -> Vec<(i64, i64)> {
    let mut windows = windows.into_iter();
    let Some(mut before) = windows.next() else { return Vec::new() };
    let mut spans = Vec::new();
    for after in windows {
        let follows = before.ids.last.checked_add(1) == Some(after.ids.first);
        if follows && before.end_us < after.start_us {
            spans.push((before.end_us, after.start_us));
        }
        before = after;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_follow_each_other_prove_a_span_empty() {
        type Case<'a> = (&'a str, &'a [(i64, i64, i64)], &'a [(i64, i64)]);
        // Start, first and last id of windows of 10 µs.
        let table: &[Case] = &[
            ("nothing is known", &[], &[]),
            ("one window", &[(0, 1, 9)], &[]),
            ("neighbours", &[(0, 1, 9), (10, 10, 12)], &[]),
            ("a quiet time", &[(0, 1, 9), (50, 10, 12)], &[(10, 50)]),
            ("trades are missing", &[(0, 1, 9), (50, 11, 12)], &[]),
            ("ids jump back", &[(0, 1, 9), (50, 3, 12)], &[]),
            ("the same id again", &[(0, 1, 9), (50, 9, 12)], &[]),
            (
                "two quiet times, and one that is not known",
                &[(0, 1, 1), (20, 2, 3), (40, 5, 5), (90, 6, 6)],
                &[(10, 20), (50, 90)],
            ),
            ("the last id that there is", &[(0, 1, i64::MAX), (20, i64::MIN, 0)], &[]),
        ];
        for (what, windows, expected) in table {
            let known = windows.iter().map(|&(start_us, first, last)| Known {
                start_us,
                end_us: start_us + 10,
                ids: Ids { first, last },
            });
            assert_eq!(empty_spans(known), *expected, "{what}");
        }
    }

    #[test]
    fn revisions_of_a_window_have_their_ids_together() {
        let (one, two) = (Ids { first: 5, last: 9 }, Ids { first: 4, last: 8 });
        assert_eq!(one.union(two), Ids { first: 4, last: 9 });
    }
}
