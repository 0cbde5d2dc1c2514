//! What is needed of a symbol, cut into slices of whole windows: each is fetched, computed and committed as one.

use super::Spans;
use super::coverage::Grid;

/// Bars in a slice, unless one window alone has more: what a kill may cost.
const CHUNK_BARS: i64 = 10_080;

/// Windows of some definitions that are computed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// All that has to be fetched.
    pub fetch: Spans,
    /// By definition: the windows that are published.
    pub windows: Vec<Spans>,
}

/// Cuts the windows that are needed, by definition, so that no window lies in two slices.
pub fn chunks(grids: &[Grid], needed: &[Spans], interval_us: i64) -> Vec<Chunk> {
    let longest_us = interval_us.saturating_mul(CHUNK_BARS);
    let all: Spans = needed.iter().flat_map(Spans::iter).collect();
    let Some((mut from_us, end_us)) = all.hull() else { return Vec::new() };
    let mut chunks = Vec::new();
    while from_us < end_us {
        let to_us = cut(grids, needed, from_us.saturating_add(longest_us).min(end_us)).min(end_us);
        let windows: Vec<Spans> = needed.iter().map(|spans| spans.within(from_us, to_us)).collect();
        let fetch = all.within(from_us, to_us);
        if !fetch.is_empty() {
            chunks.push(Chunk { fetch, windows });
        }
        let left = all.iter().find(|(_, to)| *to > to_us);
        from_us = left.map_or(end_us, |(from, _)| from.max(to_us));
    }
    chunks
}

/// The first moment from `time_us` on that lies inside of no window that is needed.
fn cut(grids: &[Grid], needed: &[Spans], mut time_us: i64) -> i64 {
    loop {
        let inside = grids.iter().zip(needed).filter(|(grid, spans)| {
            !grid.is_start(time_us) && spans.contains(grid.floor(time_us), grid.floor(time_us) + grid.size_us)
        });
        match inside.map(|(grid, _)| grid.floor(time_us) + grid.size_us).max() {
            None => return time_us,
            Some(end_us) => time_us = end_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: i64 = 60_000_000;
    const DAY: i64 = 1440;

    fn grid(minutes: i64) -> Grid {
        Grid { size_us: minutes * M, offset_us: 0 }
    }

    fn minutes(spans: &[(i64, i64)]) -> Spans {
        spans.iter().map(|&(from, to)| (from * M, to * M)).collect()
    }

    fn cut_into(grids: &[Grid], needed: &[Spans]) -> Vec<Vec<(i64, i64)>> {
        let chunks = chunks(grids, needed, M);
        for (index, spans) in needed.iter().enumerate() {
            let again: Spans = chunks.iter().flat_map(|chunk| chunk.windows[index].iter()).collect();
            assert_eq!(again, *spans, "nothing is lost");
        }
        chunks.iter().map(|chunk| chunk.fetch.iter().map(|(from, to)| (from / M, to / M)).collect()).collect()
    }

    #[test]
    fn a_long_gap_is_cut_at_days_where_days_are_needed() {
        let days = minutes(&[(0, 79 * DAY)]);
        let chunks = cut_into(&[grid(1), grid(DAY)], &[days.clone(), days]);
        assert_eq!(chunks.len(), 12);
        assert!(chunks[..11].iter().all(|chunk| chunk[0].1 - chunk[0].0 == 7 * DAY), "{chunks:?}");
    }

    #[test]
    fn minutes_that_are_needed_alone_are_cut_anywhere() {
        let chunks = cut_into(&[grid(1), grid(DAY)], &[minutes(&[(100, 10_300)]), Spans::default()]);
        assert_eq!(chunks, [vec![(100, 10_180)], vec![(10_180, 10_300)]]);
    }

    #[test]
    fn small_holes_share_a_chunk_and_far_ones_do_not() {
        let chunks = cut_into(&[grid(1)], &[minutes(&[(0, 5), (9_000, 9_001), (50_000, 50_010)])]);
        assert_eq!(chunks, [vec![(0, 5), (9_000, 9_001)], vec![(50_000, 50_010)]]);
    }

    #[test]
    fn windows_that_do_not_nest_are_not_cut_either() {
        let chunks = cut_into(&[grid(7), grid(DAY)], &[minutes(&[(0, 7 * 3000)]), minutes(&[(0, 14 * DAY)])]);
        assert_eq!(chunks.concat(), [(0, 10_080), (10_080, 20_160), (20_160, 21_000)]);
        let chunks =
            cut_into(&[grid(11), grid(DAY)], &[minutes(&[(0, 11 * 2000)]), minutes(&[(0, 14 * DAY)])]);
        assert_eq!(chunks.concat(), [(0, 15_840), (15_840, 22_000)]);
    }

    #[test]
    fn a_window_longer_than_a_chunk_stays_whole() {
        let chunks = cut_into(&[grid(30 * DAY)], &[minutes(&[(0, 60 * DAY)])]);
        assert_eq!(chunks, [vec![(0, 30 * DAY)], vec![(30 * DAY, 60 * DAY)]]);
    }
}
