//! Fingerprints of the most recent ids of a key: they tell a repeated id from one with other content.

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

const EMPTY: Entry = Entry { id: i64::MIN, fingerprint: UNKNOWN };

/// Of an id whose row's content is not known any more. A row may have it by chance, as it may have that of another.
const UNKNOWN: u32 = 0;

impl Entry {
    /// Keeps half of a fingerprint's bits: one conflict in 2^32 is taken for a duplicate.
    #[inline]
    pub fn new(id: i64, fingerprint: u64) -> Entry {
        Entry { id, fingerprint: (fingerprint ^ (fingerprint >> 32)) as u32 }
    }

    /// Whether, for all that is known, it is of the same row.
    pub fn may_be(self, other: Entry) -> bool {
        self == other || self.id == other.id && self.fingerprint == UNKNOWN
    }
}

/// For each residue modulo [`RING`] the highest id taken in, with its fingerprint. So it depends on which
/// ids were taken in, not on their order, and an id above its slot's is surely new.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    /// Those that hold something by slot, while there are few; all slots afterwards.
    entries: Vec<Entry>,
}

impl Ring {
    /// Ids that come again count as duplicates from here on, whatever they bring: what made fingerprints is not what
    /// makes them now.
    pub fn forget_content(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.fingerprint = UNKNOWN);
    }

    #[inline]
    pub fn get(&self, id: i64) -> Entry {
        let slot = slot_of(id);
        match self.entries.first_chunk::<RING>() {
            Some(slots) => slots[slot],
            None => self.find(slot).map_or(EMPTY, |at| self.entries[at]),
        }
    }

    /// Where a slot's entry is among few, or has to go.
    fn find(&self, slot: usize) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&slot, |entry| slot_of(entry.id))
    }

    /// Puts an entry into its slot, unless a higher id is there.
    #[inline]
    pub fn put(&mut self, entry: Entry) {
        match self.entries.first_chunk_mut::<RING>() {
            Some(slots) => {
                let known = &mut slots[slot_of(entry.id)];
                if known.id < entry.id {
                    *known = entry;
                }
            }
            None => self.put_sparse(entry),
        }
    }

    /// Puts entries with ascending ids that are all above those in the ring.
    pub fn extend(&mut self, ids: &[i64], fingerprints: &[u64]) {
        let entries = ids.iter().zip(fingerprints).map(|(&id, &fingerprint)| Entry::new(id, fingerprint));
        match self.entries.first_chunk_mut::<RING>() {
            Some(slots) => entries.for_each(|entry| slots[slot_of(entry.id)] = entry),
            None => entries.for_each(|entry| self.put(entry)),
        }
    }

    #[cold]
    fn put_sparse(&mut self, entry: Entry) {
        match self.find(slot_of(entry.id)) {
            Ok(at) if self.entries[at].id < entry.id => self.entries[at] = entry,
            Ok(_) => {}
            Err(at) => {
                if self.entries.len() == self.entries.capacity() {
                    self.entries.reserve_exact(self.entries.len().max(1));
                }
                self.entries.insert(at, entry);
            }
        }
        if self.entries.len() >= SPARSE {
            let mut slots = vec![EMPTY; RING];
            self.entries.iter().for_each(|entry| slots[slot_of(entry.id)] = *entry);
            self.entries = slots;
        }
    }

    /// The entries, by id.
    pub fn sorted(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> =
            self.entries.iter().filter(|entry| entry.id != EMPTY.id).copied().collect();
        entries.sort_unstable_by_key(|entry| entry.id);
        entries
    }

    pub fn highest(&self) -> Option<i64> {
        self.entries.iter().map(|entry| entry.id).filter(|&id| id != EMPTY.id).max()
    }

    /// Forgets the entries of ids above a given one.
    pub fn forget_above(&mut self, id: i64) {
        let kept = self.sorted().into_iter().filter(|entry| entry.id <= id).collect::<Vec<Entry>>();
        self.entries = Vec::new();
        kept.into_iter().for_each(|entry| self.put(entry));
    }

    pub fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}

fn slot_of(id: i64) -> usize {
    id as usize % RING
}
