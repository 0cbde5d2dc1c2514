//! How many clients are let in. One without the token yet makes room for the next one; one that has shown the token
//! stays, as long as there is room.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Clients that have shown nothing yet.
pub const MOST_STRANGERS: usize = 64;
/// Clients that are being answered.
pub const MOST_ASKING: usize = 4;

#[derive(Default)]
pub struct Guests {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// In the order in which they came, with what sends them away.
    strangers: BTreeMap<u64, Arc<Notify>>,
    asking: usize,
}

/// A client that was let in, until it is dropped.
pub struct Guest {
    guests: Arc<Guests>,
    number: u64,
    leave: Arc<Notify>,
    asking: AtomicBool,
}

impl Guests {
    /// A new client. Where more come than there are places for, the oldest stranger goes.
    pub fn enter(self: &Arc<Self>) -> Guest {
        let leave = Arc::new(Notify::new());
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.strangers.insert(number, leave.clone());
        if state.strangers.len() > MOST_STRANGERS
            && let Some((_, oldest)) = state.strangers.pop_first()
        {
            oldest.notify_one();
        }
        Guest { guests: self.clone(), number, leave, asking: AtomicBool::new(false) }
    }

    /// How many are being answered.
    pub fn asking(&self) -> usize {
        self.lock().asking
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// Waits until it has to leave; for ever, where it never has to.
    pub async fn has_to_leave(&self) {
        self.leave.notified().await;
    }

    /// It is no stranger any more. False: too many are being answered.
    pub fn asks(&self) -> bool {
        let mut state = self.guests.lock();
        if state.asking >= MOST_ASKING || state.strangers.remove(&self.number).is_none() {
            return false;
        }
        state.asking += 1;
        self.asking.store(true, Ordering::Relaxed);
        true
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut state = self.guests.lock();
        state.strangers.remove(&self.number);
        if self.asking.load(Ordering::Relaxed) {
            state.asking -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sent_away(guest: &Guest) -> bool {
        let mut leaves = Box::pin(guest.has_to_leave());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        leaves.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn the_oldest_stranger_makes_place_and_who_asks_never_does() {
        let guests = Arc::new(Guests::default());
        let asking = guests.enter();
        assert!(asking.asks());
        let old = guests.enter();
        let newer: Vec<Guest> = (0..MOST_STRANGERS).map(|_| guests.enter()).collect();
        assert!(is_sent_away(&old) && !is_sent_away(&asking) && !newer.iter().any(is_sent_away));
        assert!(!old.asks(), "it has left");
    }

    #[test]
    fn no_more_are_answered_than_there_are_places_for() {
        let guests = Arc::new(Guests::default());
        let asking: Vec<Guest> = (0..MOST_ASKING).map(|_| guests.enter()).collect();
        assert!(asking.iter().all(Guest::asks));
        let more = guests.enter();
        assert!(!more.asks());
        assert_eq!(guests.asking(), MOST_ASKING);
        drop(asking);
        assert!(more.asks());
        assert_eq!(guests.asking(), 1);
    }
}
