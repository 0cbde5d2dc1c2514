//! Messages into topics.

use std::sync::Mutex;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
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
