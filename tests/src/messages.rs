//! Messages into topics, and out of them.

use std::sync::Mutex;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientContext, Message as _};

/// A message to produce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub key: Option<Vec<u8>>,
    /// None: by the key.
    pub partition: Option<i32>,
    /// Milliseconds since 1970-01-01 UTC; None: now.
    pub timestamp_ms: Option<i64>,
    /// None: a tombstone.
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Puts all messages into a topic, in order, and returns when the broker has them.
pub fn produce(brokers: &str, topic: &str, messages: &[Message]) {
    let producer: BaseProducer<Deliveries> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("max.in.flight.requests.per.connection", "1")
        .set("linger.ms", "5")
        .create_with_context(Deliveries::default())
        .expect("a producer");
    for message in messages {
        send(&producer, topic, message);
    }
    producer.flush(Duration::from_secs(60)).expect("the broker takes all messages");
    let failed = producer.context().failed.lock().expect("no callback panicked");
    assert!(failed.is_empty(), "not delivered: {failed:?}");
}

fn send(producer: &BaseProducer<Deliveries>, topic: &str, message: &Message) {
    let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
    record.key = message.key.as_deref();
    record.partition = message.partition;
    record.timestamp = message.timestamp_ms;
    record.payload = message.value.as_deref();
    if !message.headers.is_empty() {
        let headers = message.headers.iter();
        let header = |all: OwnedHeaders, (name, value): &(String, Option<Vec<u8>>)| {
            all.insert(Header { key: name, value: value.as_deref() })
        };
        record.headers = Some(headers.fold(OwnedHeaders::new(), header));
    }
    loop {
        match producer.send(record) {
            Ok(()) => break,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                producer.poll(Duration::from_millis(50));
                record = back;
            }
            Err((error, _)) => panic!("cannot produce to {topic}: {error}"),
        }
    }
    producer.poll(Duration::ZERO);
}

#[derive(Default)]
struct Deliveries {
    failed: Mutex<Vec<String>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, message)) = result {
            let mut failed = self.failed.lock().expect("no callback panicked");
            failed.push(format!("{}/{}: {error}", message.topic(), message.partition()));
        }
    }
}

/// Keys and values of a topic, each partition in its order, one partition after the other.
pub fn consume(brokers: &str, topic: &str) -> Vec<(String, String)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "tests")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .expect("a consumer");
    let wait = Duration::from_secs(30);
    let metadata = consumer.fetch_metadata(Some(topic), wait).expect("the broker answers");
    let partitions = metadata.topics()[0].partitions().iter().map(|partition| partition.id());
    let mut all = Vec::new();
    for partition in partitions {
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
        consumer.assign(&from).expect("a partition");
        loop {
            match consumer.poll(wait).expect("a record or the end comes") {
                Ok(message) => {
                    let text = |bytes: Option<&[u8]>| {
                        String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                    };
                    all.push((text(message.key()), text(message.payload())));
                }
                Err(KafkaError::PartitionEOF(_)) => break,
                Err(error) => panic!("{topic}/{partition}: {error}"),
            }
        }
    }
    all
}
