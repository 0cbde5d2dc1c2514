//! What can go wrong with a rebuilt table, by what is to be done about it.

use tallow_env::exit;
use tallow_log::LogError;
use tallow_sink::ReadError;
use tallow_store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the lake is not what a table has.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// A table of a function cannot be written.
    #[error("{path} cannot be written as Parquet: {why}")]
    Unwritable { path: String, why: String },
    /// S3 cannot put so large an object in its place.
    #[error(
        "{path} would have {size} bytes; a partition has at most {most}, which is what S3 copies. Make its windows \
         longer, or their columns fewer"
    )]
    TooLarge { path: String, size: u64, most: u64 },
    /// A large file cannot be put down on this machine before it is stored.
    #[error("{path}: {why}")]
    Scratch { path: String, why: String },
    /// The commit's own account of its tables is not one that this program reads.
    #[error("the state of job `{job}` cannot be read: {why}. Run the version of tallow that wrote it")]
    State { job: String, why: String },
    /// What was asked to be restored cannot be.
    #[error("{0}")]
    Restore(String),
}

impl TableError {
    /// The program's exit code for it (sysexits), as [`LogError::exit_code`]; 65 a damaged file, 2 a wrong run or
    /// windows that make too much, 1 no room
    /// on this machine.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Log(error) => error.exit_code(),
            Self::Store(error) => error.exit_code(),
            Self::Unreadable(_) | Self::State { .. } => exit::DATA,
            Self::Unwritable { .. } => exit::INTERNAL,
            Self::Restore(_) | Self::TooLarge { .. } => exit::USAGE,
            Self::Scratch { .. } => exit::FAILED,
        }
    }

    /// Whether the same call may work later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Log(error) => error.is_transient(),
            Self::Store(error) => error.is_transient(),
            _ => false,
        }
    }
}
