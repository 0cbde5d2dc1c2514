//! What can go wrong with a function, by what the host must do about it.

use std::path::PathBuf;

/// A component that is not taken.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{path}: {why}. Build the functions with `make functions`, or correct `source` in the manifest")]
    Unreadable { path: PathBuf, why: String },
    #[error("{name} is not a WebAssembly component: {why}")]
    Invalid { name: String, why: String },
    #[error(
        "{name} imports `{import}`: a function may import nothing but the types of `tallow:types/types` and WASI 0.2, \
         which is answered with nothing, so that it has no clock, files or network and a replay gives the same bytes"
    )]
    Import { name: String, import: String },
    #[error(
        "{name} does not export `{wanted}` (it exports {exports}): it is not a {contract} function of a version that this host knows"
    )]
    Contract { name: String, contract: &'static str, wanted: String, exports: String },
    #[error("{name} exports `{found}`, and this host takes {takes}: {remedy}")]
    Version { name: String, found: String, takes: String, remedy: &'static str },
    #[error("{name}: {why}")]
    Remote { name: String, why: String },
    #[error(
        "{name} exports `{interface}` with other types than this host's: {why}. Build it with this host's `wit/`"
    )]
    Types { name: String, interface: String, why: String },
}

impl LoadError {
    /// The parser shows some bytes one a line: here they are one text.
    pub(crate) fn invalid(name: &str, error: &wasmtime::Error) -> Self {
        let why = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
        Self::Invalid { name: name.to_owned(), why }
    }
}

/// A call that did not give a result that the contract allows. The instance is spent after all but
/// [`CallError::Refused`]: its memory may be in any state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("trapped: {0}")]
    Trap(String),
    #[error("missed its deadline of {deadline_ms} ms")]
    Deadline { deadline_ms: u64 },
    /// The time for all of its calls together is over.
    #[error("spent the {all_ms} ms that it has for all calls together")]
    Allowance { all_ms: u64 },
    #[error("wanted more than its {cap_bytes} bytes of memory")]
    Memory { cap_bytes: u64 },
    #[error("gave back more than {cap_bytes} bytes")]
    Output { cap_bytes: u64 },
    #[error("broke its contract: {0}")]
    Contract(String),
    /// The function itself answered with an error: what it was asked for is wrong.
    #[error("refused: {0}")]
    Refused(String),
    /// A remote function was not reached, or is another one than before. Nothing is known of the batch.
    #[error("{0}")]
    Remote(String),
    /// A remote window function takes its state with every call.
    #[error(
        "its state has {state_bytes} bytes, with which a call has {call_bytes}; a gateway takes {limit_bytes}. Run this \
         window function in the host (`function = \"window\"`), or make fewer or smaller windows of fewer keys"
    )]
    State { state_bytes: u64, call_bytes: u64, limit_bytes: u64 },
}

impl CallError {
    /// The reason's short name in counters and dead letters.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::Deadline { .. } => "deadline",
            Self::Allowance { .. } => "allowance",
            Self::Memory { .. } => "memory",
            Self::Output { .. } => "output",
            Self::Contract(_) => "contract",
            Self::Refused(_) => "refused",
            Self::Remote(_) => "remote",
            Self::State { .. } => "state",
        }
    }

    /// The key in `limits` of the limit that was hit.
    pub fn limit(&self) -> Option<&'static str> {
        match self {
            Self::Memory { .. } => Some("memory"),
            Self::Deadline { .. } => Some("deadline"),
            Self::Output { .. } => Some("output"),
            _ => None,
        }
    }

    /// Whether fewer records at once may pass, though no record of a batch is to blame.
    pub fn may_pass_in_parts(&self) -> bool {
        self.limit().is_some()
    }

    /// Whether it took too much room, rather than too much time.
    pub fn is_about_size(&self) -> bool {
        matches!(self, Self::Memory { .. } | Self::Output { .. })
    }

    /// Whether some record of the batch may be the cause, so that it is worth looking for.
    pub fn may_be_a_record(&self) -> bool {
        !matches!(self, Self::Refused(_) | Self::Remote(_) | Self::State { .. } | Self::Allowance { .. })
    }
}
