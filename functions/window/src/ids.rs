//! Which ids of a key were seen: once as a set, which finds duplicates and holes, and once as a ring of
//! fingerprints of the most recent ones, which tells a repeated id from one with other content.
//!
//! What is not told apart: an id whose fingerprint has left the ring counts as a duplicate, whatever it
//! brings; an id of a closed window that has left ring and set, sent again with another event time, is
//! new; and at or below the floor, which rises when the ids of all keys take more than they may
//! ([`crate::bound`]), every row is taken in.

use crate::idset::IdSet;
use crate::ring::{Entry, Ring};

/// Ids beyond ± this make a row invalid: nothing below overflows.
pub const MAX_ID: i64 = 1 << 61;

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
    pub known: IdSet,
    pub ring: Ring,
    /// Highest id of the windows that closed, since the ids last restarted.
    pub last_closed: Option<i64>,
    /// When the newest window that closed ended; `i64::MIN` for none.
    pub closed_end_us: i64,
    /// Ids up to here belong to closed windows and were forgotten; `i64::MIN` for none.
    pub forgotten: i64,
    /// Ids up to here are no longer tracked, since there was no room for them; `i64::MIN` for none.
    pub floor: i64,
    /// Rows taken in at or below the floor.
    pub untracked: u64,
    /// No id above this was ever seen; it follows from the rest.
    pub(crate) highest: i64,
}

impl Default for KeyIds {
    fn default() -> Self {
        KeyIds {
            known: IdSet::default(),
            ring: Ring::default(),
            last_closed: None,
            closed_end_us: i64::MIN,
            forgotten: i64::MIN,
            floor: i64::MIN,
            untracked: 0,
            highest: i64::MIN,
        }
    }
}

/// A window or pane as its ids say.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub first_id: i64,
    pub last_id: i64,
    /// Whether the key was silent before it for longer than ids are kept: it is like the first of its key.
    pub after_silence: bool,
}

impl KeyIds {
    /// Looks again for the highest id, after the other fields were read back.
    pub fn find_highest(&mut self) {
        let fingerprinted = self.ring.highest().unwrap_or(i64::MIN);
        let known = self.known.highest().unwrap_or(i64::MIN);
        let closed = self.last_closed.unwrap_or(i64::MIN);
        self.highest = fingerprinted.max(known).max(closed).max(self.floor);
    }

    /// Takes rows in whose ids ascend, if the first one is above all that were ever seen, so that all are
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
            kept = kept.min(crate::ring::RING);
        } else {
            first.iter().zip(last).for_each(|(&first, &last)| self.known.insert(first, last));
        }
        self.ring.extend(&first[first.len() - kept..], fingerprints(kept));
        true
    }

    /// Judges a row of one id, and keeps the id if it is new.
    #[inline]
    pub fn take_one(&mut self, id: i64, fingerprint: u64) -> Judgement {
        let (seen, this) = (self.ring.get(id), Entry::new(id, fingerprint));
        if seen.id == id {
            return if seen.may_be(this) { Judgement::Duplicate } else { Judgement::Conflict };
        }
        if id <= self.floor {
            self.untracked += 1;
            return Judgement::Untracked;
        }
        if id <= self.highest && self.known.contains(id) {
            return Judgement::Duplicate;
        }
        self.highest = self.highest.max(id);
        self.known.insert(id, id);
        self.ring.put(this);
        Judgement::New
    }

    /// Judges a row of a range of ids, and keeps them if all are new.
    pub fn take_range(&mut self, first: i64, last: i64, fingerprint: u64) -> Judgement {
        let (seen, this) = (self.ring.get(first), Entry::new(first, fingerprint));
        if seen.id == first {
            return if seen.may_be(this) { Judgement::Duplicate } else { Judgement::Conflict };
        }
        if first <= self.floor {
            self.untracked += 1;
            return Judgement::Untracked;
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

    /// Takes note of ids that no row of a window brings: they are not missing.
    pub fn note(&mut self, first: i64, last: i64) {
        if first > self.floor && self.known.count_within(first, last) == 0 {
            self.highest = self.highest.max(last);
            self.known.insert(first, last);
        }
    }

    /// Whether an id was taken in, as far as that is still known.
    fn holds(&self, id: i64) -> bool {
        id == self.forgotten || self.ring.get(id).id == id || self.known.contains(id)
    }

    /// Whether a window's ids begin below those that closed and follow none of them: the source restarts its ids.
    fn restarts(&self, span: Span) -> bool {
        let below = |closed: i64| span.last_id < closed && !self.holds(span.first_id - 1);
        span.after_silence || self.last_closed.is_some_and(below)
    }

    /// How many ids are missing up to the end of a window, and whether nothing is known to be missing on
    /// either side of it; `None` if ids of it are not tracked.
    pub fn missing(&self, span: Span) -> Option<Missing> {
        let Span { first_id: first, last_id: last, after_silence } = span;
        let closed = self.last_closed.filter(|_| !after_silence);
        let low = closed.map_or(first, |closed| first.min(closed + 1));
        if low <= self.floor {
            return None;
        }
        // Of ids that were forgotten it is not known which were there, unless all came after that.
        let from = if last > self.forgotten { low.max(self.forgotten.saturating_add(1)) } else { low };
        let expected = if from > last { 0 } else { last.abs_diff(from) + 1 };
        let ids = expected - self.known.count_within(from, last);
        let follows = closed.is_some_and(|closed| first > closed || self.holds(first - 1));
        let followed = self.known.next_above(last).is_none_or(|next| next == last + 1);
        Some(Missing { ids, whole: ids == 0 && follows && followed })
    }

    /// Whether no id is missing between the windows that closed and one that comes after them; `None` if it is not known.
    pub fn follows(&self, span: Span) -> Option<bool> {
        let closed = self.last_closed.filter(|_| !span.after_silence)?;
        let (from, through) = (closed + 1, span.first_id - 1);
        if from <= self.floor || span.first_id <= closed {
            return None;
        }
        Some(from > through || self.known.count_within(from, through) == through.abs_diff(from) + 1)
    }

    /// A window or pane closed for good, when it ended, and the lowest and the highest id of those that are
    /// open.
    pub fn close(&mut self, span: Span, end_us: i64, open: Option<(i64, i64)>) {
        if self.restarts(span) {
            let highest = open.map_or(span.last_id, |(_, highest)| highest.max(span.last_id));
            self.known.forget_above(highest);
            self.ring.forget_above(highest);
            (self.last_closed, self.forgotten) = (None, i64::MIN);
            self.find_highest();
        }
        let closed = self.last_closed.map_or(span.last_id, |known| known.max(span.last_id));
        self.last_closed = Some(closed);
        self.closed_end_us = self.closed_end_us.max(end_us);
        let through = open.map_or(closed, |(lowest, _)| closed.min(lowest - 1));
        if let Some(forgotten) = self.known.last_through(through) {
            self.forgotten = self.forgotten.max(forgotten);
            self.known.forget_through(through);
        }
        if open.is_none_or(|(lowest, _)| lowest > self.floor) {
            self.floor = i64::MIN;
        }
    }

    /// Forgets the lowest ids until the scattered ones take at most so many bytes.
    pub fn give_up(&mut self, most_bytes: u64) {
        if let Some(floor) = self.known.shorten(most_bytes) {
            self.floor = self.floor.max(floor);
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
