//! Windows of fixed size onto messages, so that a load at a masked position needs no bounds check.

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
