//! Why there is no answer, by what the caller should do about it. Queries and bodies are left out of messages: they may
//! hold keys and signatures.

use std::net::IpAddr;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Not a request that can be sent at all.
    #[error("`{url}` cannot be asked: {why}")]
    Invalid { url: String, why: String },
    /// Nothing was sent there.
    #[error("{origin} is not one of the allowed hosts ({allowed}); nothing was sent")]
    NotAllowed { origin: String, allowed: String },
    /// Nothing was sent there.
    #[error(
        "{origin} leads to {address}, {what}; nothing was sent. If that is meant, write `internal = true` in the table \
         of the manifest that names it (`--internal` for `tallow produce`): it holds for that host and port alone"
    )]
    Internal { origin: String, address: IpAddr, what: &'static str },
    #[error("{origin}: more than {limit} redirects, the last to `{to}`")]
    Redirects { origin: String, limit: u32, to: String },
    #[error("{origin} answers with more than {limit_bytes} bytes")]
    TooLarge { origin: String, limit_bytes: u64 },
    /// May work later.
    #[error("{origin} cannot be reached: {why}")]
    Unreachable { origin: String, why: String },
    /// May work later.
    #[error("{origin} gave no whole answer within {} s", .after.as_secs_f32())]
    TimedOut { origin: String, after: Duration },
    /// May work later.
    #[error("{origin} broke off its answer: {why}")]
    Broken { origin: String, why: String },
    #[error("no HTTP client can be made on this machine: {why}")]
    Client { why: String },
}

impl HttpError {
    /// Whether the same request may work later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Broken { .. })
    }
}
