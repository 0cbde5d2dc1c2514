//! The contract `tallow:parse`: from raw records to rows.

use crate::{ColumnType, Table, Text};

/// A column that a function can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    pub name: String,
    pub type_: ColumnType,
    /// What it means, with its unit.
    pub meaning: String,
}

/// A parse function's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub version: String,
    /// Kinds of rows that it can make. Kinds and columns are both empty if they are those of its setting `schema`.
    pub kinds: Vec<String>,
    /// Columns that it can make.
    pub columns: Vec<ColumnInfo>,
    /// Whether a batch is to have its keys.
    pub wants_keys: bool,
    /// Whether a batch is to have its headers.
    pub wants_headers: bool,
}

/// A column to make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WantedColumn {
    pub name: String,
    /// Places kept of a decimal column; more are rounded half even and counted.
    pub scale: u8,
}

/// What a parse function is to make; the same for every batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Options {
    /// Kinds to make rows of; other known messages are ignored. Empty: all.
    pub kinds: Vec<String>,
    /// Columns to make, and no others.
    pub columns: Vec<WantedColumn>,
    /// The function's own settings from the manifest, by name.
    pub settings: Vec<(String, String)>,
}

/// Records set apart, ascending, each with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Marked {
    pub records: Vec<u32>,
    /// Has one row per record.
    pub reasons: Text,
}

/// A parsed batch. Every record is in exactly one of: at least one row, `ignored`, `rejected`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parsed {
    pub rows: Table,
    /// The record that each row came from, ascending; a record may give many rows.
    pub records: Vec<u32>,
    /// The kind of each row.
    pub kinds: Text,
    /// Records that are known and were not asked for, and tombstones.
    pub ignored: Marked,
    /// Records that are broken.
    pub rejected: Marked,
    /// Decimal values that had more places than their column keeps.
    pub rounded: u64,
}
