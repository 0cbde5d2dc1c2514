//! Times of plain lines.

use parse_base::cursor::Cursor;
use parse_base::swar::{first_digits, leading_digits, low_bytes, non_digits};
use parse_base::time;
use parse_base::window::Window;

/// The first eight digits of the time of the line before, as a word and as a number.
pub struct RecentTime {
    word: u64,
    number: i64,
}

impl RecentTime {
    /// Of no line.
    pub const NONE: Self = Self { word: u64::MAX, number: 0 };

    /// A unix time of 13 digits begins as the one of the line before, mostly.
    #[inline(always)]
    pub fn between(&mut self, window: &Window, start: usize, end: usize) -> Option<i64> {
        let mut cursor = Cursor::starting_at(window, start);
        let first = cursor.word();
        if end - start != 13 || first != self.word {
            let time_us = whole_time(&mut cursor)?.0;
            if end - start == 13 && leading_digits(first) == 8 {
                (self.word, self.number) = (first, first_digits(first, 8) as i64);
            }
            return cursor.is_at(end).then_some(time_us);
        }
        cursor.skip(8);
        let rest = cursor.word() & low_bytes(5);
        let value = self.number * 100_000 + first_digits(rest, 5) as i64;
        let digits = non_digits(rest) & low_bytes(5) == 0;
        digits.then_some(time::from_unix_integer(value).ok()?)
    }
}

/// A unix time in µs, and whether it is written in milliseconds; `.0` after seconds is no fraction.
#[inline(always)]
pub fn whole_time(cursor: &mut Cursor<'_>) -> Option<(i64, bool)> {
    let value = cursor.integer()?;
    cursor.accept(b".0");
    let time_us = time::from_unix_integer(value).ok()?;
    Some((time_us, time_us == value.wrapping_mul(1_000)))
}
