//! Many sorted runs into one order, with one block of each in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};

use crate::layout::{Layout, key_of, time_of};
use crate::picks::Picks;
use crate::run::{Run, RunReader, Unpacker};
use crate::{Extent, SortError};

/// A run, and how far it is merged.
struct Cursor {
    reader: RunReader,
    /// `None` if all of the run is merged.
    block: Option<RecordBatch>,
    /// The block's number among the picked batches, once a row of it is picked.
    picked: Option<usize>,
    row: usize,
    /// Where the block's rows of the current key end.
    end: usize,
}

impl Cursor {
    fn load(&mut self, layout: &Layout, unpacker: &mut Unpacker) -> Result<(), SortError> {
        self.block = self.reader.next(unpacker, &layout.scratch)?;
        (self.picked, self.row, self.end) = (None, 0, 0);
        Ok(())
    }

    /// The next row's key; `None` if there is no row, and a null key as none inside.
    fn key(&self, layout: &Layout) -> Option<Option<&str>> {
        self.block.as_ref().map(|block| key_of(layout.keys(block), self.row))
    }

    fn time_us(&self, layout: &Layout) -> Option<i64> {
        self.block.as_ref().and_then(|block| time_of(layout.times(block), self.row))
    }

    /// Finds where the block's rows of a key end.
    fn reach(&mut self, layout: &Layout, key: Option<&str>) {
        let Some(block) = &self.block else { return };
        let keys = layout.keys(block);
        let (mut first, mut end) = (self.row, keys.len());
        if end > first && key_of(keys, end - 1) == key {
            first = end;
        }
        while first < end {
            let middle = first.midpoint(end);
            match key_of(keys, middle) == key {
                true => first = middle + 1,
                false => end = middle,
            }
        }
        self.end = first;
    }
}

/// Sorted runs as one. Rows that are alike in key and time come in the order of their runs.
pub struct Merge {
    layout: Arc<Layout>,
    /// Whether each batch holds rows of one key only.
    one_key: bool,
    cursors: Vec<Cursor>,
    unpacker: Unpacker,
    /// The key whose rows are merged; `None` before the first.
    key: Option<Option<String>>,
    /// The runs that have rows of that key, by their next one's time.
    heads: BinaryHeap<Reverse<(Option<i64>, usize)>>,
    picks: Picks,
}

impl Merge {
    pub fn new(layout: Arc<Layout>, runs: Vec<Run>, most: Extent, one_key: bool) -> Result<Self, SortError> {
        let mut unpacker = Unpacker::new()?;
        let mut cursors = Vec::with_capacity(runs.len());
        for run in runs {
            let reader = RunReader::new(run);
            let mut cursor = Cursor { reader, block: None, picked: None, row: 0, end: 0 };
            cursor.load(&layout, &mut unpacker)?;
            cursors.push(cursor);
        }
        let picks = Picks::new(layout.clone(), most);
        Ok(Self { layout, one_key, cursors, unpacker, key: None, heads: BinaryHeap::new(), picks })
    }

    /// The next rows; `None` after the last ones.
    pub fn next(&mut self) -> Result<Option<RecordBatch>, SortError> {
        while !self.picks.is_full() {
            match self.heads.pop() {
                Some(Reverse(head)) => self.pick(head)?,
                None if self.one_key && !self.picks.is_empty() => break,
                None if self.begin_key() => {}
                None => break,
            }
        }
        self.cursors.iter_mut().for_each(|cursor| cursor.picked = None);
        self.picks.give()
    }

    /// Goes over to the smallest key that has rows left.
    fn begin_key(&mut self) -> bool {
        let keys = self.cursors.iter().filter_map(|cursor| cursor.key(&self.layout));
        self.key = keys.min().map(|key| key.map(str::to_owned));
        let Some(key) = &self.key else { return false };
        for (index, cursor) in self.cursors.iter_mut().enumerate() {
            if cursor.key(&self.layout) == Some(key.as_deref()) {
                cursor.reach(&self.layout, key.as_deref());
                self.heads.push(Reverse((cursor.time_us(&self.layout), index)));
            }
        }
        true
    }

    /// Picks the rows of the run that is first, as long as it is first.
    fn pick(&mut self, (_, index): (Option<i64>, usize)) -> Result<(), SortError> {
        let second = self.heads.peek().map(|Reverse(head)| *head);
        let cursor = &mut self.cursors[index];
        while let Some(block) = &cursor.block {
            let picked = *cursor.picked.get_or_insert_with(|| self.picks.add_batch(block));
            self.picks.add(picked, cursor.row);
            cursor.row += 1;
            if cursor.row == cursor.end {
                if cursor.row < block.num_rows() {
                    return Ok(());
                }
                cursor.load(&self.layout, &mut self.unpacker)?;
                cursor.reach(&self.layout, self.key.as_ref().and_then(Option::as_deref));
                if cursor.end == 0 {
                    return Ok(());
                }
            }
            let head = (cursor.time_us(&self.layout), index);
            if self.picks.is_full() || second.is_some_and(|second| second < head) {
                self.heads.push(Reverse(head));
                return Ok(());
            }
        }
        Ok(())
    }
}
