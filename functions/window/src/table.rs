//! Rows as they cross the boundary, with the place where each came from.

pub use function_table::table::*;

/// Consecutive records that come from one partition, in offset order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Index into [`Rows::topics`].
    pub topic: u32,
    pub partition: i32,
    pub records: u32,
}

/// Parsed rows with the place where each came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub table: Table,
    /// The kind of each row.
    pub kinds: Text,
    /// Record of each row, ascending: index into `offsets`.
    pub records: Vec<u32>,
    pub topics: Vec<String>,
    pub runs: Vec<Run>,
    /// Offset of each record in its partition.
    pub offsets: Vec<i64>,
}
