//! The contract `tallow:window`: from rows to windows.

use crate::{Operation, Run, Table, Text};

/// A window function's description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Description {
    pub name: String,
    pub version: String,
    /// Version of the state that it writes.
    pub state_version: u32,
    /// Versions of state that it reads.
    pub reads_state_versions: Vec<u32>,
}

/// Which stretches of time the windows cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Shape {
    /// Size in microseconds.
    Tumbling(u64),
    Sliding(Sliding),
    /// Gap in microseconds: a window ends that long after its last row.
    Session(u64),
}

/// Windows that overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sliding {
    pub size_us: u64,
    /// From one window's start to the next one's; at most `size_us`.
    pub slide_us: u64,
}

/// A column of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Aggregate {
    /// Name of the column that it makes.
    pub name: String,
    pub operation: Operation,
    /// Column that it reads; `None` only for a count of rows.
    pub column: Option<String>,
    /// Second column: the weight of `vwap` (the quantity), the factor of `sum-product`. [`fill`](crate::fill) says how a
    /// definition asks for empty windows.
    pub by: Option<String>,
}

/// Columns of the rows' ids, and how much of the ids is kept. The state does not depend on the latter until it takes
/// effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IdColumns {
    pub first: String,
    /// Differs from `first` if a row stands for a range of ids.
    pub last: String,
    /// The ids of open windows that do not follow each other may take so many bytes, of all keys together.
    pub max_bytes: u64,
    /// Beyond that: whether the windows stop. Otherwise the lowest ids are given up, and rows of such ids are untracked.
    pub halt: bool,
    /// A key is forgotten so long after its newest window closed, in microseconds of event time.
    pub silence_us: u64,
}

impl IdColumns {
    /// Ids that are all kept, and for ever.
    pub fn unbounded(first: &str, last: &str) -> Self {
        let (first, last) = (first.to_owned(), last.to_owned());
        Self { first, last, max_bytes: u64::MAX, halt: true, silence_us: u64::MAX }
    }
}

/// A window definition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Spec {
    pub name: String,
    /// Kinds of rows that it takes. Of rows of a kind with `:ids` behind one of these names only the ids are noted.
    pub kinds: Vec<String>,
    /// Text columns that make the key.
    pub keys: Vec<String>,
    /// Timestamp column of the event time.
    pub time: String,
    /// If they are named, duplicates are dropped and missing ids are counted.
    pub ids: Option<IdColumns>,
    pub shape: Shape,
    /// Shift of the windows against 1970-01-01 00:00 UTC, in microseconds.
    pub offset_us: i64,
    pub aggregates: Vec<Aggregate>,
}

/// Parsed rows with the place where each came from.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

/// What became of an update's rows under one spec. Assignments are (row, window) pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Report {
    /// Rows of a kind that the spec takes.
    pub taken: u64,
    /// Taken rows without a usable event time, key or id, ascending: they make no assignment.
    pub invalid: Vec<u32>,
    /// Of all other taken rows: the sum of accepted, late, duplicate and conflict.
    pub assignments: u64,
    pub accepted: u64,
    /// Of those accepted, the ones of rows that were taken in without knowing whether their ids were new.
    pub untracked: u64,
    pub late: u64,
    pub duplicate: u64,
    pub conflict: u64,
    /// Rows with a late assignment, ascending.
    pub late_rows: Vec<u32>,
    /// Rows whose id was seen with other content, ascending.
    pub conflict_rows: Vec<u32>,
}

/// Windows of one spec.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Output {
    /// Index of the spec.
    pub spec: u32,
    /// One row per window, sorted by window start, then key.
    pub table: Table,
    /// Assignments that these windows hold.
    pub assignments: u64,
}

/// What one spec holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stats {
    pub spec: u32,
    pub keys: u64,
    pub open_windows: u64,
    /// Assignments held by open windows.
    pub open_assignments: u64,
    /// Rows taken in without knowing whether their ids were new.
    pub untracked: u64,
    /// Estimate of the memory that the state takes.
    pub bytes: u64,
}

/// State of the keys of one group under one spec.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Part {
    pub spec: u32,
    pub group: u32,
    pub bytes: Vec<u8>,
}

/// How much one call is to give. It may give less, and more if one window, or the state of one key, is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    pub windows: u32,
    pub bytes: u64,
}

impl Portion {
    /// All at once.
    pub const ALL: Self = Self { windows: u32::MAX, bytes: u64::MAX };
}

/// What one call gives of windows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputPiece {
    /// In the order of the specs.
    pub outputs: Vec<Output>,
    /// Whether the same call is to be made again, for what comes next.
    pub more: bool,
}

/// What one call gives of state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotPiece {
    /// To be given to the next snapshot as `since`.
    pub version: u64,
    /// By spec, then group. The bytes of a part may be in many pieces, one after the other.
    pub parts: Vec<Part>,
    /// Whether the same call is to be made again, for what comes next.
    pub more: bool,
}
