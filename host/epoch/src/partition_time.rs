//! What is known of a partition's time.

/// What is known of a partition. Event times in µs since 1970-01-01 UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionTime {
    /// None before its first row: it then holds the watermark where it is, until it is seen or idle.
    pub max_event_time_us: Option<i64>,
    pub idle: bool,
    /// Wall clock since when it has been at its end without a break; `None` while it is not.
    pub at_end_since_us: Option<i64>,
    /// Wall clock of the epoch's end at which its highest event time last rose, or at which it was first read.
    pub stands_since_us: Option<i64>,
    /// The end that it had in an earlier run: holds if the end is where that run left it.
    pub(crate) ended_before_us: Option<i64>,
    /// All of it that was there at the start has been read, and nothing more is waited for.
    pub(crate) drained: bool,
}

impl PartitionTime {
    /// As a commit has it.
    pub fn kept(
        max_event_time_us: Option<i64>,
        at_end_since_us: Option<i64>,
        stands_since_us: Option<i64>,
    ) -> Self {
        Self { max_event_time_us, at_end_since_us, stands_since_us, ..Self::default() }
    }
}
