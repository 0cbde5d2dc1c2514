//! How far a group in work is, so that a run that is killed continues from there: which lines were taken, the open windows,
//! the books, and the partitions that are complete. A job's commit holds it; readers see the group once it is whole.

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};
use tallow_engine::Part;
use tallow_log::record::BlobRef;
use tallow_record::Place;
use tallow_sink::{DeadLetter, ReasonKind};
use tallow_table::{Stored, Unfinished, file};

use crate::account::{FORMAT, group_of};
use crate::commits::Commits;
use crate::coverage::Coverage;
use crate::error::BatchError;
use crate::group_build::GroupBuild;
use crate::group_ledger::Accounts;
use crate::ids::Ids;
use crate::judgement::FileCounts;
use crate::position::{Position, Way};
use crate::report::Report;
use crate::window_accumulator::Kept;

/// The account of unfinished work: postcard.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    pub format: String,
    pub group: String,
    pub fingerprint: String,
    /// The rows are too far out of order for anything but to be sorted: nothing else is held.
    pub unsorted: bool,
    pub at: Position,
    /// The clock that all lines of the group are judged by, µs.
    pub clock_us: i64,
    pub accounts: Books,
    pub coverage: Coverage,
    /// Windows that end by then are closed, µs.
    pub windows_closed_us: Option<i64>,
    pub windows: Vec<WindowPart>,
    /// Windows that start before have gone through the merge function, µs.
    pub closed_us: Option<i64>,
    /// The last rows of each key that have, as Parquet.
    pub last_rows: Vec<(String, Vec<u8>)>,
    /// Files of dead letters.
    pub letter_files: u64,
    pub files: Vec<Stored>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Books {
    report: Report,
    dead: Vec<Letter>,
    files: Vec<FileCounts>,
    with_rows: u64,
    closed: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct WindowPart {
    spec: u32,
    group: u32,
    blob: BlobRef,
}

/// A dead letter of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Letter {
    file: String,
    line: i64,
    text: Option<Vec<u8>>,
    kind: String,
    reason: String,
    window: Option<String>,
    row: Option<u32>,
}

impl Checkpoint {
    /// Of a group, with nothing taken.
    pub fn of(making: &GroupBuild<'_>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            group: making.name.to_owned(),
            fingerprint: making.fingerprint.to_owned(),
            ..Self::default()
        }
    }

    /// Stores how far a group is, for a commit to hold. `self`: all but the books and the open windows.
    pub fn put(
        mut self,
        commits: &Commits<'_>,
        accounts: &Accounts,
        kept: Kept,
    ) -> Result<Unfinished, BatchError> {
        let windows = kept.parts.into_iter().map(|Part { spec, group, bytes }| {
            Ok(WindowPart { spec, group, blob: commits.put_blob(bytes)? })
        });
        self.windows = windows.collect::<Result<Vec<_>, BatchError>>()?;
        self.accounts = Books::of(accounts);
        (self.coverage, self.windows_closed_us) = (kept.coverage, kept.closed_us);
        let account = self.put_account(commits)?;
        let blobs = self.windows.iter().map(|part| &part.blob);
        let blobs = blobs.chain(self.files.iter().filter_map(|file| file.blob.as_ref())).cloned();
        Ok(Unfinished { account, blobs: blobs.collect() })
    }

    /// Stores that a group has to be sorted, for a commit to hold.
    pub fn put_unsorted(
        commits: &Commits<'_>,
        making: &GroupBuild<'_>,
        ids: Ids,
    ) -> Result<Unfinished, BatchError> {
        let checkpoint = Self { unsorted: true, coverage: Coverage::new(ids, None), ..Self::of(making) };
        Ok(Unfinished { account: checkpoint.put_account(commits)?, blobs: Vec::new() })
    }

    fn put_account(&self, commits: &Commits<'_>) -> Result<BlobRef, BatchError> {
        let encoded =
            postcard::to_allocvec(self).map_err(|error| BatchError::Checkpoint { why: error.to_string() })?;
        commits.put_blob(encoded)
    }

    /// Where an earlier run stopped with a group, if that is of any use now. Unfinished work can be done again, so what
    /// cannot be read of it is logged, and no more.
    pub fn held(commits: &Commits<'_>, group: &str, fingerprint: &str) -> Option<Self> {
        let found = match commits.read_blob(&commits.unfinished(group)?.account) {
            Ok(bytes) => Self::decode(&bytes),
            Err(error) => {
                tracing::warn!(%error, "where the last run stopped cannot be read: its group starts over");
                None
            }
        };
        found.filter(|found| found.is_of(group, fingerprint, commits))
    }

    /// What an account says; `None` if it is of another version of this program.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        // Its beginning decides whether the rest can be read.
        group_of(bytes)?;
        postcard::from_bytes(bytes).ok()
    }

    /// How the group's rows are taken.
    pub fn way(&self) -> Way {
        Way { sorted: self.unsorted, ids: self.coverage.ids() }
    }

    /// Whether it is of a group's very files and functions, and all of it can be had.
    pub fn is_of(&self, group: &str, fingerprint: &str, commits: &Commits<'_>) -> bool {
        (self.group.as_str(), self.fingerprint.as_str()) == (group, fingerprint)
            && self.files.iter().all(|file| file.holds(commits.state()))
    }

    pub fn accounts(&mut self, accounts: &mut Accounts) {
        let books = std::mem::take(&mut self.accounts);
        accounts.report = books.report;
        accounts.dead = books.dead.into_iter().map(Letter::dead).collect();
        accounts.files = books.files;
        (accounts.with_rows, accounts.closed) = (books.with_rows, books.closed);
    }

    /// The open windows.
    pub fn kept(&self, commits: &Commits<'_>) -> Result<Kept, BatchError> {
        let parts = self.windows.iter().map(|part| {
            let bytes = commits.read_blob(&part.blob)?.to_vec();
            Ok(Part { spec: part.spec, group: part.group, bytes })
        });
        let parts = parts.collect::<Result<Vec<_>, BatchError>>()?;
        Ok(Kept { parts, coverage: self.coverage.clone(), closed_us: self.windows_closed_us })
    }

    pub fn last_rows(&self) -> Result<Vec<(String, RecordBatch)>, BatchError> {
        let rows = self.last_rows.iter().map(|(symbol, bytes)| {
            let content = file::decode("last rows of a checkpoint", bytes.clone().into())?;
            Ok((symbol.clone(), content.rows))
        });
        rows.collect()
    }
}

impl Books {
    fn of(accounts: &Accounts) -> Self {
        Self {
            report: accounts.report.clone(),
            dead: accounts.dead.iter().map(Letter::of).collect(),
            files: accounts.files.clone(),
            with_rows: accounts.with_rows,
            closed: accounts.closed,
        }
    }
}

impl Letter {
    fn of(letter: &DeadLetter) -> Self {
        Self {
            file: letter.place.topic.to_string(),
            line: letter.place.offset,
            text: letter.value.clone(),
            kind: letter.kind.as_str().to_owned(),
            reason: letter.reason.clone(),
            window: letter.window.clone(),
            row: letter.row,
        }
    }

    /// Lines have neither keys nor headers nor timestamps.
    fn dead(self) -> DeadLetter {
        let kind = ReasonKind::ALL.into_iter().find(|kind| kind.as_str() == self.kind);
        DeadLetter {
            place: Place { topic: self.file.into(), partition: 0, offset: self.line },
            timestamp_us: -1,
            key: None,
            value: self.text,
            headers: Vec::new(),
            kind: kind.unwrap_or(ReasonKind::Rejected),
            reason: self.reason,
            window: self.window,
            row: self.row,
        }
    }
}
