//! Windows of fixed size onto messages, so that a load at a masked position needs no bounds check.

use crate::lanes::{LANES, Lanes};
use crate::swar::{equal_bytes, gathered};

/// Bytes of a [`Window`]: positions are masked to 256, and a load there takes eight.
pub const WINDOW_BYTES: usize = 264;
/// Longest message that a window takes.
pub const MAX_MESSAGE_BYTES: usize = 240;

/// A message and whatever comes after it.
pub type Window = [u8; WINDOW_BYTES];

/// Windows onto the values. Those that would reach beyond the last value are copied out of it.
pub struct Windows<'b> {
    bytes: &'b [u8],
    copy: Window,
}

impl<'b> Windows<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Windows { bytes, copy: [0; WINDOW_BYTES] }
    }

    #[inline(always)]
    pub fn at(&mut self, start: usize) -> &Window {
        let rest = &self.bytes[start..];
        match rest.first_chunk() {
            Some(window) => window,
            None => {
                self.copy[..rest.len()].copy_from_slice(rest);
                &self.copy
            }
        }
    }
}

/// A bit for each of the first 64 bytes that is `byte`, the lowest for the first. Fields whose ends are known at once
/// can be read side by side, where a cursor has to wait for the end of one to begin the next.
#[inline(always)]
pub fn places_of(window: &Window, byte: u8) -> u64 {
    let mut places = 0;
    let mut at = 0;
    while at < 64 {
        let mut word = [0; 8];
        word.copy_from_slice(&window[at..at + 8]);
        places |= gathered(equal_bytes(u64::from_le_bytes(word), byte)) << at;
        at += 8;
    }
    places
}

/// Where the quotes of a message are, in their order.
pub struct Quotes {
    /// After the last one come two at the message's end.
    places: [u8; WINDOW_BYTES],
    count: usize,
}

impl Default for Quotes {
    fn default() -> Self {
        Quotes { places: [0; WINDOW_BYTES], count: 0 }
    }
}

impl Quotes {
    /// Finds the quotes in the first `length` bytes, at most [`MAX_MESSAGE_BYTES`]. `None`: there is a backslash or a
    /// control character among them, and a quote may be part of a text.
    #[inline(always)]
    pub fn find(&mut self, window: &Window, length: usize) -> Option<()> {
        const BLOCK: usize = 64;
        let (mut begin, mut apart) = (0, 0);
        self.count = 0;
        while begin < length.min(MAX_MESSAGE_BYTES) {
            let within = low_bits(length - begin);
            let mut quotes = 0;
            for lane in 0..BLOCK / LANES {
                let at = begin + lane * LANES;
                let bytes = window.get(at..).and_then(<[u8]>::first_chunk)?;
                let bytes = Lanes::of(bytes);
                quotes |= u64::from(bytes.equal(b'"')) << (lane * LANES);
                apart |= (u64::from(bytes.equal(b'\\') | bytes.below(b' ')) << (lane * LANES)) & within;
            }
            self.push(quotes & within, begin as u8);
            begin += BLOCK;
        }
        for place in self.places.iter_mut().skip(self.count).take(4) {
            *place = length as u8;
        }
        (apart == 0).then_some(())
    }

    /// Eight at a time, with less to guess than one by one: those that are too many are written over.
    #[inline(always)]
    fn push(&mut self, mut quotes: u64, begin: u8) {
        let count = self.count + quotes.count_ones() as usize;
        while self.count < count {
            if let Some(places) = self.places.get_mut(self.count..).and_then(<[u8]>::first_chunk_mut::<8>) {
                for place in places {
                    *place = begin.wrapping_add(quotes.trailing_zeros() as u8);
                    quotes &= quotes.wrapping_sub(1);
                }
            }
            self.count += 8;
        }
        self.count = count;
    }

    /// The place of a quote; the message's length after the last one.
    #[inline(always)]
    pub fn at(&self, index: usize) -> usize {
        self.places.get(index).map_or(usize::MAX, |place| usize::from(*place))
    }

    pub fn count(&self) -> usize {
        self.count
    }
}

/// The lowest `count` bits, or all.
#[inline(always)]
fn low_bits(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_quote_is_found(text in "[a\"]{0,240}", after in "[\"\\\\]{0,20}") {
            let mut window = [0; WINDOW_BYTES];
            window[..text.len()].copy_from_slice(text.as_bytes());
            window[text.len()..text.len() + after.len()].copy_from_slice(after.as_bytes());
            let mut quotes = Quotes::default();
            quotes.find(&window, text.len()).unwrap();
            let found: Vec<usize> = (0..quotes.count()).map(|index| quotes.at(index)).collect();
            let places: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
            prop_assert_eq!(found, places);
            prop_assert_eq!([quotes.at(quotes.count()), quotes.at(quotes.count() + 1)], [text.len(); 2]);
        }

        #[test]
        fn a_backslash_or_control_character_is_seen(text in "[a\"é]{0,100}", at in any::<prop::sample::Index>(), byte in 0u8..=255) {
            let mut bytes = text.into_bytes();
            bytes.insert(at.index(bytes.len() + 1), byte);
            let mut window = [b'\\'; WINDOW_BYTES];
            window[..bytes.len()].copy_from_slice(&bytes);
            let found = Quotes::default().find(&window, bytes.len());
            prop_assert_eq!(found.is_none(), byte < b' ' || byte == b'\\');
        }
    }
}
