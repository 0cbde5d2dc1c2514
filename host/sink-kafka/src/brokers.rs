//! Kafka's brokers, by librdkafka's transactional producer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};
use rdkafka::types::RDKafkaErrorCode;
use tallow_env::Clock;
use tallow_record::TopicPartition;
use tallow_sink::SinkError;
use tallow_source::{Config as SourceConfig, KafkaSource, OnDataLoss, Source, SourceError, Topics};

use crate::client::{self, ANSWER_WAIT, Producer};
use crate::transactions::{Session, Shard, Transactions};
use crate::{Record, marker};

/// How long to serve answers at once.
const SLICE: Duration = Duration::from_millis(50);

/// A pipeline's brokers and topics.
pub struct Config {
    /// `host:port`, several by commas.
    pub brokers: String,
    /// Settings of the Kafka client, passed through.
    pub client: BTreeMap<String, String>,
    /// For people who read a marker.
    pub pipeline: String,
    /// The topics that get results, each with where the manifest names it.
    pub topics: BTreeMap<String, String>,
    pub marker_topic: String,
    pub clock: Arc<dyn Clock>,
}

impl Config {
    /// A reader of committed records.
    pub(crate) fn source(&self, topics: &[String]) -> Result<KafkaSource, SinkError> {
        KafkaSource::new(SourceConfig {
            brokers: self.brokers.clone(),
            client: self.client.clone(),
            topics: Topics::Names(topics.to_vec()),
            on_data_loss: OnDataLoss::Continue,
            group_for_lag: None,
            clock: self.clock.clone(),
        })
        .map_err(|error| self.failed(error))
    }

    fn service(&self) -> String {
        format!("Kafka ({})", self.brokers)
    }

    pub(crate) fn unreachable(&self, why: String) -> SinkError {
        SinkError::Unreachable { service: self.service(), why }
    }

    pub(crate) fn refused(&self, why: String) -> SinkError {
        SinkError::Refused { service: self.service(), why }
    }

    /// What an error of reading means for the sink.
    pub(crate) fn failed(&self, error: SourceError) -> SinkError {
        match error {
            SourceError::Unreachable { why, .. } => self.unreachable(why),
            error @ SourceError::Partition { .. } => self.unreachable(error.to_string()),
            SourceError::NoTopic { topic, brokers } => {
                let key = self.topics.get(&topic).cloned().unwrap_or_else(|| "`marker-topic`".to_owned());
                SinkError::NoTopic { topic, brokers, key }
            }
            error => self.refused(error.to_string()),
        }
    }
}

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
