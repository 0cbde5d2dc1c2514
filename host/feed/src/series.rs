//! One series' ids: what may be sent, what waits, and what is missing. Facts in, decisions out.

use std::collections::BTreeMap;
use std::time::Duration;

use tallow_engine::feed::{Law, StreamPlan};
use tallow_env::Ticks;

/// How long a hole may close by itself, as records come in another order.
const REORDER: Duration = Duration::from_millis(300);
/// Records that may wait for a hole before them. Beyond that they are dropped, and requested like the hole.
const HELD: usize = 20_000;
const HELD_BYTES: usize = 16 << 20;
/// Ids that are requested, and held until all are there, at once.
const CHUNK: i64 = 10_000;

/// What is to be sent, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    Record(Vec<u8>),
    /// Ids that cannot be had, both ends inclusive.
    Hole {
        first: i64,
        last: i64,
        why: String,
    },
}

/// What a series needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Request these ids, and answer with [`Tracker::filled`].
    /// `behind`: the connection is silent about them.
    Ids { first: i64, last: i64, behind: bool },
    /// Request the newest id: nothing was heard for too long. Answer with [`Tracker::newest`].
    Newest,
    /// The connection says nothing of it, and there is no other way to find out.
    Reconnect,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records whose id had come before.
    pub duplicates: u64,
    /// Records that waited for one before them.
    pub waited: u64,
    /// Records that were dropped because too many waited; they are requested again.
    pub dropped: u64,
}

#[derive(Debug)]
pub struct Tracker {
    law: Law,
    refetch: bool,
    quiet: Duration,
    /// A hole of more ids is not requested whole: its older part is written down.
    most: i64,
    /// The last id that was sent or written down.
    last: Option<i64>,
    held: BTreeMap<i64, Vec<u8>>,
    held_bytes: usize,
    /// The newest id that is known to exist.
    newest: Option<i64>,
    hole_since: Option<Ticks>,
    /// What is requested.
    filling: Option<(i64, i64)>,
    asking: bool,
    /// Nothing came of ids that the exchange has.
    suspect: bool,
    heard: Ticks,
    pub tally: Tally,
}

impl Tracker {
    /// `last`: the last id that Kafka holds.
    pub fn new(plan: StreamPlan, most: u64, last: Option<i64>, now: Ticks) -> Self {
        Self {
            law: plan.law,
            refetch: plan.refetch && plan.law == Law::Dense,
            quiet: Duration::from_micros(plan.quiet_us),
            most: i64::try_from(most).unwrap_or(i64::MAX).max(1),
            last,
            held: BTreeMap::new(),
            held_bytes: 0,
            newest: None,
            hole_since: None,
            filling: None,
            asking: false,
            suspect: false,
            heard: now,
            tally: Tally::default(),
        }
    }

    /// A record came.
    pub fn take(&mut self, id: i64, value: &[u8], now: Ticks, out: &mut Vec<Out>) {
        (self.heard, self.suspect) = (now, false);
        match (self.law, self.last) {
            (Law::None, _) => return out.push(Out::Record(value.to_vec())),
            (_, Some(last)) if id <= last => return self.tally.duplicates += 1,
            (Law::Rising, _) | (Law::Dense, None) => self.send(id, value.to_vec(), out),
            (Law::Dense, Some(last)) if id - 1 == last => self.send(id, value.to_vec(), out),
            (Law::Dense, _) => return self.hold(id, value, now),
        }
        if self.law == Law::Dense {
            self.release(now, out);
        }
    }

    /// Something was heard of the series; perhaps its newest id.
    pub fn alive(&mut self, newest: Option<i64>, now: Ticks) {
        self.heard = now;
        if let Some(newest) = newest {
            self.know(newest, now);
        }
    }

    /// The answer to [`Need::Newest`]: the newest id, if there is one.
    pub fn newest(&mut self, newest: Option<i64>, now: Ticks) {
        (self.heard, self.asking) = (now, false);
        match (newest, self.last) {
            // Whatever follows it must come.
            (Some(newest), None) => self.last = Some(newest),
            (Some(newest), Some(last)) if newest > last => {
                self.suspect = true;
                self.know(newest, now);
            }
            _ => {}
        }
    }

    fn know(&mut self, newest: i64, now: Ticks) {
        if self.law == Law::Dense && self.last.is_some_and(|last| last < newest) {
            self.newest = self.newest.max(Some(newest));
            self.hole_since.get_or_insert(now);
        }
    }

    /// What is to be done now. `connected`: its connection is open.
    pub fn due(&mut self, now: Ticks, connected: bool, out: &mut Vec<Out>) -> Option<Need> {
        if let Some(need) = self.hole_due(now, out) {
            return Some(need);
        }
        if !connected {
            self.heard = now;
        }
        if self.asking || self.filling.is_some() || now.since(self.heard) < self.quiet {
            return None;
        }
        self.heard = now;
        self.asking = self.refetch;
        Some(if self.refetch { Need::Newest } else { Need::Reconnect })
    }

    fn hole_due(&mut self, now: Ticks, out: &mut Vec<Out>) -> Option<Need> {
        let (since, last) = (self.hole_since?, self.last?);
        if self.filling.is_some() || now.since(since) < REORDER {
            return None;
        }
        let to_held = self.held.first_key_value().map(|(first, _)| first - 1);
        let target = to_held.or(self.newest).filter(|target| *target > last)?;
        if !self.refetch {
            self.lose(target, "the exchange has no way to ask for them", now, out);
            return None;
        }
        if target.saturating_sub(last) > self.most {
            let why = format!("more than {} ids are missing: the older ones are left out", self.most);
            self.lose(target - self.most, &why, now, out);
        }
        let first = self.last? + 1;
        let span = (first, target.min(first.saturating_add(CHUNK - 1)));
        self.filling = Some(span);
        let behind = std::mem::take(&mut self.suspect) && self.held.is_empty();
        Some(Need::Ids { first: span.0, last: span.1, behind })
    }

    /// What a request for ids brought; `why` what is not among them is missing.
    pub fn filled(
        &mut self,
        (first, last): (i64, i64),
        records: impl IntoIterator<Item = (i64, Vec<u8>)>,
        why: &str,
        now: Ticks,
        out: &mut Vec<Out>,
    ) {
        self.filling = None;
        let records = records.into_iter().filter(|(id, _)| (first..=last).contains(id));
        let mut found: BTreeMap<i64, Vec<u8>> = records.collect();
        // What came meanwhile is as good.
        let late: Vec<i64> = self.held.range(first..=last).map(|(id, _)| *id).collect();
        for id in late {
            if let Some(value) = self.unhold(id) {
                found.insert(id, value);
            }
        }
        for (id, value) in found {
            // It came by itself after all.
            if self.last >= Some(id) {
                continue;
            }
            if let Some(before) = self.last.filter(|before| before + 1 < id) {
                out.push(Out::Hole { first: before + 1, last: id - 1, why: why.to_owned() });
            }
            self.send(id, value, out);
        }
        if self.last.is_some_and(|sent| sent < last) {
            self.lose(last, why, now, out);
        }
        self.release(now, out);
    }

    /// Writes down that everything after the last id and up to `last` is missing.
    fn lose(&mut self, last: i64, why: &str, now: Ticks, out: &mut Vec<Out>) {
        if let Some(before) = self.last {
            out.push(Out::Hole { first: before + 1, last, why: why.to_owned() });
        }
        self.last = Some(last);
        self.release(now, out);
    }

    fn send(&mut self, id: i64, value: Vec<u8>, out: &mut Vec<Out>) {
        out.push(Out::Record(value));
        self.last = Some(id);
    }

    fn hold(&mut self, id: i64, value: &[u8], now: Ticks) {
        if self.held.len() >= HELD || self.held_bytes + value.len() > HELD_BYTES {
            let newest = self.held.last_key_value().map_or(id, |(newest, _)| id.max(*newest));
            self.tally.dropped += self.held.len() as u64 + 1;
            (self.newest, self.held_bytes) = (self.newest.max(Some(newest)), 0);
            self.held.clear();
        } else if self.held.contains_key(&id) {
            self.tally.duplicates += 1;
        } else {
            self.tally.waited += 1;
            self.held_bytes += value.len();
            self.held.insert(id, value.to_vec());
        }
        self.hole_since.get_or_insert(now);
    }

    fn unhold(&mut self, id: i64) -> Option<Vec<u8>> {
        let value = self.held.remove(&id)?;
        self.held_bytes -= value.len();
        Some(value)
    }

    /// Sends what waited for the last id.
    fn release(&mut self, now: Ticks, out: &mut Vec<Out>) {
        while let (Some(last), Some((first, _))) = (self.last, self.held.first_key_value()) {
            let id = *first;
            if id - 1 > last {
                break;
            }
            let value = self.unhold(id).unwrap_or_default();
            if id - 1 == last {
                self.send(id, value, out);
            }
        }
        if self.newest.is_some_and(|newest| self.last >= Some(newest)) {
            self.newest = None;
        }
        let is_whole = self.held.is_empty() && self.newest.is_none();
        self.hole_since = if is_whole { None } else { self.hole_since.or(Some(now)) };
    }
}

#[cfg(test)]
mod tests;
