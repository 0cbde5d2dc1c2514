//! How long a function takes a record, before a swap and after it.

use std::sync::Mutex;
use std::time::Duration;

use tallow_log::record::Role;

/// Older measurements count for less: sums are halved from here on.
const WINDOW_RECORDS: u64 = 4_000_000;
/// Fewer records say nothing: a call's fixed cost and one pause of the machine outweigh them.
const ENOUGH_RECORDS: u64 = 20_000;

/// Time spent in one role's function.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rate {
    us: u64,
    records: u64,
}

impl Rate {
    fn add(&mut self, took: Duration, records: u64) {
        self.us += took.as_micros() as u64;
        self.records += records;
        if self.records > WINDOW_RECORDS {
            (self.us, self.records) = (self.us / 2, self.records / 2);
        }
    }

    fn us_per_record(&self) -> Option<f64> {
        (self.records >= ENOUGH_RECORDS && self.us > 0).then(|| self.us as f64 / self.records as f64)
    }
}

#[derive(Default)]
struct Measured {
    before: [Rate; 2],
    now: [Rate; 2],
}

/// Shared by the stages of a pipeline; lives longer than one run of it.
#[derive(Default)]
pub struct CallTiming {
    measured: Mutex<Measured>,
}

impl CallTiming {
    /// A call took that long for so many records.
    pub fn add(&self, role: Role, took: Duration, records: usize) {
        self.lock().now[index(role)].add(took, records as u64);
    }

    /// From here on another function has the role: what was measured is what it is held against.
    pub fn start_baseline(&self, role: Role) {
        let mut measured = self.lock();
        let now = std::mem::take(&mut measured.now[index(role)]);
        if now.us_per_record().is_some() {
            measured.before[index(role)] = now;
        }
    }

    /// How much of its predecessor's time a record the function takes, in percent; none as long as too little was
    /// measured of either.
    pub fn percent(&self, role: Role) -> Option<u32> {
        let measured = self.lock();
        let before = measured.before[index(role)].us_per_record()?;
        let now = measured.now[index(role)].us_per_record()?;
        Some((now / before * 100.0) as u32)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn index(role: Role) -> usize {
    match role {
        Role::Parse => 0,
        Role::Window => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_held_against_the_one_before_it() {
        let timing = CallTiming::default();
        timing.add(Role::Window, Duration::from_millis(10), 100_000);
        assert_eq!(timing.percent(Role::Window), None, "there is nothing to compare with");
        timing.start_baseline(Role::Window);
        timing.add(Role::Window, Duration::from_millis(1), 1000);
        assert_eq!(timing.percent(Role::Window), None, "too few records say nothing");
        timing.add(Role::Window, Duration::from_millis(24), 99_000);
        assert_eq!(timing.percent(Role::Window), Some(250));
        assert_eq!(timing.percent(Role::Parse), None);
    }

    #[test]
    fn old_measurements_fade() {
        let timing = CallTiming::default();
        timing.add(Role::Parse, Duration::from_secs(1), 1_000_000);
        timing.start_baseline(Role::Parse);
        (0..50).for_each(|_| timing.add(Role::Parse, Duration::from_secs(1), 1_000_000));
        (0..50).for_each(|_| timing.add(Role::Parse, Duration::from_secs(2), 1_000_000));
        assert!(timing.percent(Role::Parse).is_some_and(|percent| percent > 195));
    }
}
