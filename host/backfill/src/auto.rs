//! Backfills by themselves, beside a stream: at the start, and when windows close incomplete. They fetch no more than
//! what the stream has passed: a stream that lags brings the rest itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tallow_env::{Backoff, Clock, Ticks};

use super::run::Backfilling;
use super::survey::Wanted;
use crate::error::BackfillError;

/// Pause between two looks at the stream.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A hole is seldom alone: how long none more must have shown.
const QUIET: Duration = Duration::from_secs(5);
/// Holes that continue showing are not waited out for longer than that.
const LONGEST_QUIET: Duration = Duration::from_secs(60);
/// After failures.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(30), Duration::from_secs(15 * 60));

/// When to run next. Pure: facts in, decision out.
#[derive(Clone, Copy, Debug)]
pub struct Trigger {
    /// Incomplete windows that a run has seen to.
    seen: u64,
    /// Incomplete windows that have shown, when the first and when the last of those that no run has seen to did.
    shown: u64,
    first: Ticks,
    last: Ticks,
    due: Option<Ticks>,
    pauses: Backoff,
}

impl Trigger {
    /// A run is due at once.
    pub fn at_start(now: Ticks) -> Self {
        Self { seen: 0, shown: 0, first: now, last: now, due: Some(now), pauses: PAUSES }
    }

    /// How many windows have closed incomplete so far; whether a run is due.
    pub fn look(&mut self, incomplete: u64, now: Ticks) -> bool {
        if incomplete > self.shown {
            if self.shown == self.seen {
                self.first = now;
            }
            (self.shown, self.last) = (incomplete, now);
        }
        let holes = self.shown > self.seen
            && (now.since(self.last) >= QUIET || now.since(self.first) >= LONGEST_QUIET);
        // After a failure nothing is tried before its time.
        match self.due {
            Some(due) if due > now => self.pauses.is_fresh() && holes,
            Some(_) => true,
            None => holes,
        }
    }

    /// A run went well. `again`: more is to be fetched after so long.
    pub fn done(&mut self, again: Option<Duration>, now: Ticks) {
        self.seen = self.shown;
        self.pauses.reset();
        self.due = again.map(|again| later(now, again));
    }

    /// A run failed, and may go better later.
    pub fn failed(&mut self, now: Ticks) {
        self.due = Some(later(now, self.pauses.pause()));
    }
}

fn later(now: Ticks, by: Duration) -> Ticks {
    Ticks(now.0.saturating_add(by.as_micros() as u64))
}

/// The stream that a backfill runs beside.
pub struct Stream<'a> {
    /// Windows so far that may lack something.
    pub holes: &'a dyn Fn() -> u64,
    /// Called once windows were filled.
    pub filled: &'a dyn Fn(),
}

/// Runs until the stream has ended. Trouble with an exchange is reported and never stops the stream. After a stream
/// that was drained (`at_end`) it runs once more; otherwise it leaves with it.
pub fn run(
    backfilling: &mut Backfilling,
    stream: Stream<'_>,
    clock: &dyn Clock,
    (stop, ended): (&AtomicBool, &AtomicBool),
    at_end: bool,
) {
    let mut trigger = Trigger::at_start(clock.ticks());
    loop {
        let over = ended.load(Ordering::Relaxed);
        if stop.load(Ordering::Relaxed) || (over && !at_end) {
            return;
        }
        // What drains a topic has nothing to show before its end.
        let due = if at_end { over } else { trigger.look((stream.holes)(), clock.ticks()) };
        if due {
            match backfilling.run(&Wanted { behind_stream: true, ..Wanted::default() }) {
                Ok(summary) => {
                    let windows: u64 = summary.windows.values().sum();
                    if windows > 0 {
                        (stream.filled)();
                        tracing::info!(
                            backfill = backfilling.name(),
                            windows,
                            "filled what the stream lacked"
                        );
                    }
                    for (symbol, why) in &summary.refused {
                        tracing::error!(backfill = backfilling.name(), symbol, why, "cannot be fetched");
                    }
                    let again = summary.settles_us.map(|us| (us - clock.now_us()).max(0) as u64);
                    trigger.done(again.map(|us| Duration::from_micros(us).max(QUIET)), clock.ticks());
                }
                Err(error) if is_over(&error) => {
                    tracing::error!(backfill = backfilling.name(), %error, "the backfill stops; the stream continues");
                    return;
                }
                Err(error) => {
                    tracing::warn!(backfill = backfilling.name(), %error, "backfill is tried again later");
                    trigger.failed(clock.ticks());
                }
            }
        }
        if over {
            return;
        }
        clock.sleep(LOOK_EVERY);
    }
}

/// Whether trying again makes no sense.
fn is_over(error: &BackfillError) -> bool {
    !error.is_transient() && !error.is_fenced()
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000;

    fn at(seconds: u64) -> Ticks {
        Ticks(seconds * S)
    }

    #[test]
    fn a_run_is_due_at_the_start_and_then_when_holes_have_shown_and_gone_quiet() {
        let mut trigger = Trigger::at_start(at(0));
        assert!(trigger.look(0, at(0)));
        trigger.done(None, at(1));
        assert!(!trigger.look(0, at(500)));
        assert!(!trigger.look(3, at(501)));
        assert!(!trigger.look(5, at(504)), "one more has shown");
        assert!(!trigger.look(5, at(508)));
        assert!(trigger.look(5, at(509)));
        trigger.done(None, at(510));
        assert!(!trigger.look(5, at(600)));
    }

    #[test]
    fn holes_without_end_are_not_waited_out() {
        let mut trigger = Trigger::at_start(at(0));
        trigger.done(None, at(0));
        let due = (1..200).find(|second| trigger.look(*second, at(*second)));
        assert_eq!(due, Some(61));
    }

    #[test]
    fn windows_that_had_not_settled_are_fetched_once_they_have() {
        let mut trigger = Trigger::at_start(at(0));
        trigger.done(Some(Duration::from_secs(40)), at(10));
        assert!(!trigger.look(0, at(49)));
        assert!(trigger.look(0, at(50)));
    }

    #[test]
    fn failures_are_spaced_further_and_further_whatever_shows() {
        let mut trigger = Trigger::at_start(at(0));
        trigger.failed(at(0));
        assert!(!trigger.look(7, at(29)));
        assert!(trigger.look(7, at(30)));
        trigger.failed(at(30));
        assert!(!trigger.look(9, at(89)));
        assert!(trigger.look(9, at(90)));
        (0..10).for_each(|_| trigger.failed(at(100)));
        assert!(!trigger.look(9, at(100 + 899)));
        assert!(trigger.look(9, at(100 + 900)));
        trigger.done(None, at(1000));
        assert!(!trigger.look(9, at(2000)));
    }
}
