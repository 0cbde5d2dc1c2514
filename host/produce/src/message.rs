//! What is sent.

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The symbol: it decides the partition.
    pub key: Option<Vec<u8>>,
    pub value: Vec<u8>,
    /// Names and values, in their order; names may repeat.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// When its market event happened, µs since 1970-01-01 UTC; `None` where that cannot be told.
    pub event_us: Option<i64>,
    /// When it reached (or would have reached) its first receiver, on the same scale: what [`crate::Pace::ByTime`]
    /// goes by. Messages come in this order.
    pub due_us: Option<i64>,
}
