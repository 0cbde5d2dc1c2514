//! Why a backfill stops, and the exit code that says so.

use tallow_env::exit;
use tallow_epoch::Imbalance;
use tallow_http::HttpError;
use tallow_log::LogError;
use tallow_sink::SinkError;
use tallow_store::StoreError;
use tallow_table::TableError;
use tallow_worker::{LibraryError, WorkerError};

#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("{0}; nothing of this chunk was published")]
    Imbalance(#[from] Imbalance),
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Http(#[from] HttpError),
    /// May work later: what has been committed so far stays.
    #[error(
        "backfill `{backfill}`: {base_url}: {why}. {}; run again later",
        match commits { 0 => "Nothing was committed".to_owned(), 1 => "1 commit was made".to_owned(), more => format!("{more} commits were made") }
    )]
    Away { backfill: String, base_url: String, why: String, commits: u64 },
    #[error("{0}")]
    Usage(String),
    #[error("a part of the backfill ended without saying why")]
    Broken,
}

impl BackfillError {
    /// Whether the same may work later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Log(error) => error.is_transient(),
            Self::Store(error) | Self::Library(LibraryError::Store(error)) => error.is_transient(),
            Self::Sink(error) => error.is_transient(),
            Self::Table(error) => error.is_transient(),
            Self::Http(error) => error.is_transient(),
            Self::Away { .. } => true,
            _ => false,
        }
    }

    /// Whether another process has taken the backfill's log over.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Log(error) if error.is_fenced())
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Log(error) => error.exit_code(),
            Self::Store(error) | Self::Library(LibraryError::Store(error)) => error.exit_code(),
            Self::Worker(error) => error.exit_code(),
            Self::Table(error) => error.exit_code(),
            Self::Away { .. } => exit::UNAVAILABLE,
            Self::Usage(_) | Self::Http(_) | Self::Library(_) => exit::USAGE,
            _ => exit::FAILED,
        }
    }
}
