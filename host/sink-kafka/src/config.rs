//! Which brokers and topics, and what their errors mean for the sink.

use std::collections::BTreeMap;
use std::sync::Arc;

use tallow_env::Clock;
use tallow_sink::SinkError;
use tallow_source::{Config as SourceConfig, KafkaSource, OnDataLoss, SourceError, Topics};

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

    /// What messages call the brokers.
    pub(crate) fn service(&self) -> String {
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
