//! The producer: how it is made, what it answers, and what its errors mean.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};
use rdkafka::types::{RDKafkaConfRes, RDKafkaErrorCode};
use tallow_sink::SinkError;
use tallow_source::{ClientEvents, SourceError};

/// How long a broker may be silent while something is asked of it or sent to it.
pub const ANSWER_WAIT: Duration = Duration::from_secs(10);

const FIXED: &[(&str, &str)] = &[
    ("enable.idempotence", "true"),
    ("allow.auto.create.topics", "false"),
    // What is too large is the topic's to say.
    ("message.max.bytes", "1000000000"),
];
/// Partitions are chosen as Java's clients do. A transaction that is left open holds up its readers for at most a minute.
const DEFAULTS: &[(&str, &str)] = &[
    ("client.id", "tallow"),
    ("linger.ms", "5"),
    ("batch.size", "1000000"),
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("partitioner", "murmur2_random"),
    ("transaction.timeout.ms", "60000"),
    ("message.timeout.ms", "60000"),
    ("reconnect.backoff.max.ms", "2000"),
    ("socket.keepalive.enable", "true"),
];

pub type Producer = BaseProducer<Answers>;

/// What the brokers answered.
#[derive(Default)]
pub struct Answers {
    events: ClientEvents,
    /// The first record that was not taken, and why.
    failure: Mutex<Option<(RDKafkaErrorCode, String)>>,
}

impl Answers {
    pub fn failure(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Answers {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.events.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.events.error(error, reason);
    }
}

impl ProducerContext for Answers {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        use rdkafka::Message as _;
        let Err((error, message)) = result else { return };
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        let why = format!(
            "a record of {} bytes for topic `{}` was not taken: {error}",
            message.payload_len(),
            message.topic()
        );
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((code, why));
    }
}

/// The settings of a producer: defaults, then the manifest's, then what is fixed.
pub fn settings(brokers: &str, client: &BTreeMap<String, String>, transactional_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    let pairs = |pairs: &'static [(&str, &str)]| pairs.iter().map(|(key, value)| (*key, *value));
    let given = client.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in pairs(DEFAULTS).chain(given).chain(pairs(FIXED)) {
        config.set(key, value);
    }
    config.set("bootstrap.servers", brokers);
    config.set("transactional.id", transactional_id);
    config.set_log_level(RDKafkaLogLevel::Error);
    config
}

/// The settings that the producer does not take, such as a `message.timeout.ms` that is longer than the transaction's. No
/// broker is asked.
pub fn check_client(client: &BTreeMap<String, String>) -> Vec<SourceError> {
    let mut config = settings("", client, "check");
    config.remove("bootstrap.servers");
    connect(&config, client).err().into_iter().collect()
}

/// `client`: the manifest's settings, which are in the configuration.
pub fn connect(config: &ClientConfig, client: &BTreeMap<String, String>) -> Result<Producer, SourceError> {
    config.create_with_context(Answers::default()).map_err(|error| match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, why, key, _) => {
            SourceError::Setting { key, why }
        }
        KafkaError::ClientConfig(_, why, key, value) => {
            SourceError::Setting { key, why: format!("{why} (value `{value}`)") }
        }
        KafkaError::ClientCreation(why) => match client.keys().find(|key| why.contains(key.as_str())) {
            Some(key) => SourceError::Setting { key: key.clone(), why },
            None => SourceError::Other(format!("the Kafka producer could not be made: {why}")),
        },
        other => SourceError::Other(format!("the Kafka producer could not be made: {other}")),
    })
}

/// What an error of the producer means. `service`: for messages.
pub fn judge(service: &str, producer: &Producer, error: &KafkaError, doing: &str) -> SinkError {
    let answers = producer.context();
    // What ended the producer, such as a fence, has its records purged: their failures say less.
    let purged = |code| matches!(code, RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight);
    let failure = answers.failure().filter(|(code, _)| !purged(*code));
    let (code, why) = match producer.client().fatal_error().or(failure) {
        Some((code, why)) => (Some(code), why),
        None => {
            let heard = answers.events.complaint().map(|heard| format!(" ({heard})")).unwrap_or_default();
            (error.rdkafka_error_code(), format!("{error}{heard}"))
        }
    };
    of_code(service, code, format!("{doing}: {why}"))
}

fn of_code(service: &str, code: Option<RDKafkaErrorCode>, why: String) -> SinkError {
    use RDKafkaErrorCode as Code;
    let service = service.to_owned();
    match code {
        Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch) => {
            SinkError::Fenced { service, why }
        }
        Some(
            Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::MessageSizeTooLarge
            | Code::UnknownTopic
            | Code::UnknownTopicOrPartition
            | Code::InvalidTransactionTimeout
            | Code::UnsupportedFeature,
        ) => SinkError::Refused { service, why },
        _ => SinkError::Unreachable { service, why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_a_refusal_and_what_passes_are_told_apart() {
        use RDKafkaErrorCode as Code;
        for (code, fenced, passes) in [
            (Code::ProducerFenced, true, false),
            (Code::Fenced, true, false),
            (Code::MessageSizeTooLarge, false, false),
            (Code::TopicAuthorizationFailed, false, false),
            (Code::OperationTimedOut, false, true),
            (Code::BrokerTransportFailure, false, true),
            (Code::CoordinatorNotAvailable, false, true),
        ] {
            let error = of_code("b", Some(code), String::new());
            assert_eq!(matches!(error, SinkError::Fenced { .. }), fenced, "{code:?}");
            assert_eq!(error.is_transient(), passes, "{code:?}");
        }
    }

    #[test]
    fn a_setting_that_no_transaction_can_keep_is_named() {
        let of = |key: &str, value: &str| check_client(&BTreeMap::from([(key.to_owned(), value.to_owned())]));
        assert!(of("linger.ms", "20").is_empty());
        // Of the consumer alone: the same settings serve both.
        assert!(of("fetch.wait.max.ms", "20").is_empty());
        for (key, value) in [("message.timeout.ms", "900000"), ("acks", "1"), ("compression.type", "rar")] {
            let [SourceError::Setting { key: named, .. }] = &of(key, value)[..] else { panic!("{key}") };
            assert_eq!(named, key);
        }
    }
}
