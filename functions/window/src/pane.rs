//! Tumbling and sliding windows as panes: slices of gcd(size, slide) that a window is combined from, so
//! that a row touches one pane and not size/slide windows.

/// Event times outside of ± this (73,000 years) make a row invalid: nothing below overflows.
pub const MAX_TIME_US: i64 = 1 << 61;

/// Where windows and panes start. Start `s` covers `[s, s + size)`; everything is aligned to
/// 1970-01-01 00:00 UTC plus the offset, before 1970 too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub size_us: i64,
    pub slide_us: i64,
    pub pane_us: i64,
    offset_us: i64,
    /// Windows per row, if the slide divides the size.
    even: Option<u64>,
}

impl Grid {
    pub fn new(size_us: i64, slide_us: i64, offset_us: i64) -> Grid {
        let pane_us = gcd(size_us, slide_us);
        let even = (size_us % slide_us == 0).then_some((size_us / slide_us) as u64);
        Grid { size_us, slide_us, pane_us, offset_us: offset_us.rem_euclid(slide_us), even }
    }

    /// Start of the pane that a time lies in.
    pub fn pane_of(&self, time_us: i64) -> i64 {
        floor(time_us - self.offset_us, self.pane_us) + self.offset_us
    }

    /// The newest window start at or before a time.
    pub fn window_at(&self, time_us: i64) -> i64 {
        floor(time_us - self.offset_us, self.slide_us) + self.offset_us
    }

    /// The oldest and the newest window that hold a pane.
    pub fn windows_of(&self, pane_start_us: i64) -> (i64, i64) {
        let oldest = self.window_at(pane_start_us + self.pane_us - self.size_us - 1) + self.slide_us;
        (oldest, self.window_at(pane_start_us))
    }

    /// How many windows hold a row, if it is the same for every row.
    #[inline]
    pub fn windows_a_row(&self) -> Option<u64> {
        self.even
    }

    /// How many windows hold a pane.
    pub fn count_of(&self, pane_start_us: i64) -> u64 {
        let (oldest, newest) = self.windows_of(pane_start_us);
        ((newest - oldest) / self.slide_us + 1) as u64
    }

    /// How many of a pane's windows end at or before the watermark.
    pub fn late_of(&self, pane_start_us: i64, watermark_us: i64) -> u64 {
        let (oldest, newest) = self.windows_of(pane_start_us);
        let newest_late = newest.min(self.window_at(watermark_us - self.size_us));
        if newest_late < oldest { 0 } else { ((newest_late - oldest) / self.slide_us + 1) as u64 }
    }

    /// Rows before this time are late for some window.
    pub fn late_before(&self, watermark_us: i64) -> i64 {
        self.window_at(watermark_us - self.size_us) + self.size_us
    }
}

fn floor(time_us: i64, step_us: i64) -> i64 {
    time_us.div_euclid(step_us) * step_us
}

fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn windows_are_aligned_to_1970_before_1970_too() {
        let grid = Grid::new(60, 60, 0);
        assert_eq!(grid.pane_of(59), 0);
        assert_eq!(grid.pane_of(-1), -60);
        assert_eq!(grid.pane_of(-60), -60);
        let shifted = Grid::new(60, 60, -10);
        assert_eq!(shifted.window_at(49), -10);
        assert_eq!(shifted.window_at(50), 50);
    }

    proptest! {
        #[test]
        fn counts_agree_with_listing_every_window(
            size in 1i64..40, slide_part in 1i64..40, offset in -50i64..50,
            time in -300i64..300, watermark in -300i64..300,
        ) {
            let slide = slide_part.min(size);
            let grid = Grid::new(size, slide, offset);
            let starts: Vec<i64> = (-40 * slide..=40 * slide)
                .step_by(slide as usize)
                .map(|start| start + (time / slide) * slide + offset.rem_euclid(slide))
                .filter(|start| *start <= time && time < start + size)
                .collect();
            let pane = grid.pane_of(time);
            prop_assert!(pane <= time && time < pane + grid.pane_us);
            prop_assert_eq!(grid.count_of(pane), starts.len() as u64);
            prop_assert!(grid.windows_a_row().is_none_or(|windows| windows == starts.len() as u64));
            prop_assert_eq!(grid.windows_of(pane), (starts[0], starts[starts.len() - 1]));
            let late = starts.iter().filter(|start| **start + size <= watermark).count() as u64;
            prop_assert_eq!(grid.late_of(pane, watermark), late);
            prop_assert_eq!(time < grid.late_before(watermark), late > 0);
        }
    }
}
