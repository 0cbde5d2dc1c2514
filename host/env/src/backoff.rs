//! Pauses between tries of what fails.

use std::time::Duration;

use crate::Random;

/// Pauses that double from a first length up to a longest one.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause
    }

    /// Anything up to the next pause, so that clients that failed together do not come back together.
    pub fn jittered(&mut self, random: &dyn Random) -> Duration {
        Duration::from_micros(random.below(self.pause().as_micros() as u64))
    }

    /// At least half of the next pause.
    pub fn half_jittered(&mut self, random: &dyn Random) -> Duration {
        self.pause().mul_f64(0.5 + random.unit() / 2.0)
    }

    /// Whether nothing has failed since the start or the last success.
    pub fn is_fresh(&self) -> bool {
        self.next == self.first
    }

    /// After a success: the next pause is the first one again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_the_longest_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(S, 5 * S);
        assert!(backoff.is_fresh());
        assert_eq!([(); 4].map(|()| backoff.pause()), [S, 2 * S, 4 * S, 5 * S]);
        assert!(!backoff.is_fresh());
        backoff.reset();
        assert_eq!(backoff.pause(), S);
    }

    #[test]
    fn jitter_stays_within_the_pause_or_its_second_half() {
        let random = SeededRandom::new(1);
        let mut backoff = Backoff::new(S, S);
        assert!((0..100).all(|_| backoff.jittered(&random) < S));
        assert!((0..100).all(|_| (S / 2..S).contains(&backoff.half_jittered(&random))));
    }
}
