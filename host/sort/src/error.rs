//! What can go wrong with a sort, by what is to be done about it.

use std::io;
use std::path::{Path, PathBuf};
use tallow_env::exit;

use arrow_schema::ArrowError;

#[derive(Debug, thiserror::Error)]
pub enum SortError {
    /// The scratch folder does not take or give back what it should.
    #[error("{}: a scratch file cannot be {what}: {error}. {advice}", .folder.display())]
    Scratch { folder: PathBuf, what: &'static str, error: io::Error, advice: &'static str },
    /// Rows of two schemas cannot be in one order.
    #[error("rows to be sorted have other columns than those before: {found}, and before {expected}")]
    Schema { expected: String, found: String },
    /// A column that rows are sorted by is not there or of no use, or one of a type that has no place in a run.
    #[error("rows cannot be sorted: column `{column}` {why}")]
    Column { column: String, why: String },
    #[error("rows cannot be sorted: {0}")]
    Arrow(#[from] ArrowError),
}

impl SortError {
    /// Of a call on the scratch folder; `what` completes "cannot be".
    pub(crate) fn scratch(folder: &Path, what: &'static str, error: io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "Free space there, or have a folder used that has more"
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                "Make this folder, or have another one used"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "Have it made writable, or have another folder used"
            }
            _ => "Have another folder used",
        };
        Self::Scratch { folder: folder.to_owned(), what, error, advice }
    }

    /// The program's exit code for it (sysexits): 1 a scratch folder, 70 a mistake of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Scratch { .. } => exit::FAILED,
            Self::Schema { .. } | Self::Column { .. } | Self::Arrow(_) => exit::INTERNAL,
        }
    }
}
