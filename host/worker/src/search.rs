//! Finds the records of a batch that a function fails on, in few calls that fail: a call that never comes back costs its
//! deadline.

use std::ops::Range;
use std::time::Duration;

use tallow_engine::CallError;

use crate::error::WorkerError;

/// While records are looked for that take too long, a call has this part of the deadline: thousands of ordinary records
/// take milliseconds.
const GLANCE: u32 = 16;
/// How much longer a record may take when it is looked at once more, by itself, before it is blamed.
const SECOND_LOOK: u32 = 2;

/// A record that a function fails on alone.
#[derive(Debug, PartialEq)]
pub struct Guilty {
    /// Its place in the batch.
    pub record: usize,
    pub error: CallError,
}

/// Tries the function on some of the batch's records, by themselves, within a deadline: the error, where it fails.
pub type Try<'a> = dyn FnMut(Range<usize>, Duration) -> Result<Option<CallError>, WorkerError> + 'a;

/// The records, ascending, of `0..records` that the function fails on alone; `error` is what it did on all of them
/// together, with the whole deadline.
pub fn guilty(
    records: usize,
    error: CallError,
    deadline: Duration,
    attempt: &mut Try<'_>,
) -> Result<Vec<Guilty>, WorkerError> {
    let mut search = Search { deadline, attempt, found: Vec::new() };
    search.within(0..records, error)?;
    Ok(search.found)
}

struct Search<'a, 'b> {
    deadline: Duration,
    attempt: &'a mut Try<'b>,
    found: Vec<Guilty>,
}

impl Search<'_, '_> {
    fn within(&mut self, records: Range<usize>, error: CallError) -> Result<(), WorkerError> {
        if records.len() <= 1 {
            return self.judge(records, error);
        }
        let is_late = matches!(error, CallError::Deadline { .. });
        let deadline = if is_late { self.deadline / GLANCE } else { self.deadline };
        let middle = records.start + records.len() / 2;
        for half in [records.start..middle, middle..records.end] {
            if let Some(error) = (self.attempt)(half.clone(), deadline)? {
                self.within(half, error)?;
            }
        }
        Ok(())
    }

    /// A record that took too long is looked at once more: the machine may have been busy.
    fn judge(&mut self, one: Range<usize>, error: CallError) -> Result<(), WorkerError> {
        let error = match error {
            CallError::Deadline { .. } => (self.attempt)(one.clone(), self.deadline * SECOND_LOOK)?,
            error => Some(error),
        };
        self.found.extend(error.map(|error| Guilty { record: one.start, error }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_millis(1600);

    /// What a search finds where `takes` says how long a record takes, and how long its calls took in all.
    fn search(records: usize, takes: impl Fn(usize) -> Duration) -> (Vec<usize>, Duration) {
        let mut spent = DEADLINE;
        let mut attempt = |range: Range<usize>, deadline: Duration| {
            let time = range.map(&takes).sum::<Duration>();
            spent += time.min(deadline);
            Ok((time > deadline).then_some(CallError::Deadline { deadline_ms: deadline.as_millis() as u64 }))
        };
        let found =
            guilty(records, CallError::Deadline { deadline_ms: 1600 }, DEADLINE, &mut attempt).unwrap();
        (found.into_iter().map(|it| it.record).collect(), spent)
    }

    #[test]
    fn a_loop_costs_a_deadline_a_glance_a_halving_and_a_second_look() {
        let takes = |record| if record == 1234 { Duration::MAX / 8192 } else { Duration::from_micros(1) };
        let (found, spent) = search(4096, takes);
        assert_eq!(found, [1234]);
        // The batch, 12 glances of 100 ms, the record itself.
        let most = DEADLINE + 12 * DEADLINE / 16 + 2 * DEADLINE + Duration::from_millis(10);
        assert!(spent <= most, "{spent:?}");
    }

    #[test]
    fn records_that_are_slow_together_and_not_alone_are_not_blamed() {
        let (found, _) = search(4096, |_| Duration::from_millis(1));
        assert_eq!(found, [0; 0]);
    }

    #[test]
    fn a_slow_record_within_the_second_look_is_not_blamed() {
        let slow = |record| Duration::from_millis(if record == 7 { 3_000 } else { 0 });
        assert_eq!(search(64, slow).0, [0; 0]);
        let slower = |record| Duration::from_millis(if record == 7 { 3_300 } else { 0 });
        assert_eq!(search(64, slower).0, [7]);
    }

    #[test]
    fn every_record_that_fails_is_found_with_its_own_error() {
        let trap = |record: usize| CallError::Trap(format!("at {record}"));
        let mut calls = 0;
        let mut attempt = |range: Range<usize>, _| {
            calls += 1;
            Ok([3, 4, 90].into_iter().find(|bad| range.contains(bad)).map(trap))
        };
        let found = guilty(100, trap(3), DEADLINE, &mut attempt).unwrap();
        assert_eq!(found, [3, 4, 90].map(|record| Guilty { record, error: trap(record) }));
        assert!(calls <= 2 * 3 * 7, "{calls}");
    }
}
