//! The order of rows that are in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};

use crate::layout::{Layout, key_of, time_of};
use crate::picks::Picks;
use crate::{Extent, SortError};

/// Rows of batches in memory, in order.
pub struct Ordered {
    batches: Vec<RecordBatch>,
    entries: Vec<Entry>,
    /// Entries that were given.
    given: usize,
    /// Whether each batch that is given holds rows of one key only.
    one_key: bool,
    /// Of each batch, its number among those that rows are picked from.
    picked: Vec<Option<usize>>,
    picks: Picks,
}

impl Ordered {
    pub fn new(layout: Arc<Layout>, batches: Vec<RecordBatch>, most: Extent, one_key: bool) -> Self {
        let entries = sorted(&layout, &batches);
        let picked = vec![None; batches.len()];
        Self { batches, entries, given: 0, one_key, picked, picks: Picks::new(layout, most) }
    }

    /// The next rows; `None` after the last ones.
    pub fn next(&mut self) -> Result<Option<RecordBatch>, SortError> {
        let left = &self.entries[self.given..];
        for entry in left {
            if self.picks.is_full() || self.one_key && entry.rank != left[0].rank {
                break;
            }
            let batch = entry.batch as usize;
            let picked =
                *self.picked[batch].get_or_insert_with(|| self.picks.add_batch(&self.batches[batch]));
            self.picks.add(picked, entry.row as usize);
            self.given += 1;
        }
        self.picked.fill(None);
        self.picks.give()
    }
}

/// A row by what it is sorted by: the fields in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Of its key among all keys; 0: it has none.
    rank: u32,
    has_time: bool,
    time_us: i64,
    batch: u32,
    row: u32,
}

/// All rows of the batches by key, time and arrival.
fn sorted(layout: &Layout, batches: &[RecordBatch]) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    // Numbers in the order in which keys are first seen, until all are known.
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut last: Option<(&str, u32)> = None;
    for (batch_index, batch) in batches.iter().enumerate() {
        let (keys, times) = (layout.keys(batch), layout.times(batch));
        for row in 0..keys.len() {
            let number = key_of(keys, row).map_or(0, |key| match last {
                Some((known, number)) if known == key => number,
                _ => {
                    let next = numbers.len() as u32 + 1;
                    let number = *numbers.entry(key).or_insert(next);
                    last = Some((key, number));
                    number
                }
            });
            let time_us = time_of(times, row);
            entries.push(Entry {
                rank: number,
                has_time: time_us.is_some(),
                time_us: time_us.unwrap_or_default(),
                batch: batch_index as u32,
                row: row as u32,
            });
        }
    }
    let mut ranks = vec![0; numbers.len() + 1];
    for (rank, number) in (1..).zip(numbers.values()) {
        ranks[*number as usize] = rank;
    }
    entries.iter_mut().for_each(|entry| entry.rank = ranks[entry.rank as usize]);
    // No two are equal, so that it is stable.
    entries.sort_unstable();
    entries
}

/// Bytes that a row takes beside its values while it is sorted.
pub const ENTRY_BYTES: usize = size_of::<Entry>();
