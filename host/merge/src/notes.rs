//! What the job remembers from one run to the next, in its commit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tallow_engine::{Column, ColumnData, Decimals, Table, Text};
use tallow_store::{Digest, Store};
use tallow_table::{TableError, TableState, job};

/// Mended gaps that are kept.
const HEALED_KEPT: usize = 20;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notes {
    /// The columns of all inputs so far: every partition has them, so that readers see one schema.
    pub columns: Vec<ColumnNote>,
    /// The speed table by day (`2025-01-31`).
    pub days: BTreeMap<String, DayNote>,
    /// By path of the served partition.
    pub partitions: BTreeMap<String, PartitionNote>,
    /// Gaps that were mended lately, oldest first.
    pub healed: Vec<Healed>,
    /// The run since which speed files have been gone that only the served table has the rows of.
    pub dropped_at_run: Option<u64>,
}

/// A column of the inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnNote {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: ColumnKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnKind {
    Int64,
    TimestampUs,
    Decimal { scale: u8 },
    Float64,
    Boolean,
    Text,
}

/// What a day's speed files were when they were merged last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayNote {
    /// SHA-256 of the files' paths, sizes and tags.
    pub tag: Digest,
    /// Keys that have rows in them, percent-encoded as in paths.
    pub keys: BTreeSet<String>,
    /// Whether files of the day were removed since the served table has their rows: it alone has them now.
    pub dropped: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionNote {
    /// SHA-256 of the last rows, in their canonical form: what the next year depends on.
    pub tail: Digest,
    /// End of the last window, µs since 1970-01-01 UTC.
    pub end_us: i64,
    pub gaps: Vec<GapNote>,
    /// False: an older partition was restored, and what is said here is not of it.
    pub sound: bool,
}

/// Consecutive windows without a complete row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapNote {
    pub from_us: i64,
    pub to_us: i64,
    /// The best rows are partial; else there are none.
    pub partial: bool,
    pub windows: u64,
}

/// A gap that is one no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Healed {
    pub key: String,
    pub from_us: i64,
    pub to_us: i64,
    /// Wall clock of the merge that found it mended, µs since 1970-01-01 UTC.
    pub at_us: i64,
}

impl Notes {
    /// The notes in a job's state; empty ones where it never ran.
    pub fn of(job: &str, state: &TableState) -> Result<Self, TableError> {
        if state.notes.is_null() {
            return Ok(Self::default());
        }
        serde_json::from_value(state.notes.clone())
            .map_err(|error| TableError::State { job: job.to_owned(), why: error.to_string() })
    }

    /// The last day before a year, and the first one after it, that a key has rows of.
    pub fn neighbours(&self, key: &str, year: i32) -> [Option<&str>; 2] {
        let has_key = |note: &DayNote| note.keys.contains(key);
        let start = |year: i32| format!("{year:04}-01-01");
        let mut before = self.days.range(..start(year)).rev();
        let mut after = self.days.range(start(year + 1)..);
        [before.find(|(_, note)| has_key(note)), after.find(|(_, note)| has_key(note))]
            .map(|found| found.map(|(day, _)| day.as_str()))
    }

    pub fn add_healed(&mut self, healed: impl Iterator<Item = Healed>) {
        self.healed.extend(healed);
        let too_many = self.healed.len().saturating_sub(HEALED_KEPT);
        self.healed.drain(..too_many);
    }
}

/// What the newest run of a merge left, without owning the job; `None` if it never ran.
pub fn peek(store: &Store, job: &str) -> Result<Option<(TableState, Notes)>, TableError> {
    let Some(state) = job::peek(store, job)? else { return Ok(None) };
    let notes = Notes::of(job, &state)?;
    Ok(Some((state, notes)))
}

impl ColumnNote {
    pub fn of(column: &Column) -> Self {
        let kind = match &column.data {
            ColumnData::Int64(_) => ColumnKind::Int64,
            ColumnData::TimestampUs(_) => ColumnKind::TimestampUs,
            ColumnData::Decimal(decimals) => ColumnKind::Decimal { scale: decimals.scale },
            ColumnData::Float64(_) => ColumnKind::Float64,
            ColumnData::Boolean(_) => ColumnKind::Boolean,
            ColumnData::Text(_) => ColumnKind::Text,
        };
        Self { name: column.name.clone(), kind }
    }

    /// The column without rows.
    fn empty(&self) -> Column {
        let data = match self.kind {
            ColumnKind::Int64 => ColumnData::Int64(Vec::new()),
            ColumnKind::TimestampUs => ColumnData::TimestampUs(Vec::new()),
            ColumnKind::Decimal { scale } => {
                ColumnData::Decimal(Decimals { scale, values: Vec::new(), high: None })
            }
            ColumnKind::Float64 => ColumnData::Float64(Vec::new()),
            ColumnKind::Boolean => ColumnData::Boolean(Vec::new()),
            ColumnKind::Text => {
                ColumnData::Text(Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() })
            }
        };
        Column { name: self.name.clone(), data, validity: None }
    }
}

/// A table with these columns and no rows.
pub fn empty_table(columns: &[ColumnNote]) -> Table {
    Table { rows: 0, columns: columns.iter().map(ColumnNote::empty).collect() }
}
