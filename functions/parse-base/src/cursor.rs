//! Reading a message whose keys are known beforehand: keys are compared and digits converted eight bytes at
//! once. The position is masked into a window of fixed size, so that no load needs a bounds check, and none is unsafe.

mod number;

pub use number::short_decimal;

use crate::swar::{first_bytes, low_bytes, matching};
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
}
