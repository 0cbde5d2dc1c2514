//! What can go wrong with a file, by what is to be done about it.

use tallow_env::exit;
use tallow_store::{Digest, StoreError};

/// Each names the file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("no file matches `{pattern}`")]
    NoMatch { pattern: String },
    #[error("`{pattern}`: {why}")]
    Pattern { pattern: String, why: String },
    #[error("{file} cannot be read: {why}")]
    Unreadable { file: String, why: String },
    #[error(
        "{file} changed while it was read; nothing that was made of it is published. Run again when it is whole"
    )]
    Changed { file: String },
    #[error("{file} is broken: {why}")]
    Broken { file: String, why: String },
    #[error("{file}: its SHA-256 is {found}, and {checksum} says {expected}: fetch it again")]
    Checksum { file: String, checksum: String, expected: Digest, found: Digest },
    #[error("{file} has no {checksum} beside it, and the manifest asks for one (`checksums = \"required\"`)")]
    NoChecksum { file: String, checksum: String },
    #[error("{file}:{line}: a line of more than {} bytes: this is no file of klines", crate::MAX_LINE_BYTES)]
    LongLine { file: String, line: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FileError {
    /// The program's exit code for it (sysexits): 2 wrong settings, 65 bad data, 69 unreachable, 1 the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoMatch { .. } | Self::Pattern { .. } | Self::NoChecksum { .. } => exit::USAGE,
            Self::Broken { .. } | Self::Checksum { .. } | Self::LongLine { .. } => exit::DATA,
            Self::Unreadable { .. } | Self::Changed { .. } => exit::FAILED,
            Self::Store(error) => error.exit_code(),
        }
    }
}
