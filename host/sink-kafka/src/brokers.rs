//! Kafka's brokers, by librdkafka's transactional producer.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};
use rdkafka::types::RDKafkaErrorCode;
use tallow_record::TopicPartition;
use tallow_sink::SinkError;
use tallow_source::Source;

use crate::client::{self, ANSWER_WAIT, Producer};
use crate::config::Config;
use crate::transactions::{Session, Shard, Transactions};
use crate::{Record, marker};

/// How long to serve answers at once.
const SLICE: Duration = Duration::from_millis(50);

pub struct Brokers {
    config: Arc<Config>,
}

impl Brokers {
    pub fn new(config: Config) -> Self {
        Self { config: Arc::new(config) }
    }
}

impl Transactions for Brokers {
    fn check(&self) -> Result<(), SinkError> {
        let topics: Vec<String> = self.config.topics.keys().cloned().collect();
        self.config.source(&topics)?.partitions().map(drop).map_err(|error| self.config.failed(error))
    }

    fn begin(&self, shard: &Shard) -> Result<(Box<dyn Session>, Option<u64>), SinkError> {
        let config = self.config.clone();
        marker::find_or_make_topic(&config)?;
        let id = shard.transactional_id();
        let settings = client::settings(&config.brokers, &config.client, &id);
        let producer = client::connect(&settings, &config.client).map_err(|error| config.failed(error))?;
        producer
            .init_transactions(ANSWER_WAIT)
            .map_err(|error| client::judge(&config.service(), &producer, &error, "no transactions yet"))?;
        let through = marker::read(&config, shard)?;
        tracing::debug!(pipeline = config.pipeline, id, ?through, "publishes in transactions");
        let partition = marker::partition(&config, shard);
        let session = Transactional { config, producer, partition, marker_key: shard.marker_key(), sent: 0 };
        Ok((Box::new(session), through))
    }
}

struct Transactional {
    config: Arc<Config>,
    producer: Producer,
    /// Of the marker.
    partition: TopicPartition,
    marker_key: String,
    sent: u64,
}

impl Session for Transactional {
    fn commit(&mut self, records: &[Record], seq: u64) -> Result<(), SinkError> {
        self.producer.poll(Duration::ZERO);
        self.producer.begin_transaction().map_err(|error| self.failed(&error, "no transaction begun"))?;
        for record in records {
            let mut out = BaseRecord::<[u8], [u8]>::to(&record.topic)
                .timestamp(record.timestamp_us.div_euclid(1000))
                .headers(headers(record));
            (out.key, out.payload) = (record.key.as_deref(), record.value.as_deref());
            self.send(out)?;
        }
        let value = marker::value(&self.config.pipeline, seq);
        let (topic, partition) = (self.partition.topic.clone(), self.partition.partition);
        let key = self.marker_key.clone();
        self.send(BaseRecord::to(&topic).partition(partition).key(key.as_bytes()).payload(value.as_bytes()))?;
        self.flush()?;
        let done = self.producer.commit_transaction(ANSWER_WAIT);
        done.map_err(|error| self.failed(&error, &format!("what became of commit {seq} is not known yet")))
    }
}

fn headers(record: &Record) -> OwnedHeaders {
    let all = OwnedHeaders::new_with_capacity(record.headers.len());
    record.headers.iter().fold(all, |all, (key, value)| all.insert(Header { key, value: value.as_deref() }))
}

impl Transactional {
    fn failed(&self, error: &KafkaError, doing: &str) -> SinkError {
        client::judge(&self.config.service(), &self.producer, error, doing)
    }

    fn send(&mut self, mut record: BaseRecord<'_, [u8], [u8]>) -> Result<(), SinkError> {
        const SERVE_EVERY: u64 = 1024;
        self.sent += 1;
        if self.sent.is_multiple_of(SERVE_EVERY) {
            self.producer.poll(Duration::ZERO);
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.wait_for_room()?;
                }
                Err((error, _)) => return Err(self.failed(&error, "not all records were taken")),
            }
        }
    }

    fn wait_for_room(&self) -> Result<(), SinkError> {
        let before = self.producer.in_flight_count();
        self.serve_until(|now| now < before)?;
        match self.producer.context().failure() {
            None => Ok(()),
            Some((code, _)) => Err(self.failed(&KafkaError::Flush(code), "not all records were taken")),
        }
    }

    fn flush(&self) -> Result<(), SinkError> {
        self.serve_until(|now| now == 0)
    }

    /// Serves answers until as many records are on their way as wanted. Gives up when the brokers take nothing for a
    /// while.
    fn serve_until(&self, enough: impl Fn(i32) -> bool) -> Result<(), SinkError> {
        let clock = &self.config.clock;
        let (mut least, mut moved) = (self.producer.in_flight_count(), clock.ticks());
        loop {
            let now = self.producer.in_flight_count();
            if enough(now) {
                return Ok(());
            }
            if now < least {
                (least, moved) = (now, clock.ticks());
            }
            if self.producer.context().failure().is_some() {
                // The transaction cannot be committed, and says why.
                return Ok(());
            }
            if clock.ticks().since(moved) > ANSWER_WAIT {
                let error = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
                return Err(self.failed(&error, &format!("{now} records were not taken")));
            }
            self.producer.poll(SLICE);
        }
    }
}
