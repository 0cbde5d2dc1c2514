//! Why a merge stops. Nothing of the run is visible then, unless it was committed: the next one completes it.

use tallow_engine::CallError;
use tallow_env::exit;
use tallow_table::TableError;

#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("function `{function}`, {partition}: {error}")]
    Function { function: String, partition: String, error: CallError },
    /// An input is not a table that can be merged.
    #[error("{path}: {why}")]
    Input { path: String, why: String },
    #[error(
        "run {run} cannot be restored: it is from before run {dropped}, after which speed files were removed that \
         only the newer tables have the rows of"
    )]
    Dropped { run: u64, dropped: u64 },
}

impl MergeError {
    /// For `map_err`: why the input at `path` cannot be merged.
    pub(crate) fn input<E: ToString>(path: &str) -> impl FnOnce(E) -> Self {
        |why| Self::Input { path: path.to_owned(), why: why.to_string() }
    }

    /// The program's exit code for it (sysexits), as [`TableError::exit_code`]; 65 a wrong input, 70 a function's
    /// mistake.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Table(error) => error.exit_code(),
            Self::Function { error: CallError::Refused(_), .. } | Self::Input { .. } => exit::DATA,
            Self::Function { .. } => exit::INTERNAL,
            Self::Dropped { .. } => exit::USAGE,
        }
    }

    /// Whether the same call may work later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Table(error) if error.is_transient())
    }
}

impl From<tallow_sink::ReadError> for MergeError {
    fn from(error: tallow_sink::ReadError) -> Self {
        Self::Table(error.into())
    }
}

impl From<tallow_store::StoreError> for MergeError {
    fn from(error: tallow_store::StoreError) -> Self {
        Self::Table(error.into())
    }
}
