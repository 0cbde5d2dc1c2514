//! Bounds what waits between the stages, in bytes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// A number of bytes shared by everything in flight. A single batch larger than all of it passes alone.
pub struct ByteBudget {
    total: usize,
    state: Mutex<State>,
    freed: Condvar,
}

struct State {
    used: usize,
    closed: bool,
}

/// Bytes taken out of a budget until dropped.
pub struct Permit {
    budget: Arc<ByteBudget>,
    bytes: usize,
}

impl ByteBudget {
    pub fn new(total_bytes: usize) -> Arc<Self> {
        let state = Mutex::new(State { used: 0, closed: false });
        Arc::new(Self { total: total_bytes, state, freed: Condvar::new() })
    }

    /// Waits until the bytes fit, no bytes fit always; none once the budget is closed.
    pub fn acquire(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        let mut state = self.lock();
        while !state.closed && bytes > 0 && state.used > 0 && state.used + bytes > self.total {
            state = self.freed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        if state.closed {
            return None;
        }
        state.used += bytes;
        Some(Permit { budget: self.clone(), bytes })
    }

    /// Wakes everybody who waits, for good: the stages behind are gone.
    pub fn close(&self) {
        self.lock().closed = true;
        self.freed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.lock().used -= self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_larger_than_the_budget_passes_alone() {
        let budget = ByteBudget::new(10);
        let large = budget.acquire(100);
        assert!(large.is_some());
        drop(large);
        assert!(budget.acquire(10).is_some());
    }

    #[test]
    fn who_does_not_fit_waits_until_bytes_are_freed() {
        let budget = ByteBudget::new(10);
        let first = budget.acquire(8);
        let waiting = std::thread::spawn({
            let budget = budget.clone();
            move || budget.acquire(8).is_some()
        });
        drop(first);
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn closing_wakes_those_who_wait() {
        let budget = ByteBudget::new(1);
        let _held = budget.acquire(1);
        let waiting = std::thread::spawn({
            let budget = budget.clone();
            move || budget.acquire(1).is_none()
        });
        budget.close();
        assert!(waiting.join().unwrap());
    }
}
