//! Pages: the fewest stretches, each no longer than an exchange gives at once, that hold every bar that is missing.

use crate::Span;
use crate::span::{aligned, subtract};

/// Pages of at most `bars` bars for what is in `wanted` and not in `covered`. A page begins and ends with a bar
/// that is missing; what lies between is asked along with them, which costs nothing.
pub fn pages(wanted: &[Span], covered: &[Span], interval_us: i64, bars: u32) -> Vec<Span> {
    let longest_us = interval_us.saturating_mul(i64::from(bars));
    let whole: Vec<Span> =
        subtract(wanted, covered).iter().map(|missing| aligned(*missing, interval_us)).collect();
    let mut pages: Vec<Span> = Vec::new();
    for missing in subtract(&whole, &[]) {
        let mut from_us = missing.from_us;
        while from_us < missing.to_us {
            match pages.last_mut() {
                Some(page) if from_us - page.from_us < longest_us => {
                    page.to_us = missing.to_us.min(page.from_us.saturating_add(longest_us));
                }
                _ => pages.push(Span::new(from_us, missing.to_us.min(from_us.saturating_add(longest_us)))),
            }
            from_us = pages.last().map_or(missing.to_us, |page| page.to_us);
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: i64 = 60_000_000;

    fn of(wanted: &[(i64, i64)], covered: &[(i64, i64)], bars: u32) -> Vec<(i64, i64)> {
        let spans = |all: &[(i64, i64)]| -> Vec<Span> {
            all.iter().map(|&(from, to)| Span::new(from * M, to * M)).collect()
        };
        let pages = pages(&spans(wanted), &spans(covered), M, bars);
        pages.iter().map(|page| (page.from_us / M, page.to_us / M)).collect()
    }

    #[test]
    fn a_long_stretch_is_cut_into_full_pages_and_a_rest() {
        assert_eq!(of(&[(0, 2500)], &[], 1000), [(0, 1000), (1000, 2000), (2000, 2500)]);
        assert_eq!(of(&[(0, 1000)], &[], 1000), [(0, 1000)]);
        assert_eq!(of(&[], &[], 1000), []);
        assert_eq!(of(&[(0, 10)], &[(0, 10)], 1000), []);
    }

    #[test]
    fn small_holes_that_lie_near_each_other_share_a_page() {
        assert_eq!(of(&[(0, 5), (100, 101), (990, 1010)], &[], 1000), [(0, 1000), (1000, 1010)]);
        assert_eq!(of(&[(0, 5), (1000, 1001)], &[], 1000), [(0, 5), (1000, 1001)]);
        assert_eq!(of(&[(0, 1500)], &[(3, 1400)], 300), [(0, 3), (1400, 1500)]);
    }

    #[test]
    fn a_part_of_a_bar_asks_for_the_whole_bar() {
        let part = [Span::new(M + 1, M + 2)];
        assert_eq!(pages(&part, &[], M, 10), [Span::new(M, 2 * M)]);
    }
}
