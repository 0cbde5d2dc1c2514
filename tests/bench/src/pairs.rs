//! Two things measured in turn, A B A B …, so that whatever else the machine does hits both.

use std::time::Duration;

use anyhow::Result;
use tallow_env::{Clock, SystemClock};

/// How long one round of calls in a loop takes: long against the ticks in which it is counted.
const ROUND: Duration = Duration::from_millis(300);

/// What each round gave, the first with the first.
#[derive(Debug, Default)]
pub struct Pairs {
    pub a: Vec<f64>,
    pub b: Vec<f64>,
}

impl Pairs {
    /// Runs `a` and `b` in turn.
    pub fn measure(
        count: usize,
        mut a: impl FnMut() -> Result<f64>,
        mut b: impl FnMut() -> Result<f64>,
    ) -> Result<Self> {
        let mut pairs = Self::default();
        for _ in 0..count {
            pairs.a.push(a()?);
            pairs.b.push(b()?);
        }
        Ok(pairs)
    }

    /// The median of `a / b`, pair by pair: a machine that was slow during a pair was slow for both.
    pub fn ratio(&self) -> f64 {
        median(self.a.iter().zip(&self.b).map(|(a, b)| a / b))
    }
}

/// The middle value; of an even count the mean of the two in the middle.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// Records a second of one round of calls, by the time that a core gave to this thread: what other programs
/// took from it in between is not counted. `call` says how many records it took.
pub fn rate_per_core(mut call: impl FnMut() -> Result<usize>) -> Result<f64> {
    let clock = SystemClock::new();
    let (start, start_on_core) = (clock.ticks(), on_core());
    let mut records = 0;
    loop {
        records += call()?;
        let elapsed = clock.ticks().since(start);
        if elapsed < ROUND {
            continue;
        }
        let elapsed = match (start_on_core, on_core()) {
            (Some(start), Some(now)) => now.saturating_sub(start),
            _ => elapsed,
        };
        if elapsed >= ROUND {
            return Ok(records as f64 / elapsed.as_secs_f64());
        }
    }
}

/// How long this thread has run on a core so far. Linux counts it in ticks of a few milliseconds; elsewhere it
/// is not known.
fn on_core() -> Option<Duration> {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(schedstat.split(' ').next()?.parse().ok()?))
}

/// Seconds that `work` takes, and what it gave.
pub fn seconds<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let clock = SystemClock::new();
    let start = clock.ticks();
    let done = work()?;
    Ok((clock.ticks().since(start).as_secs_f64(), done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_two() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median([]).is_nan());
    }

    #[test]
    fn the_ratio_goes_pair_by_pair() {
        let pairs = Pairs { a: vec![10.0, 1.0, 8.0], b: vec![5.0, 1.0, 2.0] };
        assert_eq!(pairs.ratio(), 2.0);
    }

    #[test]
    fn rounds_alternate() {
        let order = std::cell::RefCell::new(String::new());
        let note = |name| {
            order.borrow_mut().push(name);
            Ok(0.0)
        };
        Pairs::measure(3, || note('a'), || note('b')).unwrap();
        assert_eq!(order.into_inner(), "ababab");
    }
}
