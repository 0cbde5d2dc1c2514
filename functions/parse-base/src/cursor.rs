//! Reading a message whose keys are known beforehand: keys are compared and digits converted eight bytes at
//! once. The position is masked into a window of fixed size, so that no load needs a bounds check, and none is unsafe.

use crate::swar::{
    eight_digits, first_bytes, first_digits, leading_digits, low_bytes, matching, non_digits, power_of_10,
};
use crate::window::Window;

/// A reading position in a window. Positions only grow, so a reader that ends where the message ends has
/// read only the message; until then, nothing read is certain.
#[derive(Clone, Copy)]
pub struct Cursor<'w> {
    window: &'w Window,
    at: usize,
}

/// Most white space that a cursor reads in one place, in bytes.
const MOST_WHITE: usize = 16;

/// A text that is only known at run time, made ready to be compared eight bytes at a time.
#[derive(Debug)]
pub struct Literal {
    /// Its first two words, and which bits of each count.
    first: [(u64, u64); 2],
    /// The words after those.
    rest: Box<[(u64, u64)]>,
    length: usize,
}

impl Literal {
    pub fn new(text: &[u8]) -> Self {
        let word = |bytes: &[u8]| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            (u64::from_le_bytes(word), low_bytes(bytes.len() as u32))
        };
        let mut words = text.chunks(8).map(word);
        let first = std::array::from_fn(|_| words.next().unwrap_or((0, 0)));
        Literal { first, rest: words.collect(), length: text.len() }
    }

    /// In bytes.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl<'w> Cursor<'w> {
    pub fn new(window: &'w Window) -> Self {
        Cursor { window, at: 0 }
    }

    /// A cursor that has read so many bytes.
    #[inline(always)]
    pub fn starting_at(window: &'w Window, at: usize) -> Self {
        Cursor { window, at }
    }

    /// Whether exactly the first `length` bytes have been read.
    pub fn is_at(&self, length: usize) -> bool {
        self.at == length
    }

    #[inline(always)]
    fn word_at(&self, at: usize) -> u64 {
        let at = at & 255;
        let mut word = [0; 8];
        word.copy_from_slice(&self.window[at..at + 8]);
        u64::from_le_bytes(word)
    }

    /// The next eight bytes, the first in the lowest byte.
    #[inline(always)]
    pub fn word(&self) -> u64 {
        self.word_at(self.at)
    }

    /// Eight bytes that come after some others.
    #[inline(always)]
    pub fn word_after(&self, bytes: usize) -> u64 {
        self.word_at(self.at + bytes)
    }

    /// The next byte.
    #[inline(always)]
    pub fn byte(&self) -> u8 {
        self.window[self.at & 255]
    }

    /// A byte that comes after some others.
    #[inline(always)]
    pub fn byte_after(&self, bytes: usize) -> u8 {
        self.window[(self.at + bytes) & 255]
    }

    /// Reads one byte if it is `byte`.
    #[inline(always)]
    pub fn accept_byte(&mut self, byte: u8) -> bool {
        if self.byte() != byte {
            return false;
        }
        self.at += 1;
        true
    }

    /// Reads up to the next `end` within eight words; `None` also if a quote comes first.
    #[inline(always)]
    pub fn skip_to(&mut self, end: u8) -> Option<()> {
        for _ in 0..8 {
            let word = self.word();
            let length = matching(word, end);
            if matching(word, b'"') < length {
                return None;
            }
            self.at += length as usize;
            if length < 8 {
                return Some(());
            }
        }
        None
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    #[inline(always)]
    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Whether `text` comes next.
    #[inline(always)]
    pub fn sees<const N: usize>(&self, text: &[u8; N]) -> bool {
        let mut different = 0;
        let mut done = 0;
        while done + 8 <= N {
            different |= self.word_at(self.at + done) ^ first_bytes(text, done);
            done += 8;
        }
        if done < N {
            different |=
                (self.word_at(self.at + done) ^ first_bytes(text, done)) & low_bytes((N - done) as u32);
        }
        different == 0
    }

    /// Reads `text`.
    #[inline(always)]
    pub fn expect<const N: usize>(&mut self, text: &[u8; N]) -> Option<()> {
        let seen = self.sees(text);
        self.at += N;
        seen.then_some(())
    }

    /// Reads `text` if it comes next.
    #[inline(always)]
    pub fn accept<const N: usize>(&mut self, text: &[u8; N]) -> bool {
        let seen = self.sees(text);
        self.at += if seen { N } else { 0 };
        seen
    }

    /// Whether a text comes next that fits the window.
    #[inline(always)]
    pub fn sees_literal(&self, text: &Literal) -> bool {
        let [(first, first_bits), (second, second_bits)] = text.first;
        let different =
            (self.word() ^ first) & first_bits | (self.word_at(self.at + 8) ^ second) & second_bits;
        different == 0 && (text.rest.is_empty() || self.sees_words(&text.rest))
    }

    /// Whether words come after the next two.
    #[inline(never)]
    fn sees_words(&self, words: &[(u64, u64)]) -> bool {
        let differ =
            |(index, (word, bits)): (usize, &(u64, u64))| (self.word_at(self.at + 8 * index) ^ word) & bits;
        (2..).zip(words).fold(0, |different, word| different | differ(word)) == 0
    }

    /// Moves over white space.
    #[inline(always)]
    pub fn white(&mut self) {
        if self.byte() <= b' ' {
            self.some_white();
        }
    }

    #[inline(never)]
    fn some_white(&mut self) {
        let end = self.at + MOST_WHITE;
        while matches!(self.byte(), b' ' | b'\n' | b'\r' | b'\t') && self.at < end {
            self.at += 1;
        }
    }

    /// Reads an integer as JSON writes it: no sign, no leading zero, up to 18 digits.
    #[inline(always)]
    pub fn integer(&mut self) -> Option<i64> {
        let word = self.word();
        let count = leading_digits(word);
        if count == 0 || (count > 1 && word as u8 == b'0') {
            return None;
        }
        self.at += count as usize;
        let mut value = first_digits(word, count);
        if count == 8 {
            let word = self.word();
            let more = leading_digits(word);
            if more > 0 {
                value = value * power_of_10(more) + first_digits(word, more);
                self.at += more as usize;
            }
            if more == 8 {
                let word = self.word();
                let most = leading_digits(word);
                if most > 2 {
                    return None;
                }
                if most > 0 {
                    value = value * power_of_10(most) + first_digits(word, most);
                    self.at += most as usize;
                }
            }
        }
        Some(value as i64)
    }

    /// Reads `digits [. digits]` with up to ten digits before the point and up to eight after it, as a mantissa
    /// of `scale` places; `None` also if places would be lost or the mantissa does not fit.
    #[inline(always)]
    pub fn decimal(&mut self, scale: u8) -> Option<i64> {
        let word = self.word();
        let count = leading_digits(word);
        if count == 0 {
            return None;
        }
        self.at += count as usize;
        let mut integer = first_digits(word, count);
        if count == 8 {
            let word = self.word();
            let more = leading_digits(word);
            if more > 2 {
                return None;
            }
            if more > 0 {
                integer = integer * power_of_10(more) + first_digits(word, more);
                self.at += more as usize;
            }
        }
        let mut fraction = 0;
        let word = self.word();
        if word as u8 == b'.' {
            let word = self.word_at(self.at + 1);
            let places = leading_digits(word);
            if places == 0 {
                return None;
            }
            fraction = eight_digits(word & low_bytes(places));
            self.at += 1 + places as usize;
        }
        // Ten digits before the point and eight after it stay below 10^18.
        if scale == 8 {
            return Some((integer * 100_000_000 + fraction) as i64);
        }
        rescale(integer, fraction, scale)
    }

    /// Reads `true` or `false`.
    #[inline(always)]
    pub fn boolean(&mut self) -> Option<bool> {
        let (is_true, is_false) = (self.sees(b"true"), self.sees(b"false"));
        // Without a branch on which of them it is: that cannot be guessed.
        self.at += if is_true { 4 } else { 5 };
        (is_true | is_false).then_some(is_true)
    }

    /// Reads up to the next `end`: up to 16 bytes, as two words filled up with zeros, and their number.
    #[inline(always)]
    pub fn short_text(&mut self, end: u8) -> Option<([u64; 2], usize)> {
        let first = self.word();
        let length = matching(first, end);
        if length < 8 {
            self.at += length as usize;
            return Some(([first & low_bytes(length), 0], length as usize));
        }
        let second = self.word_at(self.at + 8);
        let length = matching(second, end);
        if length == 8 && self.word_at(self.at + 16) as u8 != end {
            return None;
        }
        self.at += 8 + length as usize;
        Some(([first, second & low_bytes(length)], 8 + length as usize))
    }
}

/// The decimal at scale 8 from `start` to `end`, of up to eight bytes; `None` leaves it to [`Cursor::decimal`].
#[inline(always)]
pub fn short_decimal(window: &Window, start: usize, end: usize) -> Option<i64> {
    let length = end.wrapping_sub(start) as u32;
    if !(1..=8).contains(&length) {
        return None;
    }
    let word = Cursor::starting_at(window, start).word() & low_bytes(length);
    let marks = non_digits(word) & low_bytes(length);
    if marks == 0 {
        return Some((first_digits(word, length) * 100_000_000) as i64);
    }
    let point = marks.trailing_zeros() / 8;
    let places = length - 1 - point;
    if marks & (marks - 1) != 0 || (word >> (8 * point)) as u8 != b'.' || point == 0 || places == 0 {
        return None;
    }
    let integer = low_bytes(point);
    let digits = word & integer | word >> 8 & !integer;
    Some((first_digits(digits, length - 1) * power_of_10(8 - places)) as i64)
}

/// `integer.fraction` (`fraction` of eight places) at any scale that keeps all of it.
#[cold]
fn rescale(integer: u64, fraction: u64, scale: u8) -> Option<i64> {
    if scale < 8 {
        let unit = power_of_10(8 - u32::from(scale));
        let kept = fraction.is_multiple_of(unit).then_some(fraction / unit)?;
        return Some((integer * power_of_10(u32::from(scale)) + kept) as i64);
    }
    let factor = 10i64.checked_pow(u32::from(scale) - 8)?;
    let at_8 = (integer * 100_000_000 + fraction) as i64;
    at_8.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::window::{WINDOW_BYTES, places_of};

    fn window(text: &str) -> Window {
        let mut window = [b'x'; WINDOW_BYTES];
        window[..text.len()].copy_from_slice(text.as_bytes());
        window
    }

    proptest! {
        #[test]
        fn integers_agree_with_the_standard_library(value in 0i64..10i64.pow(18), digits in 1u32..19) {
            let value = value % 10i64.pow(digits);
            let text = value.to_string();
            let window = window(&text);
            let mut cursor = Cursor::new(&window);
            prop_assert_eq!(cursor.integer(), Some(value));
            prop_assert!(cursor.is_at(text.len()));
        }

        #[test]
        fn decimals_agree_with_the_full_reader_or_are_left_to_it(integer in 0u64..10_000_000_000, fraction in 0u64..100_000_000, places in 0usize..9, scale in 0u8..12) {
            let text = match places {
                0 => integer.to_string(),
                _ => format!("{integer}.{:0places$}", fraction % 10u64.pow(places as u32)),
            };
            let exact = crate::decimal::Number::read(text.as_bytes()).unwrap().at_scale(scale);
            let window = window(&text);
            let mut cursor = Cursor::new(&window);
            match (cursor.decimal(scale), exact) {
                (Some(mantissa), Ok(exact)) => {
                    prop_assert_eq!((i128::from(mantissa), false), (exact.mantissa, exact.rounded));
                    prop_assert!(cursor.is_at(text.len()));
                }
                (Some(mantissa), Err(_)) => prop_assert!(false, "{} read as {}", text, mantissa),
                (None, exact) => prop_assert!(exact.is_err_and(|_| true) || exact.is_ok_and(|exact| exact.rounded || exact.mantissa > i128::from(i64::MAX))),
            }
        }

        #[test]
        fn short_decimals_agree_with_the_full_reader_or_are_left_to_it(text in "[0-9]{0,7}[.,x]?[0-9]{0,7}", before in "[0-9,]{0,9}", after in "[,\\n0-9.]{0,4}") {
            let window = window(&format!("{before}{text}{after}"));
            let read = short_decimal(&window, before.len(), before.len() + text.len());
            let exact = crate::decimal::Number::read(text.as_bytes()).map(|number| number.at_scale(8).unwrap().mantissa);
            prop_assert_eq!(read.map(i128::from), exact.filter(|_| text.len() <= 8));
        }

        #[test]
        fn every_place_of_a_byte_is_found(text in "[,0-9]{0,64}") {
            let places = places_of(&window(&text), b',');
            for at in 0..64 {
                prop_assert_eq!(places >> at & 1 == 1, text.as_bytes().get(at) == Some(&b','));
            }
        }

        #[test]
        fn text_ends_at_the_first_quote(text in "[ -!#-~é]{0,16}") {
            prop_assume!(text.len() <= 16);
            let window = window(&format!("{text}\"\""));
            let (words, length) = Cursor::new(&window).short_text(b'"').unwrap();
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).take(length).collect();
            prop_assert_eq!(bytes, text.as_bytes());
        }
    }

    #[test]
    fn a_leading_zero_or_a_nineteenth_digit_is_no_integer_here() {
        for text in ["01", "1234567890123456789", "-1", "", ".5"] {
            assert_eq!(Cursor::new(&window(text)).integer(), None, "{text}");
        }
        assert_eq!(Cursor::new(&window("0")).integer(), Some(0));
    }
}
