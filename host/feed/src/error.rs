//! Why a feed ends.

use tallow_engine::CallError;
use tallow_http::HttpError;
use tallow_produce::ProduceError;

#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A mistake in what was asked for.
    #[error("feed `{feed}`: {why}")]
    Settings { feed: String, why: String },
    #[error("feed `{feed}`, function `{function}`, {call}: {error}")]
    Function { feed: String, function: String, call: &'static str, error: CallError },
    #[error("feed `{feed}`: {error}")]
    Http { feed: String, error: HttpError },
    /// What was sent before is in Kafka or comes again at the next start.
    #[error(
        "{error}. The feed stopped so that no later record follows a lost one: start it again, and it continues after \
         the last id that the topic holds"
    )]
    Produce { error: ProduceError },
    #[error("feed `{feed}`: {why}")]
    Machine { feed: String, why: String },
}

impl From<ProduceError> for FeedError {
    fn from(error: ProduceError) -> Self {
        Self::Produce { error }
    }
}

impl FeedError {
    /// Whether the manifest or the command line is wrong.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Settings { .. } => true,
            Self::Function { error, .. } => matches!(error, CallError::Refused(_)),
            Self::Produce { error } => {
                matches!(error, ProduceError::Setting { .. } | ProduceError::NoTopic { .. })
            }
            Self::Http { error, .. } => !error.is_transient(),
            Self::Machine { .. } => false,
        }
    }
}
