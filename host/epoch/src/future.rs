//! Rows whose event time lies ahead of the clock. One such row would drag the watermark along and make all
//! later data late, so it is set aside; when there are many, the clock is wrong and not the data.

/// What is to be done with an epoch's rows from the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Set these rows' records aside, and continue.
    SetAside,
    /// Do not commit: pause, alert, and try the epoch again.
    Pause { future: u64, rows: u64 },
}

/// Fewer rows than this never pause.
const FEW_ROWS: u64 = 10;
/// More than one row in this many pauses.
const ONE_IN: u64 = 100;

/// Whether an event time is further ahead of the chunk's recorded clock than is allowed. All in µs.
pub fn is_future(event_time_us: i64, chunk_clock_us: i64, max_future_us: i64) -> bool {
    event_time_us > chunk_clock_us.saturating_add(max_future_us)
}

/// `future` of an epoch's `rows` lie in the future.
pub fn judge(future: u64, rows: u64) -> Decision {
    let many = future >= FEW_ROWS && u128::from(future) * u128::from(ONE_IN) > u128::from(rows);
    if many { Decision::Pause { future, rows } } else { Decision::SetAside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_allowed_lead_is_not_the_future() {
        assert!(!is_future(160, 100, 60));
        assert!(is_future(161, 100, 60));
        assert!(!is_future(i64::MAX, i64::MAX, 60));
        assert!(is_future(i64::MAX, 100, 60));
        assert!(!is_future(i64::MIN, i64::MIN, 0));
    }

    #[test]
    fn more_than_one_percent_and_at_least_ten_pause() {
        let pause = |future, rows| Decision::Pause { future, rows };
        for (future, rows, expected) in [
            (0, 0, Decision::SetAside),
            (9, 9, Decision::SetAside),
            (10, 10, pause(10, 10)),
            (10, 999, pause(10, 999)),
            (10, 1000, Decision::SetAside),
            (11, 1000, pause(11, 1000)),
            (u64::MAX, u64::MAX, pause(u64::MAX, u64::MAX)),
        ] {
            assert_eq!(judge(future, rows), expected, "{future} of {rows}");
        }
    }
}
