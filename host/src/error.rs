//! Why a pipeline stops, and the exit code that says so.

use tallow_engine::{CallError, LoadError};
use tallow_epoch::Imbalance;
use tallow_http::HttpError;
use tallow_log::LogError;
use tallow_sink::SinkError;
use tallow_source::SourceError;
use tallow_store::StoreError;
use tallow_table::TableError;

use crate::stage::state_limit::{Held, StateLimit};

/// Exit codes, after sysexits.h.
pub mod exit {
    pub const DONE: u8 = 0;
    pub const FAILED: u8 = 1;
    /// Bad usage or manifest.
    pub const USAGE: u8 = 2;
    /// Bad data where fail-fast was asked for.
    pub const DATA: u8 = 65;
    /// What is needed for a proof is gone.
    pub const NO_INPUT: u8 = 66;
    /// A service is unreachable.
    pub const UNAVAILABLE: u8 = 69;
    /// Fenced by another owner.
    pub const FENCED: u8 = 78;
}

#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("{0}; nothing of this epoch was published")]
    Imbalance(#[from] Imbalance),
    #[error(
        "{why}: a quarter of `limits.memory` is for the ids of all windows. Raise `limits.memory`, or say \
         `on-untracked = \"count\"` for that window, which counts rows whose ids are given up instead of stopping. Nothing \
         of this epoch was committed"
    )]
    Ids { why: String },
    /// May work later: nothing of the epoch was committed.
    #[error("remote function `{function}`, {call}: {why}")]
    Remote { function: String, call: &'static str, why: String },
    #[error("function `{function}`, {call}: {why}")]
    Function { function: String, call: &'static str, why: String },
    /// All that a window function holds is too large for a limit.
    #[error("{0}")]
    State(Box<StateLimit>),
    #[error(
        "function `{function}` fails on a batch from {place} on, but on no record of it alone: {error}. It is not \
         a record that can be set aside; the function has to be mended"
    )]
    Unrepeatable { function: String, place: String, error: String },
    #[error(
        "function `{function}` failed more than {calls} times in one epoch (last: {last}). That many bad records \
         are more likely a bad function; raise `limits.bisect-calls` to go on looking for them"
    )]
    BisectBudget { function: String, calls: u64, last: String },
    #[error(
        "{place}: {reason}. The manifest says `on-reject = \"fail\"`; \"dead-letter\" keeps the record and goes on"
    )]
    BadRecord { place: String, reason: String },
    #[error(
        "{future} of {rows} rows of an epoch are ahead of the clock: more likely the clock is wrong than the data. \
         Nothing was committed"
    )]
    Clock { future: u64, rows: u64 },
    #[error("function `{function}` is on probation: {why}")]
    Probation { function: String, why: String },
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
    #[error("{0}")]
    Checkpoint(String),
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    #[error("stopped before a broker answered: nothing was read")]
    Stopped,
    #[error("a stage of the pipeline ended without saying why")]
    Broken,
}

impl PipelineError {
    /// Whether the same may work later: a service that is away, a clock that is wrong.
    pub fn passes(&self) -> bool {
        match self {
            // A partition's trouble (no leader, an answer that did not come) is the broker's, and passes with it.
            Self::Source(SourceError::Unreachable { .. } | SourceError::Partition { .. })
            | Self::Clock { .. }
            | Self::Away { .. } => true,
            Self::Log(error) => error.passes(),
            Self::Store(error) => error.passes(),
            Self::Sink(error) => error.passes(),
            Self::Table(error) => error.passes(),
            Self::Http(error) => error.passes(),
            _ => false,
        }
    }

    /// A call that no record of its batch is to blame for.
    pub fn of_call(function: String, call: &'static str, error: &CallError) -> Self {
        match error {
            CallError::Remote(why) => Self::Remote { function, call, why: why.clone() },
            CallError::Refused(why) => Self::Function { function, call, why: why.clone() },
            other => Self::Function { function, call, why: other.to_string() },
        }
    }

    /// A call that works on all that a window function holds.
    pub fn of_state(call: &'static str, error: &CallError, held: &Held<'_>) -> Self {
        match StateLimit::new(call, error, held) {
            Some(limit) => Self::State(Box::new(limit)),
            None => Self::of_call(held.component.name().to_owned(), call, error),
        }
    }

    /// Whether another function might have done better.
    pub fn blames_function(&self) -> bool {
        matches!(
            self,
            Self::Probation { .. }
                | Self::Function { .. }
                | Self::State(_)
                | Self::Unrepeatable { .. }
                | Self::BisectBudget { .. }
                | Self::BadRecord { .. }
                | Self::Imbalance(_)
        )
    }

    /// Why, where it is already known whom it is about.
    pub fn reason(&self) -> String {
        match self {
            Self::Probation { why, .. } => why.clone(),
            other => other.to_string(),
        }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::BadRecord { .. } => exit::DATA,
            Self::Source(SourceError::Unreachable { .. }) | Self::Away { .. } | Self::Remote { .. } => {
                exit::UNAVAILABLE
            }
            Self::Source(SourceError::NoTopic { .. } | SourceError::Setting { .. }) => exit::USAGE,
            Self::Log(error) => error.exit_code(),
            Self::Store(error) => error.exit_code(),
            Self::Table(error) => error.exit_code(),
            Self::Usage(_) | Self::Checkpoint(_) | Self::Load(_) | Self::Http(_) => exit::USAGE,
            _ => exit::FAILED,
        }
    }
}
