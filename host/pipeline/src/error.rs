//! Why a pipeline stops, and the exit code that says so.

use tallow_engine::LoadError;
use tallow_env::exit;
use tallow_epoch::Imbalance;
use tallow_log::LogError;
use tallow_sink::SinkError;
use tallow_source::SourceError;
use tallow_store::StoreError;
use tallow_worker::{LibraryError, WorkerError};

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
    Load(#[from] LoadError),
    #[error(transparent)]
    Library(LibraryError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("{0}; nothing of this epoch was published")]
    Imbalance(#[from] Imbalance),
    #[error(
        "{why}: a quarter of `limits.memory` is for the ids of all windows. Raise `limits.memory`, or say \
         `on-untracked = \"count\"` for that window, which counts rows whose ids are given up instead of stopping. Nothing \
         of this epoch was committed"
    )]
    Ids { why: String },
    #[error(
        "{future} of {rows} rows of an epoch are ahead of the clock: more likely the clock is wrong than the data. \
         Nothing was committed"
    )]
    Clock { future: u64, rows: u64 },
    #[error(
        "the whole result of window `{window}` has {rows} rows, and its topic gets at most {most} at each change: raise \
         `most-rows` of its [trigger.kafka.windows.kafka], or send what changes, with `mode = \"update\"`. Nothing of this \
         epoch was committed"
    )]
    Whole { window: String, rows: u64, most: u64 },
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
    pub fn is_transient(&self) -> bool {
        match self {
            // A partition's trouble (no leader, an answer that did not come) is the broker's, and passes with it.
            Self::Source(SourceError::Unreachable { .. } | SourceError::Partition { .. })
            | Self::Clock { .. } => true,
            Self::Log(error) => error.is_transient(),
            Self::Store(error) => error.is_transient(),
            Self::Sink(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether another function might have done better.
    pub fn blames_function(&self) -> bool {
        match self {
            Self::Worker(error) => error.blames_function(),
            Self::Imbalance(_) => true,
            _ => false,
        }
    }

    /// Why, where it is already known whom it is about.
    pub fn reason(&self) -> String {
        match self {
            Self::Worker(WorkerError::Probation { why, .. }) => why.clone(),
            other => other.to_string(),
        }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Source(SourceError::Unreachable { .. }) => exit::UNAVAILABLE,
            Self::Worker(error) => error.exit_code(),
            Self::Source(SourceError::NoTopic { .. } | SourceError::Setting { .. }) => exit::USAGE,
            Self::Log(error) => error.exit_code(),
            Self::Store(error) => error.exit_code(),
            Self::Sink(SinkError::Unreachable { .. }) => exit::UNAVAILABLE,
            Self::Sink(SinkError::Fenced { .. }) => exit::FENCED,
            Self::Sink(SinkError::Unknown { .. } | SinkError::NoTopic { .. } | SinkError::Refused { .. }) => {
                exit::USAGE
            }
            Self::Checkpoint(_) | Self::Load(_) | Self::Library(_) => exit::USAGE,
            _ => exit::FAILED,
        }
    }
}

impl From<LibraryError> for PipelineError {
    fn from(error: LibraryError) -> Self {
        match error {
            LibraryError::Store(error) => error.into(),
            LibraryError::Load(error) => error.into(),
            error => Self::Library(error),
        }
    }
}
