//! When an epoch ends.

/// What an epoch may grow to. It ends at the first limit that it reaches. A batch is split at the last record that
/// there is room for; it may pass the limit of bytes by the last batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time between two commits, µs.
    pub interval_us: u64,
    pub max_records: u64,
    pub max_bytes: u64,
    /// Whether the pipeline drains what the topics have now, and stops.
    pub available_now: bool,
}

/// An epoch so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Since it began, by the monotonic clock, µs.
    pub elapsed_us: u64,
    pub records: u64,
    pub bytes: u64,
}

/// Why an epoch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Records,
    Bytes,
    Interval,
}

/// Judged after each batch, and while none comes. Size comes before time, so that cuts by size do not depend
/// on how fast the machine is; when draining, time does not cut at all.
pub fn cut(limits: &Limits, progress: &Progress) -> Option<Cut> {
    if progress.records >= limits.max_records && progress.records > 0 {
        return Some(Cut::Records);
    }
    if progress.bytes >= limits.max_bytes && progress.records > 0 {
        return Some(Cut::Bytes);
    }
    if limits.available_now {
        return None;
    }
    (progress.elapsed_us >= limits.interval_us).then_some(Cut::Interval)
}

/// How many more records the epoch has room for: what the next fetch should ask for at most, so that epochs
/// are cut at the same records on every machine.
pub fn room(limits: &Limits, progress: &Progress) -> u64 {
    limits.max_records.saturating_sub(progress.records).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_ends_at_the_first_limit_it_reaches() {
        let live = Limits { interval_us: 10, max_records: 100, max_bytes: 1000, available_now: false };
        let drain = Limits { available_now: true, ..live };
        let progress = |elapsed_us, records, bytes| Progress { elapsed_us, records, bytes };
        for (limits, progress, expected) in [
            (live, progress(0, 0, 0), None),
            (live, progress(9, 99, 999), None),
            (live, progress(10, 0, 0), Some(Cut::Interval)),
            (live, progress(9, 100, 0), Some(Cut::Records)),
            (live, progress(9, 250, 0), Some(Cut::Records)),
            (live, progress(9, 1, 1000), Some(Cut::Bytes)),
            (live, progress(10, 100, 1000), Some(Cut::Records)),
            (live, progress(9, 5, 5), None),
            (drain, progress(99, 5, 5), None),
            (drain, progress(0, 100, 5), Some(Cut::Records)),
            (Limits { max_records: 0, ..drain }, progress(0, 0, 0), None),
        ] {
            assert_eq!(cut(&limits, &progress), expected, "{limits:?} {progress:?}");
        }
    }

    #[test]
    fn a_fetch_asks_for_no_more_than_there_is_room_for_and_never_for_nothing() {
        let limits = Limits { interval_us: 0, max_records: 100, max_bytes: 0, available_now: false };
        let taken = |records| Progress { records, ..Progress::default() };
        assert_eq!([0, 40, 100, 130].map(|records| room(&limits, &taken(records))), [100, 60, 1, 1]);
    }
}
