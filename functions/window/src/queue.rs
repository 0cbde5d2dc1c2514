//! Windows in the order in which they are given, whatever the order in which they were found: by start, then by key.
//! Taking the next one costs the same however many there are to come, so that work on them can stop and continue.

use std::cmp::Ordering;

use crate::keys::Keys;

struct Entry {
    start_us: i64,
    /// The beginning of the key's text: most comparisons end there.
    prefix: (u64, u64),
    key: u32,
}

impl Entry {
    fn compare(&self, other: &Entry, keys: &Keys) -> Ordering {
        (self.start_us, self.prefix)
            .cmp(&(other.start_us, other.prefix))
            .then_with(|| keys.text(self.key).cmp(keys.text(other.key)))
    }
}

/// A binary heap: an entry is never after those at twice its place, counted from 1.
#[derive(Default)]
pub struct Queue(Vec<Entry>);

impl Queue {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn push(&mut self, start_us: i64, key: u32, keys: &Keys) {
        self.0.push(Entry { start_us, prefix: prefix(keys.text(key)), key });
        let mut at = self.0.len() - 1;
        while at > 0 {
            let above = (at - 1) / 2;
            if self.0[above].compare(&self.0[at], keys) != Ordering::Greater {
                return;
            }
            self.0.swap(above, at);
            at = above;
        }
    }

    /// Start and key of the first window.
    pub fn pop(&mut self, keys: &Keys) -> Option<(i64, u32)> {
        let last = self.0.len().checked_sub(1)?;
        self.0.swap(0, last);
        let first = self.0.pop()?;
        let mut at = 0;
        loop {
            let below = [2 * at + 1, 2 * at + 2].into_iter().filter(|&below| below < last);
            let Some(below) = below.min_by(|&a, &b| self.0[a].compare(&self.0[b], keys)) else { break };
            if self.0[at].compare(&self.0[below], keys) != Ordering::Greater {
                break;
            }
            self.0.swap(at, below);
            at = below;
        }
        Some((first.start_us, first.key))
    }
}

/// The first bytes of a text, as numbers that compare as it does.
fn prefix(text: &[u8]) -> (u64, u64) {
    let eight = |from: usize| {
        let mut bytes = [0; 8];
        let part = text.get(from..).unwrap_or_default();
        let length = part.len().min(8);
        bytes[..length].copy_from_slice(&part[..length]);
        u64::from_be_bytes(bytes)
    };
    (eight(0), eight(8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn windows_come_by_start_then_by_key(
            found in prop::collection::vec((0i64..4, "[a\0]{0,20}"), 0..40),
        ) {
            let (mut keys, mut queue) = (Keys::default(), Queue::default());
            let mut sorted = Vec::new();
            for (start_us, text) in found {
                let mut key = Vec::new();
                crate::keys::encode(text.as_bytes(), &mut key);
                let index = keys.find(&key).unwrap_or_else(|| keys.add(&key));
                queue.push(start_us, index, &keys);
                sorted.push((start_us, key));
            }
            sorted.sort();
            let given: Vec<_> = std::iter::from_fn(|| queue.pop(&keys))
                .map(|(start_us, key)| (start_us, keys.text(key).to_vec()))
                .collect();
            prop_assert_eq!(given, sorted);
        }
    }
}
