//! A record as its columns need it.

use tallow_contract::Headers;

/// A record with what its columns may need.
pub(crate) struct Record<'a> {
    pub index: u32,
    pub value: &'a [u8],
    pub key: Option<&'a [u8]>,
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    /// Microseconds; below 0 if there is none.
    pub timestamp_us: i64,
    pub headers: Option<&'a Headers>,
}
