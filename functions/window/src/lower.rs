//! Ids by chunks of 65,536, of which those that are all there are kept as ranges of chunks.

use std::collections::BTreeMap;

use rangemap::RangeInclusiveSet;

use crate::chunk::{Chunk, SPAN};

/// What a chunk takes beside its ids, and a range of chunks.
const CHUNK_BYTES: u64 = 64;

const FIRST_CHUNK: i64 = chunk_of(i64::MIN);
const LAST_CHUNK: i64 = chunk_of(i64::MAX);

/// Ids by chunk.
#[derive(Clone, Debug, Default)]
pub struct Lower {
    /// Numbers of the chunks that are all there.
    pub whole: RangeInclusiveSet<i64>,
    /// The others that hold something, by number.
    pub parts: BTreeMap<i64, Chunk>,
    bytes: u64,
}

impl Lower {
    /// Ids of whole chunks and of parts of others; `None` if a chunk is both.
    pub fn new(whole: RangeInclusiveSet<i64>, parts: BTreeMap<i64, Chunk>) -> Option<Lower> {
        let apart =
            |(&number, chunk): (&i64, &Chunk)| !whole.contains(&number) && (1..SPAN).contains(&chunk.ids());
        let of_parts = parts.values().map(|chunk| CHUNK_BYTES + chunk.bytes()).sum::<u64>();
        let bytes = CHUNK_BYTES * whole.len() as u64 + of_parts;
        parts.iter().all(apart).then_some(Lower { whole, parts, bytes })
    }

    /// Bytes that the ids take.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.parts.is_empty()
    }

    /// Adds ids of which none is there.
    pub fn insert(&mut self, first: i64, last: i64) {
        let (from, to) = (chunk_of(first), chunk_of(last));
        if from == to {
            return self.insert_part(from, place_of(first), place_of(last));
        }
        self.insert_part(from, place_of(first), u16::MAX);
        self.insert_part(to, 0, place_of(last));
        if from + 1 < to {
            self.insert_whole(from + 1, to - 1);
        }
    }

    fn insert_part(&mut self, number: i64, first: u16, last: u16) {
        let Some(chunk) = self.parts.get(&number) else {
            let chunk = Chunk::of(first, last);
            if chunk.ids() == SPAN {
                return self.insert_whole(number, number);
            }
            self.bytes += CHUNK_BYTES + chunk.bytes();
            self.parts.insert(number, chunk);
            return;
        };
        if chunk.ids() + u32::from(last - first) + 1 == SPAN {
            self.bytes -= CHUNK_BYTES + chunk.bytes();
            self.parts.remove(&number);
            self.insert_whole(number, number);
        } else {
            self.change_part(number, |chunk| chunk.insert(first, last));
        }
    }

    fn insert_whole(&mut self, from: i64, to: i64) {
        self.change_whole(|whole| whole.insert(from..=to));
    }

    pub fn contains(&self, id: i64) -> bool {
        let number = chunk_of(id);
        match self.parts.get(&number) {
            Some(chunk) => chunk.contains(place_of(id)),
            None => self.whole.contains(&number),
        }
    }

    pub fn count_within(&self, first: i64, last: i64) -> u64 {
        let (from, to) = (chunk_of(first), chunk_of(last));
        let whole = self.whole.overlapping(from..=to);
        let chunks: u64 = whole.map(|it| (*it.end()).min(to).abs_diff((*it.start()).max(from)) + 1).sum();
        let mut count = chunks * u64::from(SPAN);
        // What the whole chunks at both ends have outside.
        if self.whole.contains(&from) {
            count -= u64::from(place_of(first));
        }
        if self.whole.contains(&to) {
            count -= u64::from(u16::MAX - place_of(last));
        }
        for (&number, chunk) in self.parts.range(from..=to) {
            let low = if number == from { place_of(first) } else { 0 };
            let high = if number == to { place_of(last) } else { u16::MAX };
            count += u64::from(chunk.count_within(low, high));
        }
        count
    }

    pub fn next_from(&self, id: i64) -> Option<i64> {
        let number = chunk_of(id);
        if self.whole.contains(&number) {
            return Some(id);
        }
        if let Some(place) = self.parts.get(&number).and_then(|chunk| chunk.next_from(place_of(id))) {
            return Some(id_of(number, place));
        }
        let part = self.parts.range(number + 1..).next();
        let part = part.and_then(|(&number, chunk)| Some(id_of(number, chunk.next_from(0)?)));
        let whole = self.whole.overlapping(number..=LAST_CHUNK).next().map(|it| id_of(*it.start(), 0));
        [part, whole].into_iter().flatten().min()
    }

    pub fn last_through(&self, id: i64) -> Option<i64> {
        let number = chunk_of(id);
        if self.whole.contains(&number) {
            return Some(id);
        }
        if let Some(place) = self.parts.get(&number).and_then(|chunk| chunk.last_through(place_of(id))) {
            return Some(id_of(number, place));
        }
        let part = self.parts.range(..number).next_back();
        let part = part.and_then(|(&number, chunk)| Some(id_of(number, chunk.last_through(u16::MAX)?)));
        let whole = self.whole.overlapping(FIRST_CHUNK..=number).next_back();
        let whole = whole.map(|it| id_of(*it.end(), u16::MAX));
        [part, whole].into_iter().flatten().max()
    }

    pub fn forget_through(&mut self, id: i64) {
        let number = chunk_of(id);
        let kept = self.parts.split_off(&number);
        let gone = std::mem::replace(&mut self.parts, kept);
        self.bytes -= gone.values().map(|chunk| CHUNK_BYTES + chunk.bytes()).sum::<u64>();
        self.break_up(number);
        self.change_whole(|whole| whole.remove(FIRST_CHUNK..=number));
        self.change_part(number, |chunk| chunk.remove(0, place_of(id)));
    }

    /// Makes a whole chunk one of the others, so that some of it can be removed.
    fn break_up(&mut self, number: i64) {
        if self.whole.contains(&number) {
            self.change_whole(|whole| whole.remove(number..=number));
            let chunk = Chunk::of(0, u16::MAX);
            self.bytes += CHUNK_BYTES + chunk.bytes();
            self.parts.insert(number, chunk);
        }
    }

    fn change_whole(&mut self, change: impl FnOnce(&mut RangeInclusiveSet<i64>)) {
        self.bytes -= CHUNK_BYTES * self.whole.len() as u64;
        change(&mut self.whole);
        self.bytes += CHUNK_BYTES * self.whole.len() as u64;
    }

    fn change_part(&mut self, number: i64, change: impl FnOnce(&mut Chunk)) {
        let Some(chunk) = self.parts.get_mut(&number) else { return };
        self.bytes -= CHUNK_BYTES + chunk.bytes();
        change(chunk);
        if chunk.ids() == 0 {
            self.parts.remove(&number);
        } else {
            self.bytes += CHUNK_BYTES + chunk.bytes();
        }
    }

    /// Removes the range that ends with the highest id, and gives its first one.
    pub fn take_range_to(&mut self, last: i64) -> i64 {
        let mut first = last + 1;
        loop {
            let (number, place) = (chunk_of(first - 1), place_of(first - 1));
            if let Some(from) = self.whole.get(&number).map(|it| *it.start()) {
                self.change_whole(|whole| whole.remove(from..=number));
                first = id_of(from, 0);
            } else if let Some(run) = self.parts.get(&number).and_then(|chunk| chunk.run_to(place)) {
                self.change_part(number, |chunk| chunk.remove_run(run));
                first = id_of(number, run.0);
            } else {
                return first;
            }
        }
    }

    /// Removes the lowest chunk, or range of whole ones; its highest id.
    pub fn forget_lowest(&mut self) -> Option<i64> {
        let part = self.parts.first_key_value().map(|(&number, _)| number);
        let id = match (part, self.whole.first()) {
            (Some(number), Some(whole)) if number < *whole.start() => id_of(number, u16::MAX),
            (_, Some(whole)) => id_of(*whole.end(), u16::MAX),
            (Some(number), None) => id_of(number, u16::MAX),
            (None, None) => return None,
        };
        let highest = self.last_through(id);
        self.forget_through(id);
        highest
    }

    /// The ranges, ascending; those of neighbouring chunks are not joined.
    pub fn ranges(&self) -> Vec<(i64, i64)> {
        let whole = self.whole.iter().map(|it| (id_of(*it.start(), 0), id_of(*it.end(), u16::MAX)));
        let parts = self.parts.iter().flat_map(|(&number, chunk)| {
            chunk.runs().into_iter().map(move |(first, last)| (id_of(number, first), id_of(number, last)))
        });
        let mut ranges: Vec<(i64, i64)> = whole.chain(parts).collect();
        ranges.sort_unstable();
        ranges
    }
}

const fn chunk_of(id: i64) -> i64 {
    id >> 16
}

fn place_of(id: i64) -> u16 {
    id as u16
}

fn id_of(number: i64, place: u16) -> i64 {
    (number << 16) + i64::from(place)
}
