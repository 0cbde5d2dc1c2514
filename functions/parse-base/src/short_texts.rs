//! Codes of short texts, by the two words that hold them.

const SLOTS: usize = 512;

/// Short texts of a call by their words, so that a text costs one probe; two that share a slot evict each other.
pub struct ShortTexts {
    slots: Box<[([u64; 2], u32); SLOTS]>,
}

impl Default for ShortTexts {
    fn default() -> Self {
        ShortTexts { slots: Box::new([([0; 2], 0); SLOTS]) }
    }
}

impl ShortTexts {
    /// Code of a text of `length` bytes, 1 to 16, none of them zero. One that is not in its slot is looked up by its
    /// bytes; `None` if that gives none.
    #[inline(always)]
    pub fn code(
        &mut self,
        words: [u64; 2],
        length: usize,
        look_up: impl FnOnce(&[u8]) -> Option<u32>,
    ) -> Option<u32> {
        let mixed = (words[0] ^ words[1].rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let slot = &mut self.slots[(mixed >> 55) as usize & (SLOTS - 1)];
        // A text has no zero words (it would be empty or hold a NUL), so an unused slot matches none.
        if slot.0 == words && length > 0 {
            return Some(slot.1);
        }
        let code = look_up(&bytes(words)[..length])?;
        *slot = (words, code);
        Some(code)
    }
}

/// The bytes of two words.
pub fn bytes(words: [u64; 2]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&words[0].to_le_bytes());
    bytes[8..].copy_from_slice(&words[1].to_le_bytes());
    bytes
}

/// ASCII that stands for itself in a JSON string.
pub fn is_plain(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~' if !matches!(byte, b'"' | b'\\'))
}
