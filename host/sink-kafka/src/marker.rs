//! The marker: a record in a compacted topic that says through which commit everything is out. It is written in the
//! transaction of the results, so that it is there if and only if they are.

use std::time::Duration;

use futures::executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;
use serde_json::{Value, json};
use tallow_env::Ticks;
use tallow_record::{Batch, TopicPartition};
use tallow_sink::SinkError;
use tallow_source::{Event, Limits, Position, Source, SourceError};

use crate::client::ANSWER_WAIT;
use crate::config::Config;
use crate::transactions::Shard;

/// How long another's open transaction may hold up the marker: longer than any may last.
const OPEN_FOR_AT_MOST: Duration = Duration::from_secs(90);
const READ: Limits = Limits { records: 10_000, bytes: 4 << 20, wait: Duration::from_millis(200) };
/// How long a topic may take to be known after it was made, and how long to wait between two looks.
const KNOWN_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The marker's value.
pub fn value(pipeline: &str, seq: u64) -> String {
    json!({ "pipeline": pipeline, "published_through": seq }).to_string()
}

fn seq_of(value: &[u8]) -> Option<u64> {
    let value: Value = serde_json::from_slice(value).ok()?;
    value.get("published_through")?.as_u64()
}

/// The partition of a shard's markers.
pub fn partition(config: &Config, shard: &Shard) -> TopicPartition {
    TopicPartition::new(&config.marker_topic, shard.shard as i32)
}

/// The commit that the shard's marker names; `None` if there is no marker. Whatever an earlier session has begun must have
/// been ended before; what others have open in the partition is waited for.
pub fn read(config: &Config, shard: &Shard) -> Result<Option<u64>, SinkError> {
    let partition = partition(config, shard);
    let end = uncommitted_end(config, &partition)?;
    let source = config.source(std::slice::from_ref(&config.marker_topic))?;
    let known = source.partitions().map_err(|error| config.failed(error))?;
    let Some(first) = known.iter().find(|info| info.partition == partition) else {
        return Err(config.refused(format!(
            "the marker topic `{}` has no partition {}: it needs one for each shard",
            partition.topic, partition.partition
        )));
    };
    let from = Position { partition: partition.clone(), next: first.earliest };
    let mut fetcher = source.fetcher(&[from]).map_err(|error| config.failed(error))?;
    let (key, mut at, mut marker) = (shard.marker_key(), first.earliest, None);
    let begun = config.clock.ticks();
    while at < end {
        let mut batch = Batch::default();
        let events = fetcher.fetch(READ, &mut batch).map_err(|error| config.failed(error))?;
        for record in (0..batch.len()).filter(|record| batch.keys.get(*record) == Some(key.as_bytes())) {
            marker = seq_in(config, &batch, record)?;
        }
        for event in events {
            match event {
                Event::End { next, .. } => at = at.max(next),
                Event::Unreachable { why } => return Err(config.unreachable(why)),
                Event::Lost { .. } => {}
            }
        }
        give_up_after(config, begun, &partition)?;
    }
    Ok(marker)
}

/// A tombstone takes a marker back.
fn seq_in(config: &Config, batch: &Batch, record: usize) -> Result<Option<u64>, SinkError> {
    let Some(value) = batch.values.get(record) else { return Ok(None) };
    match seq_of(value) {
        Some(seq) => Ok(Some(seq)),
        None => Err(config.refused(format!(
            "{} is no marker of tallow: `{}`. Remove it with a tombstone, or name another `marker-topic`",
            batch.place(record),
            String::from_utf8_lossy(value).chars().take(80).collect::<String>()
        ))),
    }
}

fn give_up_after(config: &Config, begun: Ticks, partition: &TopicPartition) -> Result<(), SinkError> {
    if config.clock.ticks().since(begun) < OPEN_FOR_AT_MOST {
        return Ok(());
    }
    Err(config.unreachable(format!(
        "{partition} cannot be read to its end: another producer's transaction is still open in it"
    )))
}

/// Where the partition ends for those who see what is not committed, too.
fn uncommitted_end(config: &Config, partition: &TopicPartition) -> Result<i64, SinkError> {
    let mut client = ClientConfig::new();
    for (key, value) in &config.client {
        client.set(key, value);
    }
    client.set("isolation.level", "read_uncommitted").set("bootstrap.servers", &config.brokers);
    let consumer: BaseConsumer = client.create().map_err(|error| config.unreachable(error.to_string()))?;
    let ends = consumer.fetch_watermarks(&partition.topic, partition.partition, ANSWER_WAIT);
    ends.map(|(_, end)| end).map_err(|error| config.unreachable(error.to_string()))
}

/// Makes the topic, if it is not there. One that forgets by age instead of by key is refused.
pub fn find_or_make_topic(config: &Config) -> Result<(), SinkError> {
    let source = config.source(std::slice::from_ref(&config.marker_topic))?;
    match source.partitions() {
        Ok(_) => {
            let policies = source.cleanup_policies().map_err(|error| config.failed(error))?;
            match policies.values().find(|policy| !policy.contains("compact")) {
                Some(policy) => Err(config.refused(format!(
                    "the marker topic `{}` has cleanup.policy={policy}: it would forget through which commit everything is out. {}",
                    config.marker_topic,
                    advice(config, "--alter --add-config cleanup.policy=compact")
                ))),
                None => Ok(()),
            }
        }
        Err(SourceError::NoTopic { .. }) => {
            make_topic(config)?;
            let begun = config.clock.ticks();
            while source.partitions().is_err() {
                if config.clock.ticks().since(begun) > KNOWN_WITHIN {
                    let why =
                        format!("the marker topic `{}` was made, and is not known yet", config.marker_topic);
                    return Err(config.unreachable(why));
                }
                config.clock.sleep(LOOK_EVERY);
            }
            Ok(())
        }
        Err(error) => Err(config.failed(error)),
    }
}

fn make_topic(config: &Config) -> Result<(), SinkError> {
    let mut client = ClientConfig::new();
    for (key, value) in &config.client {
        client.set(key, value);
    }
    client.set("bootstrap.servers", &config.brokers);
    let admin: AdminClient<DefaultClientContext> =
        client.create().map_err(|error| config.unreachable(error.to_string()))?;
    // The broker's own replication. Small segments: only a closed one is compacted, and a start reads all that is left.
    let topic = NewTopic::new(&config.marker_topic, 1, TopicReplication::Fixed(-1))
        .set("cleanup.policy", "compact")
        .set("segment.ms", "3600000");
    let options = AdminOptions::new().operation_timeout(Some(ANSWER_WAIT)).request_timeout(Some(ANSWER_WAIT));
    let made = block_on(admin.create_topics([&topic], &options));
    let made = made.map_err(|error| config.unreachable(error.to_string()))?;
    match made.into_iter().next() {
        None | Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => {
            tracing::info!(topic = config.marker_topic, "marker topic made");
            Ok(())
        }
        Some(Err((_, code))) => Err(config.refused(format!(
            "the marker topic `{}` cannot be made ({code}): {}",
            config.marker_topic,
            advice(config, "--create --partitions 1 --config cleanup.policy=compact")
        ))),
    }
}

fn advice(config: &Config, what: &str) -> String {
    let (program, topic) = match what.starts_with("--alter") {
        true => ("kafka-configs.sh", "--entity-type topics --entity-name"),
        false => ("kafka-topics.sh", "--topic"),
    };
    format!("`{program} --bootstrap-server {} {topic} {} {what}`", config.brokers, config.marker_topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_markers_value_is_read_back_and_nothing_else_is_one() {
        assert_eq!(seq_of(value("candles", 7).as_bytes()), Some(7));
        for other in [&b""[..], b"7", b"{}", br#"{"published_through":-1}"#, br#"{"published_through":"7"}"#]
        {
            assert_eq!(seq_of(other), None, "{}", String::from_utf8_lossy(other));
        }
    }
}
