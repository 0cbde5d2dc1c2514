//! Stretches of event time.

use crate::Span;

/// A span widened to whole steps of `step_us`, counted from 1970-01-01.
pub fn aligned(span: Span, step_us: i64) -> Span {
    let up = span.to_us.saturating_add(step_us - 1);
    Span::new(span.from_us.div_euclid(step_us) * step_us, up.div_euclid(step_us) * step_us)
}

/// The spans of `wanted` without those of `without`: sorted, apart from each other, none empty.
pub fn subtract(wanted: &[Span], without: &[Span]) -> Vec<Span> {
    let without = united(without);
    let mut left = Vec::new();
    for mut span in united(wanted) {
        let end_us = span.to_us;
        for hole in without.iter().filter(|hole| hole.from_us < end_us) {
            if hole.to_us <= span.from_us {
                continue;
            }
            if hole.from_us > span.from_us {
                left.push(Span::new(span.from_us, hole.from_us));
            }
            span.from_us = hole.to_us;
        }
        if span.from_us < span.to_us {
            left.push(span);
        }
    }
    left
}

/// Sorted, with those that touch or overlap put together.
pub fn united(spans: &[Span]) -> Vec<Span> {
    let mut spans: Vec<Span> = spans.iter().filter(|span| span.from_us < span.to_us).copied().collect();
    spans.sort_unstable();
    let mut united: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match united.last_mut() {
            Some(last) if span.from_us <= last.to_us => last.to_us = last.to_us.max(span.to_us),
            _ => united.push(span),
        }
    }
    united
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(all: &[(i64, i64)]) -> Vec<Span> {
        all.iter().map(|&(from, to)| Span::new(from, to)).collect()
    }

    #[test]
    fn what_is_left_is_apart_and_in_order() {
        for (wanted, without, left) in [
            (&[(0, 10)][..], &[][..], &[(0, 10)][..]),
            (&[(0, 10)], &[(0, 10)], &[]),
            (&[(0, 10)], &[(3, 5)], &[(0, 3), (5, 10)]),
            (&[(0, 10)], &[(-5, 2), (8, 20)], &[(2, 8)]),
            (&[(0, 10)], &[(2, 4), (3, 6)], &[(0, 2), (6, 10)]),
            (&[(20, 30), (0, 10), (10, 12)], &[(5, 25)], &[(0, 5), (25, 30)]),
            (&[(0, 10)], &[(10, 20)], &[(0, 10)]),
            (&[(5, 5), (7, 6)], &[], &[]),
        ] {
            assert_eq!(subtract(&spans(wanted), &spans(without)), spans(left), "{wanted:?} {without:?}");
        }
    }

    #[test]
    fn alignment_widens_and_never_narrows() {
        assert_eq!(aligned(Span::new(61, 119), 60), Span::new(60, 120));
        assert_eq!(aligned(Span::new(60, 120), 60), Span::new(60, 120));
        assert_eq!(aligned(Span::new(-1, 1), 60), Span::new(-60, 60));
    }
}
