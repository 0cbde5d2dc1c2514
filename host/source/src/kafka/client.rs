//! One librdkafka client: how it is made, what it logs, and what it last complained of.

use std::sync::{Mutex, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::setting_names::{self, nearest};
use crate::SourceError;

pub(super) type Client = BaseConsumer<Context>;

/// What a client says by itself: its log goes to the host's, and the newest complaint is kept, which is the reason to
/// show when no broker answers.
#[derive(Default)]
pub struct Context {
    complaint: Mutex<Option<String>>,
}

impl Context {
    /// The newest complaint since the last call of [`Context::forget`].
    pub fn complaint(&self) -> Option<String> {
        self.complaint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn forget(&self) {
        *self.complaint.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Connections that fail, on each try of each client: [`ClientContext::error`] hears of them, too, and who waits
        // for a broker tells it.
        if matches!(facility, "FAIL" | "ERROR") {
            return tracing::debug!(facility, "{message}");
        }
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(facility, "{message}"),
            RDKafkaLogLevel::Debug => tracing::debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let mut complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        // "All brokers are down" says less than the refused connection or failed login before it.
        if complaint.is_none() || !reason.contains("brokers are down") {
            *complaint = Some(if reason.is_empty() { error.to_string() } else { reason.to_owned() });
        }
    }
}

impl ConsumerContext for Context {}

pub(super) fn connect(config: &ClientConfig) -> Result<Client, SourceError> {
    config.create_with_context(Context::default()).map_err(wrong)
}

/// Whether librdkafka knows the settings and takes their values.
pub(super) fn native(config: &ClientConfig) -> Result<(), SourceError> {
    config.create_native_config().map(drop).map_err(wrong)
}

fn wrong(error: KafkaError) -> SourceError {
    match error {
        // The value of a setting that there is not says nothing, and may be a password under a misspelt name.
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, key, _) => {
            let why = format!("librdkafka has no such setting; did you mean `{}`?", nearest(&key));
            SourceError::Setting { key, why }
        }
        KafkaError::ClientConfig(_, why, key, value) => {
            SourceError::Setting { key, why: format!("{why} (value `{value}`)") }
        }
        KafkaError::ClientCreation(why) => match setting_names::all().find(|name| why.contains(name)) {
            Some(key) => SourceError::Setting { key: key.to_owned(), why },
            None => SourceError::Other(format!("the Kafka client could not be made: {why}")),
        },
        other => SourceError::Other(format!("the Kafka client could not be made: {other}")),
    }
}

/// Serves what waits on the client's own queue: logs, errors, answers to commits.
///
/// # Errors
/// Where the client cannot continue, and where a record comes by this queue: all of them belong into the private one.
pub(super) fn serve_events(client: &Client) -> Result<(), SourceError> {
    const AT_ONCE: usize = 16;
    for _ in 0..AT_ONCE {
        match client.poll(std::time::Duration::ZERO) {
            None => {} // Nothing, or a line of the log.
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                return Err(SourceError::Other(format!("the Kafka client stopped: {code}")));
            }
            Some(Err(_)) => {} // `Context::error` has kept it.
            Some(Ok(message)) => {
                use rdkafka::Message;
                return Err(SourceError::Other(format!(
                    "{}/{}/{}: a record came outside the batch queue",
                    message.topic(),
                    message.partition(),
                    message.offset()
                )));
            }
        }
    }
    Ok(())
}
