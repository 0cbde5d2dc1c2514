//! Dictionary text.

use std::collections::BTreeMap;

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{Refusal, refuse};

/// Dictionary text, UTF-8. A code means something inside one call only.
///
/// ```
/// use tallow_contract::Text;
/// let text: Text = ["BTC", "ETH", "BTC"].into_iter().collect();
/// assert_eq!(text.codes, [0, 1, 0]);
/// assert_eq!(text.get(2), Some("BTC"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct Text {
    /// The dictionary's entries, one after the other.
    pub bytes: Vec<u8>,
    /// End of each entry in `bytes`, in bytes; ascending.
    pub ends: Vec<u32>,
    /// For each row the index of its entry; any value if the row is null.
    pub codes: Vec<u32>,
}

impl Text {
    /// The entry of a code; empty if there is no such code.
    pub fn entry(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = if code == 0 { 0 } else { self.ends.get(code - 1).map_or(0, |&end| end as usize) };
        let end = self.ends.get(code).map_or(start, |&end| end as usize);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The text of a row; `None` if there is no such row or entry, or the entry is not UTF-8.
    pub fn get(&self, row: usize) -> Option<&str> {
        let code = *self.codes.get(row)?;
        self.ends.get(code as usize)?;
        std::str::from_utf8(self.entry(code)).ok()
    }

    /// Adds an entry to the dictionary and returns its code.
    pub fn push_entry(&mut self, entry: &[u8]) -> u32 {
        self.bytes.extend_from_slice(entry);
        self.ends.push(self.bytes.len() as u32);
        (self.ends.len() - 1) as u32
    }

    /// Whether the dictionary's ends lie in `bytes` and ascend.
    ///
    /// # Errors
    /// What is wrong, to be put after the column's name.
    pub fn check(&self) -> Result<(), Refusal> {
        let inside = self.ends.last().is_none_or(|&end| end as usize <= self.bytes.len());
        if self.ends.is_sorted() && inside { Ok(()) } else { refuse!("has a broken dictionary") }
    }
}

/// One row per item. Equal texts share an entry; entries are in the order in which they first come.
impl<T: AsRef<[u8]>> FromIterator<T> for Text {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        let mut dictionary = Dictionary::default();
        let codes = rows.into_iter().map(|row| dictionary.code(row.as_ref())).collect();
        dictionary.into_text(codes)
    }
}

/// Gives each distinct text a code, in the order in which it first comes.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    entries: Text,
    known: BTreeMap<Box<[u8]>, u32>,
    /// Codes that came lately, by a hash of their entries.
    recent: Vec<u32>,
}

/// How many codes are found without a search.
const RECENT: usize = 256;

impl Dictionary {
    /// The code of an entry, which is added if it is new.
    pub fn code(&mut self, entry: &[u8]) -> u32 {
        let slot = hash(entry) % RECENT;
        match self.recent.get(slot) {
            Some(&code) if self.entry(code) == Some(entry) => return code,
            Some(_) => {}
            None => self.recent = vec![u32::MAX; RECENT],
        }
        let code = self.search(entry);
        self.recent[slot] = code;
        code
    }

    #[inline(never)]
    fn search(&mut self, entry: &[u8]) -> u32 {
        if let Some(&code) = self.known.get(entry) {
            return code;
        }
        let code = self.entries.push_entry(entry);
        self.known.insert(entry.into(), code);
        code
    }

    /// The entry of a code, if there is such a code.
    pub fn entry(&self, code: u32) -> Option<&[u8]> {
        ((code as usize) < self.entries.ends.len()).then(|| self.entries.entry(code))
    }

    /// The text of rows with these codes.
    pub fn into_text(self, codes: Vec<u32>) -> Text {
        Text { codes, ..self.entries }
    }
}

/// Of the first and the last eight bytes, and the length.
#[inline]
fn hash(entry: &[u8]) -> usize {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let mixed = match (entry.first_chunk(), entry.last_chunk()) {
        (Some(first), Some(last)) => word(first) ^ word(last).rotate_left(29),
        _ => entry.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    // Fibonacci hashing: the golden ratio's 64 bits spread what is in the low ones over the high ones.
    ((mixed ^ entry.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
}
