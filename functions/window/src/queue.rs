//! Windows in the order in which they are given, whatever the order in which they were found: by start, then by key.
//! Taking the next one costs the same however many there are to come, so that work on them can stop and continue.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::keys::Keys;

/// Start, the beginning of the key's text (most comparisons end there), all of it, and the key.
type Entry = (i64, u128, Rc<[u8]>, u32);

#[derive(Default)]
pub struct Queue(BinaryHeap<Reverse<Entry>>);

impl Queue {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn push(&mut self, start_us: i64, key: u32, keys: &Keys) {
        let text = keys.shared_text(key);
        self.0.push(Reverse((start_us, prefix(&text), text, key)));
    }

    /// Start and key of the first window.
    pub fn pop(&mut self) -> Option<(i64, u32)> {
        self.0.pop().map(|Reverse((start_us, _, _, key))| (start_us, key))
    }
}

/// The first bytes of a text, as a number that compares as they do.
fn prefix(text: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let length = text.len().min(16);
    bytes[..length].copy_from_slice(&text[..length]);
    u128::from_be_bytes(bytes)
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
            let given: Vec<_> = std::iter::from_fn(|| queue.pop())
                .map(|(start_us, key)| (start_us, keys.text(key).to_vec()))
                .collect();
            prop_assert_eq!(given, sorted);
        }
    }
}
