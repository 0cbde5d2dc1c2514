//! Which ids of a key were seen: once as ranges, which find duplicates and holes, and once as a ring of
//! fingerprints of the most recent ones, which tells a repeated id from one with other content.
//!
//! What is not told apart: an id whose fingerprint has left the ring counts as a duplicate, whatever it
//! brings; an id of a closed window that has left ring and ranges, sent again with another event time, is
//! new; and at or below the floor, which rises when a key has more than [`MAX_RANGES`] ranges at an advance,
//! every row is taken in.

use std::collections::BTreeMap;

use crate::ranges::Ranges;

/// Ids beyond ± this make a row invalid: nothing below overflows.
pub const MAX_ID: i64 = 1 << 61;

/// A key keeps at most so many ranges over an advance: 256 KiB.
pub const MAX_RANGES: usize = 16_384;

/// Fingerprints a key.
pub const RING: usize = 1024;

/// A ring with fewer entries than this is kept sparse: most keys of a large key space are quiet.
const SPARSE: usize = 64;

/// A fingerprint of the row that brought an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub fingerprint: u32,
}

const EMPTY: Entry = Entry { id: i64::MIN, fingerprint: 0 };

impl Entry {
    /// Keeps half of a fingerprint's bits: one conflict in 2^32 is taken for a duplicate.
    #[inline]
    fn new(id: i64, fingerprint: u64) -> Entry {
        Entry { id, fingerprint: (fingerprint ^ (fingerprint >> 32)) as u32 }
    }
}

/// For each residue modulo [`RING`] the highest id taken in, with its fingerprint. So it depends on which
/// ids were taken in, not on their order, and an id above its slot's is surely new.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    sparse: BTreeMap<u16, Entry>,
    /// All slots, once there are many; empty before.
    dense: Vec<Entry>,
}

impl Ring {
    #[inline]
    pub fn get(&self, id: i64) -> Entry {
        let slot = slot_of(id);
        match self.dense.get(slot) {
            Some(entry) => *entry,
            None => self.sparse.get(&(slot as u16)).copied().unwrap_or(EMPTY),
        }
    }

    /// Puts an entry into its slot, unless a higher id is there.
    #[inline]
    pub fn put(&mut self, entry: Entry) {
        let slot = slot_of(entry.id);
        match self.dense.get_mut(slot) {
            Some(known) if known.id < entry.id => *known = entry,
            Some(_) => {}
            None => self.put_sparse(slot as u16, entry),
        }
    }

    /// Puts entries with ascending ids that are all above those in the ring.
    fn extend(&mut self, ids: &[i64], fingerprints: &[u64]) {
        let entries = ids.iter().zip(fingerprints).map(|(&id, &fingerprint)| Entry::new(id, fingerprint));
        match self.dense.first_chunk_mut::<RING>() {
            Some(slots) => entries.for_each(|entry| slots[slot_of(entry.id)] = entry),
            None => entries.for_each(|entry| self.put(entry)),
        }
    }

    #[cold]
    fn put_sparse(&mut self, slot: u16, entry: Entry) {
        let known = self.sparse.entry(slot).or_insert(EMPTY);
        if known.id < entry.id {
            *known = entry;
        }
        if self.sparse.len() >= SPARSE {
            self.dense = vec![EMPTY; RING];
            for (slot, entry) in std::mem::take(&mut self.sparse) {
                self.dense[slot as usize] = entry;
            }
        }
    }

    /// The entries, by id.
    pub fn sorted(&self) -> Vec<Entry> {
        let dense = self.dense.iter().filter(|entry| entry.id != EMPTY.id);
        let mut entries: Vec<Entry> = self.sparse.values().chain(dense).copied().collect();
        entries.sort_unstable_by_key(|entry| entry.id);
        entries
    }

    pub fn bytes(&self) -> usize {
        (self.dense.len() + 2 * self.sparse.len()) * size_of::<Entry>()
    }
}

fn slot_of(id: i64) -> usize {
    id as usize % RING
}

/// What an id says about its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    New,
    Duplicate,
    Conflict,
    /// At or below the floor: taken in without knowing whether it is new.
    Untracked,
}

/// The ids of one key.
#[derive(Clone, Debug)]
pub struct KeyIds {
    /// Ids taken in and not forgotten: those of the open windows, and those of closed ones that lie
    /// between them.
    pub known: Ranges,
    pub ring: Ring,
    /// Highest id of the windows that closed.
    pub last_closed: Option<i64>,
    /// Ids up to here belong to closed windows and were forgotten; `i64::MIN` for none.
    pub forgotten: i64,
    /// Ids up to here are no longer tracked, since there were too many ranges; `i64::MIN` for none.
    pub floor: i64,
    /// Rows taken in at or below the floor.
    pub untracked: u64,
    /// No id above this was ever seen; it follows from the rest.
    highest: i64,
}

impl Default for KeyIds {
    fn default() -> Self {
        KeyIds {
            known: Ranges::default(),
            ring: Ring::default(),
            last_closed: None,
            forgotten: i64::MIN,
            floor: i64::MIN,
            untracked: 0,
            highest: i64::MIN,
        }
    }
}

impl KeyIds {
    /// Looks again for the highest id, after the other fields were read back.
    pub fn find_highest(&mut self) {
        let fingerprinted = self.ring.sorted().last().map_or(i64::MIN, |entry| entry.id);
        let known = self.known.iter().last().map_or(i64::MIN, |(_, last)| last);
        let closed = self.last_closed.unwrap_or(i64::MIN);
        self.highest = fingerprinted.max(known).max(closed).max(self.floor);
    }

    /// Takes rows in whose ids ascend, where the first one is above all that were ever seen, so that all are
    /// new; whether that was so. `fingerprints` gives those of the last rows, as many as it is asked for.
    pub fn take_ascending<'f>(
        &mut self,
        first: &[i64],
        last: &[i64],
        fingerprints: impl FnOnce(usize) -> &'f [u64],
    ) -> bool {
        let (Some(&lowest), Some(&highest)) = (first.first(), last.last()) else {
            return false;
        };
        if lowest <= self.highest {
            return false;
        }
        self.highest = highest;
        // Of ids without a hole the last ones take all slots of the ring.
        let mut kept = first.len();
        if highest.abs_diff(lowest) + 1 == first.len() as u64 {
            self.known.insert(lowest, highest);
            kept = kept.min(RING);
        } else {
            first.iter().zip(last).for_each(|(&first, &last)| self.known.insert(first, last));
        }
        self.ring.extend(&first[first.len() - kept..], fingerprints(kept));
        true
    }

    /// Judges a row of one id, and keeps the id where it is new.
    #[inline]
    pub fn take_one(&mut self, id: i64, fingerprint: u64) -> Judgement {
        if id <= self.floor {
            self.untracked += 1;
            return Judgement::Untracked;
        }
        let (seen, this) = (self.ring.get(id), Entry::new(id, fingerprint));
        if seen.id == id {
            return if seen == this { Judgement::Duplicate } else { Judgement::Conflict };
        }
        if seen.id > id && self.known.count_within(id, id) > 0 {
            return Judgement::Duplicate;
        }
        self.highest = self.highest.max(id);
        self.known.insert(id, id);
        self.ring.put(this);
        Judgement::New
    }

    /// Judges a row of a range of ids, and keeps them where all are new.
    pub fn take_range(&mut self, first: i64, last: i64, fingerprint: u64) -> Judgement {
        if first <= self.floor {
            self.untracked += 1;
            return Judgement::Untracked;
        }
        let (seen, this) = (self.ring.get(first), Entry::new(first, fingerprint));
        if seen.id == first {
            return if seen == this { Judgement::Duplicate } else { Judgement::Conflict };
        }
        let overlap = self.known.count_within(first, last);
        if overlap > 0 {
            let forgotten = seen.id > first && overlap == last.abs_diff(first) + 1;
            return if forgotten { Judgement::Duplicate } else { Judgement::Conflict };
        }
        self.highest = self.highest.max(last);
        self.known.insert(first, last);
        self.ring.put(this);
        Judgement::New
    }

    /// How many ids are missing up to the end of a window that goes from `first` to `last`, and whether
    /// nothing is known to be missing on either side of it; none where ids of it are not tracked.
    pub fn missing(&self, first: i64, last: i64) -> Option<Missing> {
        let own = first.max(self.forgotten.saturating_add(1));
        let low = self.last_closed.map_or(first, |closed| own.min(closed + 1));
        if low <= self.floor {
            return None;
        }
        let expected = if low > last { 0 } else { last.abs_diff(low) + 1 };
        let ids = expected - self.known.count_within(low, last);
        let joined = self.known.next_above(last).is_none_or(|next| next == last + 1);
        // An id below what was forgotten came after its neighbours' windows had closed.
        let settled = self.last_closed.is_some() && first > self.forgotten;
        Some(Missing { ids, whole: ids == 0 && joined && settled })
    }

    /// A window or pane closed for good: its highest id, and the lowest id of those that are open.
    pub fn close(&mut self, last: i64, lowest_open: Option<i64>) {
        let closed = self.last_closed.map_or(last, |known| known.max(last));
        self.last_closed = Some(closed);
        let through = lowest_open.map_or(closed, |lowest| closed.min(lowest - 1));
        if through > self.forgotten {
            self.forgotten = through;
            self.known.forget_through(through);
        }
    }

    /// Keeps the ranges within their cap; whether some were given up.
    pub fn cap(&mut self) -> bool {
        match self.known.shorten(MAX_RANGES) {
            Some(floor) => {
                self.floor = floor;
                true
            }
            None => false,
        }
    }
}

/// What is missing around a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    pub ids: u64,
    /// No id is missing, none between this window and the ones beside it either, and the one before is known.
    pub whole: bool,
}
