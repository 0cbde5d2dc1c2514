//! What can go wrong with a shard's log, by what is to be done about it.

use crate::draft::Contradiction;
use crate::record::{FormatError, Writer};
use tallow_env::exit;
use tallow_lake::job::BadName;
use tallow_store::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Name(#[from] BadName),
    /// Another owner has the shard: publish nothing more and leave.
    #[error("fenced: {object} was taken by {by} (term {their_term}, ours was {our_term})", by = .by.name)]
    Fenced { object: String, by: Writer, their_term: u64, our_term: u64 },
    /// Another owner came while this one had let go of the shard.
    #[error("fenced: {by} has taken the pipeline over meanwhile ({object})", by = .by.name)]
    Taken { object: String, by: Writer },
    /// Another owner has been at it for so long that our record's place was already cleaned away.
    #[error(
        "fenced: {object} lies below the clean-up boundary {boundary}, so another owner has continued (our term was {our_term})"
    )]
    Overtaken { object: String, boundary: u64, our_term: u64 },
    /// The log or a blob is not what was written. Nothing was changed.
    #[error(
        "{object} is damaged: {why}. The pipeline stops rather than guess; restore the object from a backup"
    )]
    Corrupt { object: String, why: String },
    /// A record that this owner continues from is not there any more, and no other owner has continued.
    #[error(
        "{object}, from which this process continues, is gone: the lake was deleted or replaced while it was written to. Nothing more is \
         written; put the lake back, or start again with an empty one"
    )]
    Gone { object: String },
    #[error("{object}: {why}")]
    Format { object: String, why: FormatError },
    /// A commit's outcome is not known yet: [`settle`](crate::Job::settle) it before anything else.
    #[error("the outcome of the commit of {object} is not known yet")]
    Unsettled { object: String },
    /// The pipeline's own mistake: what it wants to commit contradicts what came before.
    #[error("refused to commit {object}: {why}")]
    Contradiction { object: String, why: Contradiction },
    #[error(
        "others keep taking {folder} over: {tries} tries to become its owner failed. Run one `tallow up` for it"
    )]
    Contended { folder: String, tries: u32 },
}

impl LogError {
    /// The program's exit code for it (sysexits): 78 fenced, 69 unreachable, 65 damaged, 2 wrong settings,
    /// 70 a mistake of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Store(error) => error.exit_code(),
            Self::Name(_) => exit::USAGE,
            Self::Fenced { .. } | Self::Taken { .. } | Self::Overtaken { .. } => exit::FENCED,
            Self::Corrupt { .. } | Self::Format { .. } | Self::Gone { .. } => exit::DATA,
            Self::Unsettled { .. } | Self::Contended { .. } => exit::UNAVAILABLE,
            Self::Contradiction { .. } => exit::INTERNAL,
        }
    }

    /// Whether another owner has the shard.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Fenced { .. } | Self::Taken { .. } | Self::Overtaken { .. })
    }

    /// Whether the same call may work later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient()) || matches!(self, Self::Unsettled { .. })
    }
}
