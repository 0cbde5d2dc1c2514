//! Lines of numbers that look like one before them: their delimiters and points are at the same places, so that all of a
//! line is checked at once and every number is read from where it must be, without a look for where it ends.

use crate::lanes::{LANES, Lanes};
use crate::window::{WINDOW_BYTES, Window};

/// Longest line that has a shape.
pub const MAX_LINE_BYTES: usize = 4 * LANES;
/// Most numbers in it.
pub const MAX_NUMBERS: usize = 6;

/// A place that gives a 0.
const NOWHERE: u8 = u8::MAX;

/// Where a line's digits, points and delimiters are.
#[derive(Clone, Debug)]
pub struct Shape {
    /// What each byte is compared with, and by how much it may differ.
    expected: [(Lanes, Lanes); MAX_LINE_BYTES / LANES],
    /// Where each number begins, and where its digits go.
    numbers: [(u8, Lanes); MAX_NUMBERS],
}

impl Shape {
    /// The shape of a line of unsigned numbers: up to eight digits before a point and up to eight after it, but for
    /// the one with the index `whole`, which has up to sixteen and no point. `None` for any other line.
    pub fn of(line: &[u8], delimiter: u8, whole: usize) -> Option<Self> {
        if line.len() > MAX_LINE_BYTES {
            return None;
        }
        let (mut expected, mut limits) = ([0; MAX_LINE_BYTES], [u8::MAX; MAX_LINE_BYTES]);
        for (at, byte) in line.iter().enumerate() {
            (expected[at], limits[at]) = if byte.is_ascii_digit() { (b'0', 9) } else { (*byte, 0) };
        }
        let mut numbers = [(0, Lanes::of(&[NOWHERE; LANES])); MAX_NUMBERS];
        let mut start = 0;
        for (index, number) in line.split(|byte| *byte == delimiter).enumerate() {
            let places = if index == whole { whole_places(number) } else { decimal_places(number) };
            *numbers.get_mut(index)? = (start as u8, Lanes::of(&places?));
            start += number.len() + 1;
        }
        let lanes = |bytes: &[u8; MAX_LINE_BYTES], block: usize| {
            Lanes::of(&std::array::from_fn(|at| bytes[block * LANES + at]))
        };
        let expected = std::array::from_fn(|block| (lanes(&expected, block), lanes(&limits, block)));
        Some(Self { expected, numbers })
    }

    /// The numbers of a line that is as long as the one of which this is the shape: the whole one as it is, the others
    /// at scale 8. `None` if the line looks otherwise.
    #[inline(always)]
    pub fn read(&self, window: &Window) -> Option<[i64; MAX_NUMBERS]> {
        let mut wrong = Lanes::of(&[0; LANES]);
        for (block, (expected, limit)) in self.expected.iter().enumerate() {
            wrong = wrong.or(lanes_at(window, block * LANES).beyond(*expected, *limit));
        }
        if !wrong.is_zero() {
            return None;
        }
        let mut values = [0; MAX_NUMBERS];
        let digits = |(start, places): (u8, Lanes)| lanes_at(window, usize::from(start)).digits(places);
        for (values, numbers) in values.chunks_exact_mut(2).zip(self.numbers.chunks_exact(2)) {
            let read = digits(numbers[0]).numbers(digits(numbers[1]));
            for (value, [first, last]) in values.iter_mut().zip(read) {
                *value = i64::from(first) * 100_000_000 + i64::from(last);
            }
        }
        Some(values)
    }
}

#[inline(always)]
fn lanes_at(window: &Window, at: usize) -> Lanes {
    const { assert!(WINDOW_BYTES >= 128 + LANES) };
    let at = at & 127;
    let mut bytes = [0; LANES];
    bytes.copy_from_slice(&window[at..at + LANES]);
    Lanes::of(&bytes)
}

/// Digits right-aligned.
fn whole_places(number: &[u8]) -> Option<[u8; LANES]> {
    let fits = (1..=LANES).contains(&number.len()) && number.iter().all(u8::is_ascii_digit);
    let skip = LANES.checked_sub(number.len()).filter(|_| fits)?;
    Some(std::array::from_fn(|at| at.checked_sub(skip).map_or(NOWHERE, |place| place as u8)))
}

/// Digits before the point to the end of the first half, those after it to the start of the second.
fn decimal_places(number: &[u8]) -> Option<[u8; LANES]> {
    const HALF: usize = LANES / 2;
    let point = number.iter().position(|byte| *byte == b'.');
    let (integer, fraction) = match point {
        Some(point) => (&number[..point], &number[point + 1..]),
        None => (number, &number[number.len()..]),
    };
    let digits = integer.iter().chain(fraction).all(u8::is_ascii_digit);
    let fits = (1..=HALF).contains(&integer.len()) && fraction.len() <= HALF && number.len() <= LANES;
    if !digits || !fits || point.is_some() && fraction.is_empty() {
        return None;
    }
    let (skip, after) = (HALF - integer.len(), integer.len() + 1);
    Some(std::array::from_fn(|at| match at {
        ..HALF => at.checked_sub(skip).map_or(NOWHERE, |place| place as u8),
        _ if at - HALF < fraction.len() => (after + at - HALF) as u8,
        _ => NOWHERE,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decimal::Number;

    fn window(line: &str) -> Window {
        let mut window = [b'7'; WINDOW_BYTES];
        window[..line.len()].copy_from_slice(line.as_bytes());
        window
    }

    fn mantissa(text: &str, scale: u8) -> i64 {
        Number::read(text.as_bytes()).unwrap().at_scale(scale).unwrap().mantissa as i64
    }

    proptest! {
        #[test]
        fn numbers_are_those_that_the_full_reader_reads(time in "[0-9]{1,16}", decimals in prop::collection::vec("[0-9]{1,5}(\\.[0-9]{1,4})?", 0..5)) {
            let line = [vec![time.clone()], decimals.clone()].concat().join(",");
            let shape = Shape::of(line.as_bytes(), b',', 0).unwrap();
            let values = shape.read(&window(&line)).unwrap();
            prop_assert_eq!(values[0], mantissa(&time, 0));
            for (value, text) in values[1..].iter().zip(&decimals) {
                prop_assert_eq!(*value, mantissa(text, 8));
            }
        }

        #[test]
        fn a_line_is_read_only_where_digits_stand_for_digits_and_all_else_is_the_same(line in "[0-9]{13},[0-9]{1,4}\\.[0-9]{1,8},[0-9]{1,8}", at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let shape = Shape::of(line.as_bytes(), b',', 0).unwrap();
            let at = at.index(line.len());
            let before = line.as_bytes()[at];
            let mut window = window(&line);
            window[at] = byte;
            let same = byte == before || before.is_ascii_digit() && byte.is_ascii_digit();
            prop_assert_eq!(shape.read(&window).is_some(), same);
        }
    }

    #[test]
    fn lines_of_anything_but_short_unsigned_numbers_have_no_shape() {
        for line in [
            "",
            "1,",
            ",1",
            "1,2.",
            "1,.2",
            "1,-2",
            "1,1e3",
            "1,2.3.4",
            "1,123456789",
            "1,1.123456789",
            "1.0,2",
            "1, 2",
            "12345678901234567,2",
            "1,12345678.12345678",
            "1,2,3,4,5,6,7",
        ] {
            assert!(Shape::of(line.as_bytes(), b',', 0).is_none(), "{line}");
        }
        assert!(Shape::of(&[b'1'; MAX_LINE_BYTES + 1], b',', 0).is_none());
        assert!(Shape::of(b"1234567890123456;1.12345678;7", b';', 0).is_some());
    }
}
