//! The contract `tallow:merge`: from the tables of one key to the one that is served.

use crate::Table;

/// A merge function's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub version: String,
}

/// Where rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Source {
    Batch,
    Speed,
    Backfill,
}

impl Source {
    /// The name in WIT and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Speed => "speed",
            Self::Backfill => "backfill",
        }
    }
}

/// From `from_us` (inclusive) to `to_us` (exclusive), microseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Range {
    pub from_us: i64,
    pub to_us: i64,
}

/// Rows of one key from one place.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Input {
    pub source: Source,
    /// Windows of one size, one row per window, in any order.
    pub table: Table,
    /// What the source covers: a row whose window reaches beyond it is partial, one within it of which nothing else is
    /// known is complete.
    pub covers: Option<Range>,
}

/// The mean of a column over a window and those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Average {
    /// Name of the column that it makes.
    pub name: String,
    /// A numeric column of the result.
    pub column: String,
    /// In windows, this one included; at least 1.
    pub length: u32,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Settings {
    /// The key's columns.
    pub keys: Vec<String>,
    /// From one window's start to the next one's, in microseconds: their size.
    pub step_us: u64,
    /// Whether windows that no input has are made up between those that some input has.
    pub fill: bool,
    /// Windows that start before it are filled even if no row follows.
    pub until_us: Option<i64>,
    /// What a filled window has from the last real one; key columns always.
    pub carried: Vec<String>,
    /// Numeric columns that are 0 in a filled window. All others are null there.
    pub zeroed: Vec<String>,
    pub averages: Vec<Average>,
}

/// What a gap consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Lack {
    /// No input has the window.
    Missing,
    /// The best row of it is not complete.
    Partial,
}

/// Consecutive windows without a complete row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Gap {
    pub lack: Lack,
    pub span: Range,
    /// How many windows it has.
    pub windows: u64,
}

/// What a call gives.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Merged {
    /// Each window once, by `window_start`.
    pub table: Table,
    /// By time, each at its longest.
    pub gaps: Vec<Gap>,
}
