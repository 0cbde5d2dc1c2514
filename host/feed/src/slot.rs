//! One connection of a plan, and the sockets that carry it: when to open one, and when to close it. Facts in, decisions
//! out.

use std::time::Duration;

use tallow_env::{Backoff, Random, Ticks};

/// Pauses between attempts.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(60));
/// A connection that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(30);
/// A new socket takes over after so long, data or not: the market may be quiet.
const OVERLAP: Duration = Duration::from_secs(60);

/// A socket, numbered over the whole run.
pub type Id = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Open,
    Close(Id),
}

#[derive(Clone, Copy, Debug)]
struct Socket {
    id: Id,
    /// Since when it is open; `None` while it is being opened.
    open: Option<Ticks>,
    has_data: bool,
}

#[derive(Debug)]
pub struct Slot {
    life: Duration,
    /// How long it takes until all is subscribed to.
    settle: Duration,
    live: Option<Socket>,
    /// What is to take its place.
    next: Option<Socket>,
    pauses: Backoff,
    /// No attempt before that.
    not_before: Ticks,
    /// The live one is to be replaced, whatever its age.
    leaving: bool,
}

impl Slot {
    pub fn new(life: Duration, settle: Duration) -> Self {
        Self { life, settle, live: None, next: None, pauses: PAUSES, not_before: Ticks(0), leaving: false }
    }

    /// Whether its connection is open.
    pub fn is_connected(&self) -> bool {
        self.live.is_some_and(|live| live.open.is_some())
    }

    /// What is to be done now. After [`Action::Open`] the caller says [`Slot::opening`], if the budget allows it.
    pub fn due(&mut self, now: Ticks) -> Option<Action> {
        if let Some(action) = self.take_over(now) {
            return Some(action);
        }
        let is_old = |live: &Socket| live.open.is_some_and(|open| now.since(open) >= self.life);
        let wants_one = match &self.live {
            None => true,
            Some(live) => self.next.is_none() && live.open.is_some() && (self.leaving || is_old(live)),
        };
        (wants_one && now >= self.not_before).then_some(Action::Open)
    }

    fn take_over(&mut self, now: Ticks) -> Option<Action> {
        let next = self.next?;
        let age = now.since(next.open?);
        if age < self.settle || !(next.has_data || age >= OVERLAP) {
            return None;
        }
        let old = self.live.replace(next);
        (self.next, self.leaving) = (None, false);
        old.map(|old| Action::Close(old.id))
    }

    pub fn opening(&mut self, id: Id) {
        let socket = Socket { id, open: None, has_data: false };
        match self.live {
            None => self.live = Some(socket),
            Some(_) => self.next = Some(socket),
        }
    }

    pub fn opened(&mut self, id: Id, now: Ticks) {
        self.each(id, |socket| socket.open = Some(now));
    }

    pub fn data(&mut self, id: Id) {
        self.each(id, |socket| socket.has_data = true);
    }

    /// A socket is closed, or was never opened. Gives whether the connection is interrupted by it.
    pub fn closed(&mut self, id: Id, now: Ticks, random: &dyn Random) -> bool {
        let is = |socket: &Option<Socket>| socket.filter(|socket| socket.id == id);
        let (was, interrupted) = match (is(&self.live), is(&self.next)) {
            (Some(live), _) => {
                self.live = self.next.take();
                self.leaving = false;
                (live, self.live.is_none_or(|next| next.open.is_none()))
            }
            (None, Some(next)) => {
                self.next = None;
                (next, false)
            }
            (None, None) => return false,
        };
        if was.open.is_some_and(|open| now.since(open) >= GOOD) {
            self.pauses.reset();
        }
        let pause = self.pauses.half_jittered(random);
        self.not_before = Ticks(now.0.saturating_add(pause.as_micros() as u64));
        interrupted && was.open.is_some()
    }

    /// The exchange asks to leave, or the connection is not trusted: a new one is opened, and then the old one closed.
    pub fn leave(&mut self) {
        self.leaving = true;
    }

    fn each(&mut self, id: Id, change: impl Fn(&mut Socket)) {
        self.live.iter_mut().chain(&mut self.next).filter(|socket| socket.id == id).for_each(change);
    }
}

#[cfg(test)]
mod tests {
    use tallow_env::SeededRandom;

    use super::*;

    const S: u64 = 1_000_000;

    fn slot() -> Slot {
        Slot::new(Duration::from_secs(1000), Duration::from_secs(2))
    }

    fn open(slot: &mut Slot, id: Id, at: u64) {
        assert_eq!(slot.due(Ticks(at)), Some(Action::Open));
        slot.opening(id);
        assert_eq!(slot.due(Ticks(at)), None, "one attempt at a time");
        slot.opened(id, Ticks(at));
    }

    #[test]
    fn an_old_socket_is_closed_once_the_new_one_has_data() {
        let mut slot = slot();
        open(&mut slot, 1, 0);
        assert_eq!(slot.due(Ticks(999 * S)), None);
        open(&mut slot, 2, 1000 * S);
        slot.data(2);
        assert_eq!(slot.due(Ticks(1001 * S)), None, "not all is subscribed to");
        assert_eq!(slot.due(Ticks(1002 * S)), Some(Action::Close(1)));
        assert!(!slot.closed(1, Ticks(1002 * S), &SeededRandom::new(1)));
        assert_eq!(slot.due(Ticks(1999 * S)), None);
        assert_eq!(slot.due(Ticks(2000 * S)), Some(Action::Open));
    }

    #[test]
    fn in_a_quiet_market_the_new_socket_takes_over_after_a_while() {
        let mut slot = slot();
        open(&mut slot, 1, 0);
        slot.leave();
        open(&mut slot, 2, S);
        assert_eq!(slot.due(Ticks(60 * S)), None);
        assert_eq!(slot.due(Ticks(61 * S)), Some(Action::Close(1)));
    }

    #[test]
    fn attempts_come_at_growing_distances_without_an_end() {
        let (mut slot, random) = (slot(), SeededRandom::new(1));
        let mut now = 0;
        let mut pauses = Vec::new();
        for id in 0..12 {
            let from = now;
            while slot.due(Ticks(now)).is_none() {
                now += 10_000;
            }
            pauses.push(now - from);
            slot.opening(id);
            assert!(!slot.closed(id, Ticks(now), &random), "it was never open");
        }
        assert!(
            pauses[1] < S / 4 + 10_000 && pauses[11] >= 30 * S && pauses[11] <= 60 * S + 10_000,
            "{pauses:?}"
        );
    }

    #[test]
    fn a_good_connection_is_followed_by_a_short_pause() {
        let (mut slot, random) = (slot(), SeededRandom::new(1));
        for id in 0..8 {
            slot.opening(id);
            slot.closed(id, Ticks(0), &random);
        }
        slot.opening(9);
        slot.opened(9, Ticks(0));
        assert!(slot.closed(9, Ticks(40 * S), &random), "the connection is interrupted");
        assert_eq!(slot.due(Ticks(40 * S)), None);
        assert_eq!(slot.due(Ticks(40 * S + 250_000)), Some(Action::Open));
    }

    #[test]
    fn where_the_old_socket_breaks_first_the_new_one_takes_over() {
        let (mut slot, random) = (slot(), SeededRandom::new(1));
        open(&mut slot, 1, 0);
        slot.leave();
        open(&mut slot, 2, S);
        assert!(!slot.closed(1, Ticks(2 * S), &random));
        assert!(slot.is_connected());
        assert_eq!(slot.due(Ticks(100 * S)), None);
    }
}
