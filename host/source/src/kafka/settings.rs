//! Client settings: what is fixed, what we set otherwise than librdkafka, and what the manifest may pass through.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::SourceError;

const FIXED: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
    ("isolation.level", "read_committed"),
    ("enable.partition.eof", "true"),
    ("check.crcs", "true"),
    ("allow.auto.create.topics", "false"),
];

/// Where librdkafka's own values favour many small clients, these favour throughput and a short wait at the end of a
/// partition: its pause of 1 s on a full queue alone would halve the rate.
const DEFAULTS: &[(&str, &str)] = &[
    ("client.id", "tallow"),
    ("fetch.message.max.bytes", "4194304"),
    ("fetch.wait.max.ms", "50"),
    ("fetch.queue.backoff.ms", "2"),
    ("fetch.error.backoff.ms", "100"),
    ("queued.min.messages", "200000"),
    ("queued.max.messages.kbytes", "65536"),
    ("reconnect.backoff.max.ms", "2000"),
    ("socket.keepalive.enable", "true"),
    ("socket.timeout.ms", "30000"),
];

/// Settings that may not be passed through, with the reason.
pub const REFUSED: &[(&str, &str)] = &[
    ("bootstrap.servers", "the brokers are set by `brokers`"),
    ("metadata.broker.list", "the brokers are set by `brokers`"),
    (
        "group.id",
        "partitions are assigned by the checkpoint; `group-for-lag` names the group that shows the lag",
    ),
    ("group.instance.id", "partitions are assigned by the checkpoint, not by a group"),
    ("group.protocol", "partitions are assigned by the checkpoint, not by a group"),
    ("group.remote.assignor", "partitions are assigned by the checkpoint, not by a group"),
    ("partition.assignment.strategy", "partitions are assigned by the checkpoint, not by a group"),
    ("enable.auto.commit", "the checkpoint log alone says how far the pipeline is"),
    ("auto.commit.enable", "the checkpoint log alone says how far the pipeline is"),
    ("auto.commit.interval.ms", "the checkpoint log alone says how far the pipeline is"),
    ("enable.auto.offset.store", "the checkpoint log alone says how far the pipeline is"),
    ("offset.store.method", "the checkpoint log alone says how far the pipeline is"),
    ("auto.offset.reset", "an offset that is gone is an error, never skipped in silence; see `on-data-loss`"),
    ("isolation.level", "aborted transactions must stay invisible"),
    ("enable.partition.eof", "the end of a partition decides about idleness and `--available-now`"),
    ("check.crcs", "a damaged record must be seen"),
    ("allow.auto.create.topics", "a misspelt topic must be an error, not a new topic"),
    ("message.max.bytes", "it is a producer's setting; what a fetch may bring is `fetch.message.max.bytes`"),
    ("consume.callback.max.messages", "records are read from a queue, not by callbacks"),
    ("test.mock.num.brokers", "it would read from an empty broker inside the process"),
    ("offset.store.path", "the checkpoint log alone says how far the pipeline is"),
    ("transactional.id", "it is a producer's setting; the sinks choose it"),
    ("enable.idempotence", "it is a producer's setting; the sinks choose it"),
    ("plugin.library.paths", "it would load foreign code into the host"),
    ("log.queue", "the log goes to the host's own"),
];

/// Why a client setting may not be passed through; `None` where it may.
pub fn refuse(key: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == key).map(|(_, why)| *why)
}

/// The settings of one client: defaults, then the manifest's, then what is fixed.
pub(super) fn client_config(
    brokers: &str,
    group: &str,
    client: &BTreeMap<String, String>,
) -> Result<ClientConfig, SourceError> {
    let mut config = ClientConfig::new();
    for (key, value) in DEFAULTS {
        config.set(*key, *value);
    }
    for (key, value) in client {
        if let Some(why) = refuse(key) {
            return Err(SourceError::Setting { key: key.clone(), why: format!("may not be set: {why}") });
        }
        config.set(key, value);
    }
    for (key, value) in FIXED {
        config.set(*key, *value);
    }
    config.set("bootstrap.servers", brokers);
    // Assignment needs a group's name, even though no group is joined and nothing is read from it.
    config.set("group.id", group);
    config.set_log_level(RDKafkaLogLevel::Warning);
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fixed_is_refused_from_outside() {
        for (key, _) in FIXED {
            assert!(refuse(key).is_some(), "{key}");
        }
    }

    #[test]
    fn a_refused_setting_is_named_with_its_reason() {
        let client = BTreeMap::from([("auto.offset.reset".to_owned(), "latest".to_owned())]);
        let error = client_config("b:9092", "g", &client).unwrap_err().to_string();
        assert!(error.contains("auto.offset.reset") && error.contains("on-data-loss"), "{error}");
    }

    #[test]
    fn the_manifest_overrides_defaults() {
        let client = BTreeMap::from([("fetch.wait.max.ms".to_owned(), "7".to_owned())]);
        let config = client_config("b:9092", "g", &client).unwrap();
        assert_eq!(config.get("fetch.wait.max.ms"), Some("7"));
        assert_eq!(config.get("isolation.level"), Some("read_committed"));
    }
}
