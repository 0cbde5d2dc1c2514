//! Why dead letters cannot be read.

use tallow_env::exit;
use tallow_sink::ReadError;
use tallow_store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum LettersError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}. Restore the file from a backup, or remove it")]
    File(#[from] ReadError),
    #[error(
        "{path}: this is no list of replays that this version reads: {why}. Remove it, and what it says is forgotten"
    )]
    Journal { path: String, why: String },
}

impl LettersError {
    /// The program's exit code for it (sysexits).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Store(error) => error.exit_code(),
            Self::File(_) | Self::Journal { .. } => exit::DATA,
        }
    }
}
