//! How fast an exchange is asked: a bucket of its allowance, by the generic cell rate algorithm. Nothing is counted but
//! one moment, so the same clock gives the same waits.

use std::time::Duration;

use tallow_env::Ticks;

/// The period of the allowance.
const PERIOD_US: u64 = 60_000_000;

/// An allowance of so much weight a minute.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    weight: u64,
    /// When all that was taken will have been given back, µs of the monotonic clock.
    settled_us: u64,
    /// Nothing is asked before that.
    shut_us: u64,
}

impl Budget {
    pub fn new(weight: u32) -> Self {
        Self { weight: u64::from(weight).max(1), settled_us: 0, shut_us: 0 }
    }

    /// How long to wait before a request of that weight may be sent; zero takes it.
    pub fn take(&mut self, weight: u32, now: Ticks) -> Duration {
        // One request that is heavier than the whole allowance takes all of it.
        let cost_us = self.cost_us(u64::from(weight).min(self.weight));
        let settled_us = self.settled_us.max(now.0) + cost_us;
        let at_us = settled_us.saturating_sub(PERIOD_US).max(self.shut_us);
        if at_us > now.0 {
            return Duration::from_micros(at_us - now.0);
        }
        self.settled_us = settled_us;
        Duration::ZERO
    }

    /// The exchange says how much is used: more than was thought, where others ask from the same address.
    pub fn used(&mut self, weight: u32, now: Ticks) {
        self.settled_us = self.settled_us.max(now.0 + self.cost_us(u64::from(weight).min(self.weight)));
    }

    /// Nothing may be asked for so long.
    pub fn shut(&mut self, wait: Duration, now: Ticks) {
        self.shut_us = self.shut_us.max(now.0.saturating_add(wait.as_micros() as u64));
    }

    fn cost_us(&self, weight: u64) -> u64 {
        weight * PERIOD_US / self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as many requests as it may for so long; how many.
    fn sent(budget: &mut Budget, weight: u32, from: u64, seconds: u64) -> u64 {
        let (mut now, mut sent) = (Ticks(from), 0);
        while now.0 < from + seconds * 1_000_000 {
            let wait = budget.take(weight, now);
            if wait.is_zero() {
                sent += 1;
            } else {
                now = Ticks(now.0 + wait.as_micros() as u64);
            }
        }
        sent
    }

    #[test]
    fn a_full_bucket_goes_at_once_and_then_it_is_the_rate() {
        let mut budget = Budget::new(1200);
        assert_eq!(sent(&mut budget, 2, 0, 1), 600 + 9);
        assert_eq!(sent(&mut budget, 2, 1_000_000, 60), 600);
        // After a minute's rest the bucket is full again.
        assert_eq!(sent(&mut budget, 2, 200_000_000, 1), 600 + 9);
    }

    #[test]
    fn what_others_use_counts_and_a_shut_door_is_waited_for() {
        let mut budget = Budget::new(1200);
        budget.used(1100, Ticks(0));
        assert_eq!(sent(&mut budget, 2, 0, 1), 50 + 9);
        budget.shut(Duration::from_secs(7), Ticks(120_000_000));
        assert_eq!(budget.take(2, Ticks(121_000_000)), Duration::from_secs(6));
        assert_eq!(budget.take(2, Ticks(127_000_000)), Duration::ZERO);
    }

    #[test]
    fn a_request_heavier_than_the_allowance_still_goes() {
        let mut budget = Budget::new(10);
        assert_eq!(budget.take(100, Ticks(0)), Duration::ZERO);
        assert_eq!(budget.take(100, Ticks(0)), Duration::from_secs(60));
    }
}
