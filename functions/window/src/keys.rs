//! Keys: the text of a row's key columns, its place in the state and its group.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

/// State is snapshotted in so many groups of keys a spec, so that a checkpoint writes what changed.
pub const GROUPS: u32 = 16;

/// FNV-1a: fixed for ever, since groups are part of what snapshots are named by.
#[derive(Clone, Copy)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A map without random state. Nothing depends on its order of iteration.
pub type FixedMap<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

/// The group of an encoded key.
pub fn group_of(key: &[u8]) -> u32 {
    let mut hasher = Fnv::default();
    hasher.write(key);
    ((hasher.finish() ^ (hasher.finish() >> 32)) % u64::from(GROUPS)) as u32
}

/// Appends one column's text to an encoded key. Encoded keys compare as their columns do, one after the
/// other: a zero byte is escaped as `00 FF`, a column ends with `00 00`.
pub fn encode(column: &[u8], key: &mut Vec<u8>) {
    for &byte in column {
        key.push(byte);
        if byte == 0 {
            key.push(0xFF);
        }
    }
    key.extend_from_slice(&[0, 0]);
}

/// The columns of an encoded key; `None` if it is not one.
pub fn decode(mut key: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut columns = Vec::new();
    while !key.is_empty() {
        let mut column = Vec::new();
        loop {
            match key {
                [0, 0, rest @ ..] => {
                    key = rest;
                    break;
                }
                [0, 0xFF, rest @ ..] => {
                    column.push(0);
                    key = rest;
                }
                [0, ..] | [] => return None,
                [byte, rest @ ..] => {
                    column.push(*byte);
                    key = rest;
                }
            }
        }
        columns.push(column);
    }
    Some(columns)
}

/// The keys of a spec: an index for each, reused when a key is dropped.
#[derive(Default)]
pub struct Keys {
    by_text: FixedMap<Rc<[u8]>, u32>,
    /// `None` if the key was dropped.
    texts: Vec<Option<Rc<[u8]>>>,
    free: Vec<u32>,
}

impl Keys {
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.by_text.get(key).copied()
    }

    /// Adds a key that is not there and returns its index: the next new one, or a dropped key's.
    pub fn add(&mut self, key: &[u8]) -> u32 {
        let text: Rc<[u8]> = key.into();
        let index = self.free.pop().unwrap_or_else(|| {
            self.texts.push(None);
            (self.texts.len() - 1) as u32
        });
        self.texts[index as usize] = Some(Rc::clone(&text));
        self.by_text.insert(text, index);
        index
    }

    pub fn drop_key(&mut self, index: u32) {
        if let Some(text) = self.texts[index as usize].take() {
            self.by_text.remove(&text);
            self.free.push(index);
        }
    }

    /// Whether an index is one of a key.
    pub fn is_there(&self, index: u32) -> bool {
        self.texts.get(index as usize).is_some_and(Option::is_some)
    }

    pub fn text(&self, index: u32) -> &[u8] {
        self.texts[index as usize].as_deref().unwrap_or_default()
    }

    /// The text of a key that is there.
    pub fn shared_text(&self, index: u32) -> Rc<[u8]> {
        self.texts[index as usize].clone().unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.by_text.len()
    }

    /// Indices of the keys, ascending: in no order of the keys.
    pub fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.texts.len() as u32).filter(|&index| self.is_there(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn encoded_keys_compare_as_their_columns_do_and_decode_to_them(
            left in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 2),
            right in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 2),
        ) {
            let whole = |columns: &[Vec<u8>]| {
                let mut key = Vec::new();
                columns.iter().for_each(|column| encode(column, &mut key));
                key
            };
            prop_assert_eq!(whole(&left).cmp(&whole(&right)), left.cmp(&right));
            prop_assert_eq!(decode(&whole(&left)), Some(left));
        }

        #[test]
        fn decoding_anything_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            decode(&bytes);
        }
    }
}
