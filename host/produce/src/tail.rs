//! What a topic already holds of a synthetic market, read from its end.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientConfig, Message};
use tallow_env::Clock;

use crate::{Newest, ProduceError, SinkConfig};

/// Records read of each partition: a market of some symbols has them all among so many.
const LOOK_BACK: i64 = 20_000;
/// How long a question may take, and how long reading may stand still.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
const READ_WAIT: Duration = Duration::from_secs(20);
const SLICE: Duration = Duration::from_millis(100);

const SETTINGS: &[(&str, &str)] = &[
    ("client.id", "tallow-produce"),
    // Assigning partitions needs a name; no group is joined.
    ("group.id", "tallow-produce"),
    ("enable.auto.commit", "false"),
    ("enable.partition.eof", "true"),
    ("auto.offset.reset", "earliest"),
];

/// The end of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tail {
    /// The market's newest trades; nothing where there are none.
    Read(Newest),
    /// It could not be read, for this reason: perhaps it may only be written.
    Unread(String),
}

/// Looks for a market's newest trades at the end of a topic. A topic that is not there has none.
pub fn newest(sink: &SinkConfig, clock: &dyn Clock) -> Tail {
    read(sink, clock).map_or_else(|error| Tail::Unread(error.to_string()), Tail::Read)
}

fn read(sink: &SinkConfig, clock: &dyn Clock) -> Result<Newest, KafkaError> {
    let mut newest = Newest::default();
    read_last(sink, clock, LOOK_BACK, &mut |value| newest.see(value))?;
    Ok(newest)
}

/// Shows the values of the last `back` records of each partition, in their order. Gives whether that was all that the
/// topic holds.
///
/// # Errors
/// The topic cannot be read.
pub fn read_end(
    sink: &SinkConfig,
    clock: &dyn Clock,
    back: i64,
    see: &mut dyn FnMut(&[u8]),
) -> Result<bool, ProduceError> {
    read_last(sink, clock, back, see).map_err(|error| ProduceError::Delivery {
        topic: sink.topic.clone(),
        brokers: sink.brokers.clone(),
        why: format!("its end cannot be read: {error}"),
    })
}

fn read_last(
    sink: &SinkConfig,
    clock: &dyn Clock,
    back: i64,
    see: &mut dyn FnMut(&[u8]),
) -> Result<bool, KafkaError> {
    let mut config = ClientConfig::new();
    for (key, value) in sink.client.iter().filter(|(key, _)| !is_producers(key)) {
        config.set(key, value);
    }
    for (key, value) in SETTINGS {
        config.set(*key, *value);
    }
    config.set("bootstrap.servers", &sink.brokers);
    let consumer: BaseConsumer = config.create()?;
    let Ends { mut open, whole } = assign_ends(&consumer, &sink.topic, back)?;
    let mut heard = clock.ticks();
    while !open.is_empty() {
        match consumer.poll(SLICE) {
            Some(Ok(message)) => {
                heard = clock.ticks();
                message.payload().into_iter().for_each(&mut *see);
                if open.get(&message.partition()).is_some_and(|latest| message.offset() + 1 >= *latest) {
                    open.remove(&message.partition());
                }
            }
            // Before the end that was told come markers of transactions, or nothing.
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(open.remove(&partition)),
            Some(Err(error)) => return Err(error),
            None => {}
        }
        if clock.ticks().since(heard) > READ_WAIT {
            return Err(KafkaError::Canceled);
        }
    }
    Ok(whole)
}

/// Partitions that hold records, with their ends.
struct Ends {
    open: BTreeMap<i32, i64>,
    /// Nothing is before what is read of them.
    whole: bool,
}

/// Assigns the last records of the partitions that hold any.
fn assign_ends(consumer: &BaseConsumer, topic: &str, back: i64) -> Result<Ends, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER_WAIT)?;
    let partitions = metadata.topics().iter().filter(|known| known.name() == topic);
    let mut from = TopicPartitionList::new();
    let mut ends = Ends { open: BTreeMap::new(), whole: true };
    for partition in partitions.flat_map(|topic| topic.partitions()).map(|partition| partition.id()) {
        let (earliest, latest) = consumer.fetch_watermarks(topic, partition, ANSWER_WAIT)?;
        if latest > earliest {
            from.add_partition_offset(topic, partition, Offset::Offset(earliest.max(latest - back)))?;
            ends.open.insert(partition, latest);
            ends.whole &= latest - back <= earliest;
        }
    }
    consumer.assign(&from)?;
    Ok(ends)
}

/// Settings that are a producer's alone: a consumer warns of them.
fn is_producers(key: &str) -> bool {
    const OF_PRODUCERS: [&str; 12] = [
        "acks",
        "batch.num.messages",
        "batch.size",
        "compression.codec",
        "compression.level",
        "compression.type",
        "delivery.timeout.ms",
        "linger.ms",
        "message.timeout.ms",
        "partitioner",
        "request.required.acks",
        "transactional.id",
    ];
    OF_PRODUCERS.contains(&key)
        || key.starts_with("queue.buffering.")
        || key.starts_with("enable.idempotence")
}
