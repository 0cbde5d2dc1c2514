//! Time: what day it is, how long something took, and waiting.

#![allow(clippy::disallowed_methods)]

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How soon a sleeper sees that it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A monotonic moment, in microseconds since some start of the clock's choosing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(pub u64);

impl Ticks {
    pub fn since(self, earlier: Ticks) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

pub trait Clock: Send + Sync {
    /// Wall clock: microseconds since 1970-01-01 UTC.
    fn now_us(&self) -> i64;
    /// Monotonic clock, for intervals and deadlines.
    fn ticks(&self) -> Ticks;
    fn sleep(&self, duration: Duration);

    /// Sleeps unless `stop` is set, also meanwhile: false then.
    fn sleep_unless(&self, stop: &AtomicBool, duration: Duration) -> bool {
        let begun = self.ticks();
        while !stop.load(Ordering::Relaxed) {
            let left = duration.saturating_sub(self.ticks().since(begun));
            if left.is_zero() {
                return true;
            }
            self.sleep(left.min(LOOK_EVERY));
        }
        false
    }
}

/// The machine's clock.
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_micros() as i64,
            Err(before) => -(before.duration().as_micros() as i64),
        }
    }

    fn ticks(&self) -> Ticks {
        Ticks(self.start.elapsed().as_micros() as u64)
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A clock that moves only when told to, or when a caller sleeps on it.
pub struct ManualClock {
    now_us: AtomicI64,
}

impl ManualClock {
    pub fn at(now_us: i64) -> Self {
        Self { now_us: AtomicI64::new(now_us) }
    }

    pub fn advance(&self, by: Duration) {
        self.now_us.fetch_add(by.as_micros() as i64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }

    fn ticks(&self) -> Ticks {
        Ticks(self.now_us().max(0) as u64)
    }

    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeper_that_is_stopped_does_not_sleep() {
        let (clock, stop) = (ManualClock::at(0), AtomicBool::new(false));
        assert!(clock.sleep_unless(&stop, Duration::from_millis(250)));
        assert_eq!(clock.now_us(), 250_000);
        stop.store(true, Ordering::Relaxed);
        assert!(!clock.sleep_unless(&stop, Duration::from_secs(1)));
        assert_eq!(clock.now_us(), 250_000);
    }

    #[test]
    fn sleeping_on_a_manual_clock_moves_it_and_returns_at_once() {
        let clock = ManualClock::at(1_000_000);
        let before = clock.ticks();
        clock.sleep(Duration::from_secs(3600));
        assert_eq!(clock.now_us(), 3_601_000_000);
        assert_eq!(clock.ticks().since(before), Duration::from_secs(3600));
    }
}
