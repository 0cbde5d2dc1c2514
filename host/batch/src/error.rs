//! Why a batch stops.

use tallow_engine::CallError;
use tallow_env::exit;
use tallow_files::FileError;
use tallow_sink::SinkError;
use tallow_store::StoreError;
use tallow_table::TableError;
use tallow_worker::WorkerError;

#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Sort(#[from] tallow_sort::SortError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("a part of the batch ended without saying why")]
    Broken,
    #[error("function `{function}`, {call}: {error}")]
    Function { function: String, call: &'static str, error: CallError },
    #[error("{place}: function `{function}`, update, on the rows of these lines: {error}")]
    Rows { function: String, place: String, error: CallError },
    #[error("function `{function}` gave {what}")]
    Answer { function: String, what: String },
    #[error(
        "{doubts}. Nothing of it is published, and what was there is as it was; `--allow-empty` (in a manifest `allow-empty = \
         true`) publishes it all the same"
    )]
    Doubtful { doubts: String },
    #[error("{file}: `symbol-from` finds no symbol in its name: `{pattern}`")]
    NoSymbol { file: String, pattern: String },
    #[error("{file}: {why}")]
    Unreadable { file: String, why: String },
    #[error(
        "{file}:{line}: a row of {length} for a time for which there are rows of {other}: take files of one interval, or make \
         a table of each"
    )]
    Overlap { file: String, line: i64, length: String, other: String },
    #[error(
        "{count} of {rows} rows contradict themselves, the first is {first}: is the order of the columns right \
         (`columns`)? Nothing of these files is published"
    )]
    Contradicting { count: u64, rows: u64, first: String },
    #[error("the books do not balance, and nothing is published: {0}")]
    Books(String),
    /// The rows are further out of order than memory allows for: they have to be sorted first.
    #[error("the rows are further out of order than memory allows for")]
    Unsorted,
    /// Rows of different times have the same id.
    #[error("rows of different times have the same id")]
    Ids,
    #[error("how far the run is cannot be written down: {why}")]
    Checkpoint { why: String },
    #[error("stopped; what was committed stays, and the next run continues from there")]
    Stopped,
}

impl BatchError {
    /// Whether the rows have to be sorted: they are too far out of order, or there are so many keys side by side that a
    /// window function elsewhere cannot be sent their state.
    pub fn is_unsorted(&self) -> bool {
        matches!(self, Self::Unsorted | Self::Rows { error: CallError::State { .. }, .. })
    }

    /// Whether it is the group's files that are at fault: other groups can be made all the same.
    pub fn is_of_files(&self) -> bool {
        matches!(
            self,
            Self::File(_)
                | Self::Unreadable { .. }
                | Self::Overlap { .. }
                | Self::Contradicting { .. }
                | Self::Doubtful { .. }
        )
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } | Self::Overlap { .. } | Self::Contradicting { .. } => exit::DATA,
            Self::File(error) => error.exit_code(),
            Self::Table(error) => error.exit_code(),
            Self::Sort(error) => error.exit_code(),
            Self::Store(error) => error.exit_code(),
            Self::Worker(error) => error.exit_code(),
            Self::NoSymbol { .. }
            | Self::Function { error: CallError::Refused(_), .. }
            | Self::Rows { error: CallError::Refused(_), .. } => exit::USAGE,
            Self::Doubtful { .. } => exit::DATA,
            _ => exit::FAILED,
        }
    }
}

/// A call of a function failed, and no line is to blame.
pub fn failed(function: &str, call: &'static str, error: CallError) -> BatchError {
    BatchError::Function { function: function.to_owned(), call, error }
}
