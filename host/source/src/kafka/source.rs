//! The topics of a Kafka cluster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, OwnedResourceSpecifier, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tallow_env::Clock;
use tallow_record::TopicPartition;

use super::client::{Client, connect, native, serve_events};
use super::fetcher::{KafkaFetcher, Reading};
use super::ffi::topic_ids;
use super::settings::client_config;
use crate::topics::Chosen;
use crate::{Fetcher, OnDataLoss, PartitionInfo, Position, Source, SourceError, Topics, is_answer};

/// How long a question to the brokers may take.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// How long a question for a topic's settings may take: some brokers do not know it, and say nothing.
const SETTINGS_WAIT: Duration = Duration::from_secs(3);
/// The group's name where none shows the lag. Nothing joins it, nothing is committed to it.
const NO_GROUP: &str = "tallow";

pub struct Config {
    /// `host:port`, several by commas.
    pub brokers: String,
    /// Settings of the Kafka client, passed through; see [`crate::REFUSED`].
    pub client: BTreeMap<String, String>,
    pub topics: Topics,
    pub on_data_loss: OnDataLoss,
    /// Consumer group that gets the committed offsets, for lag monitors.
    pub group_for_lag: Option<String>,
    pub clock: Arc<dyn Clock>,
}

pub struct KafkaSource {
    client: Client,
    client_config: ClientConfig,
    brokers: String,
    topics: Chosen,
    reading: Reading,
    reports_lag: bool,
    clock: Arc<dyn Clock>,
}

/// The settings that librdkafka does not take. No broker is asked: the client that is made has none.
pub fn check_client(client: &BTreeMap<String, String>) -> Vec<SourceError> {
    let alone = |(key, value): (&String, &String)| BTreeMap::from([(key.clone(), value.clone())]);
    let checked = |client: &BTreeMap<String, String>| {
        client_config("", NO_GROUP, client).and_then(|config| native(&config)).err()
    };
    let mut wrong: Vec<SourceError> = client.iter().filter_map(|it| checked(&alone(it))).collect();
    if wrong.is_empty() {
        // Some are seen only together, and files only where a client is made.
        let made = client_config("", NO_GROUP, client).and_then(|mut config| {
            config.remove("bootstrap.servers");
            connect(&config)
        });
        wrong.extend(made.err());
    }
    wrong
}

struct Topic {
    name: Arc<str>,
    id: Option<Arc<str>>,
    partitions: i32,
}

impl Topic {
    fn new(known: &MetadataTopic) -> Self {
        Self { name: known.name().into(), id: None, partitions: known.partitions().len() as i32 }
    }
}

impl KafkaSource {
    /// Checks the settings; connects in the background.
    ///
    /// # Errors
    /// A setting or topic pattern that is wrong.
    pub fn new(config: Config) -> Result<Self, SourceError> {
        let group = config.group_for_lag.as_deref().unwrap_or(NO_GROUP);
        let client_config = client_config(&config.brokers, group, &config.client)?;
        Ok(Self {
            client: connect(&client_config)?,
            client_config,
            brokers: config.brokers,
            topics: Chosen::new(&config.topics)?,
            reading: Reading { on_data_loss: config.on_data_loss, headers: true },
            reports_lag: config.group_for_lag.is_some(),
            clock: config.clock,
        })
    }

    /// Leaves the records' headers out. Looking for them costs a quarter of the CPU that a record takes, even where
    /// there are none.
    pub fn without_headers(mut self) -> Self {
        self.reading.headers = false;
        self
    }

    fn unreachable(&self, error: &KafkaError) -> SourceError {
        // The client's own queue holds the reason ("connection refused", "authentication failed").
        let _ = serve_events(&self.client);
        let complaint = self.client.context().complaint().filter(|_| !is_answer(&error.to_string()));
        let why = complaint.unwrap_or_else(|| error.to_string());
        SourceError::Unreachable { brokers: self.brokers.clone(), why }
    }

    fn metadata(&self, topic: Option<&str>) -> Result<Metadata, SourceError> {
        self.client.fetch_metadata(topic, ANSWER_WAIT).map_err(|error| self.unreachable(&error))
    }

    /// The topics with their ids and numbers of partitions.
    fn topics(&self) -> Result<Vec<Topic>, SourceError> {
        let (mut topics, broker) = self.topics_without_ids()?;
        let Some(broker) = broker.filter(|_| !topics.is_empty()) else { return Ok(topics) };
        let names: Vec<&str> = topics.iter().map(|topic| &*topic.name).collect();
        let ids = topic_ids(&self.client, broker, &names, ANSWER_WAIT)
            .map_err(|why| SourceError::Unreachable { brokers: self.brokers.clone(), why })?;
        for (topic, id) in topics.iter_mut().zip(ids) {
            topic.id = id;
        }
        Ok(topics)
    }

    /// A setting of each topic.
    fn topic_settings(&self, key: &str) -> Result<BTreeMap<String, String>, SourceError> {
        let admin: AdminClient<DefaultClientContext> =
            self.client_config.create().map_err(|error| self.unreachable(&error))?;
        let topics = self.topics()?;
        let asked: Vec<ResourceSpecifier<'_>> =
            topics.iter().map(|topic| ResourceSpecifier::Topic(&topic.name)).collect();
        let options = AdminOptions::new().request_timeout(Some(SETTINGS_WAIT));
        let answers =
            block_on(admin.describe_configs(&asked, &options)).map_err(|error| self.unreachable(&error))?;
        let settings = answers.iter().flatten().filter_map(|config| {
            let OwnedResourceSpecifier::Topic(topic) = &config.specifier else { return None };
            Some((topic.clone(), config.get(key)?.value.clone()?))
        });
        Ok(settings.collect())
    }

    /// The topics, and a broker that answers.
    fn topics_without_ids(&self) -> Result<(Vec<Topic>, Option<i32>), SourceError> {
        let mut topics = Vec::new();
        let mut broker = None;
        match &self.topics {
            Chosen::Pattern(pattern) => {
                let metadata = self.metadata(None)?;
                let chosen = metadata.topics().iter().filter(|topic| Chosen::matches(pattern, topic.name()));
                topics.extend(chosen.map(Topic::new));
                topics.sort_by(|a, b| a.name.cmp(&b.name));
                broker = some_broker(&metadata);
            }
            Chosen::Names(names) => {
                for name in names {
                    let metadata = self.metadata(Some(name))?;
                    let known = metadata.topics().iter().find(|topic| topic.name() == name);
                    let known = known.filter(|topic| !topic.partitions().is_empty());
                    let no_topic =
                        || SourceError::NoTopic { topic: name.clone(), brokers: self.brokers.clone() };
                    topics.push(known.map(Topic::new).ok_or_else(no_topic)?);
                    broker = some_broker(&metadata);
                }
            }
        }
        Ok((topics, broker))
    }
}

fn some_broker(metadata: &Metadata) -> Option<i32> {
    metadata.brokers().first().map(|broker| broker.id())
}

impl Source for KafkaSource {
    fn partitions(&self) -> Result<Vec<PartitionInfo>, SourceError> {
        self.client.context().forget();
        let mut infos = Vec::new();
        for Topic { name, id, partitions } in self.topics()? {
            for partition in 0..partitions {
                let (earliest, latest) = self
                    .client
                    .fetch_watermarks(&name, partition, ANSWER_WAIT)
                    .map_err(|error| self.unreachable(&error))?;
                let partition = TopicPartition { topic: name.clone(), partition };
                infos.push(PartitionInfo { partition, topic_id: id.clone(), earliest, latest });
            }
        }
        serve_events(&self.client)?;
        Ok(infos)
    }

    fn offsets_at(&self, partitions: &[PartitionInfo], time_us: i64) -> Result<Vec<Position>, SourceError> {
        // Kafka keeps whole milliseconds.
        let time_ms = time_us.div_euclid(1000) + i64::from(time_us.rem_euclid(1000) > 0);
        let mut asked = TopicPartitionList::new();
        for info in partitions {
            let TopicPartition { topic, partition } = &info.partition;
            asked
                .add_partition_offset(topic, *partition, Offset::Offset(time_ms))
                .map_err(|error| self.unreachable(&error))?;
        }
        self.client.context().forget();
        let found =
            self.client.offsets_for_times(asked, ANSWER_WAIT).map_err(|error| self.unreachable(&error))?;
        let position = |info: &PartitionInfo| {
            let TopicPartition { topic, partition } = &info.partition;
            let answer = found.find_partition(topic, *partition);
            let next = match answer.as_ref().map(|answer| (answer.offset(), answer.error())) {
                Some((Offset::Offset(offset), Ok(()))) => offset,
                Some((_, Err(error))) => return Err(self.unreachable(&error)),
                _ => info.latest,
            };
            Ok(Position { partition: info.partition.clone(), next })
        };
        partitions.iter().map(position).collect()
    }

    fn fetcher(&self, from: &[Position]) -> Result<Box<dyn Fetcher>, SourceError> {
        let fetcher = KafkaFetcher::new(
            self.client_config.clone(),
            self.brokers.clone(),
            self.reading,
            self.clock.clone(),
            from,
        )?;
        Ok(Box::new(fetcher))
    }

    fn retention(&self) -> Result<Option<Duration>, SourceError> {
        let retention = self.topic_settings("retention.ms")?;
        // -1 keeps records for ever.
        let kept_ms = retention.values().filter_map(|value| value.parse::<u64>().ok());
        Ok(kept_ms.min().map(Duration::from_millis))
    }

    fn cleanup_policies(&self) -> Result<BTreeMap<String, String>, SourceError> {
        self.topic_settings("cleanup.policy")
    }

    fn report_committed(&self, positions: &[Position]) {
        if !self.reports_lag || positions.is_empty() {
            return;
        }
        let mut list = TopicPartitionList::new();
        for at in positions {
            let offset = Offset::Offset(at.next);
            if let Err(error) = list.add_partition_offset(&at.partition.topic, at.partition.partition, offset)
            {
                tracing::warn!("{}: offset {} cannot be reported: {error}", at.partition, at.next);
            }
        }
        let sent = self.client.commit(&list, CommitMode::Async).map_err(|error| error.to_string());
        let served = serve_events(&self.client).map_err(|error| error.to_string());
        if let Err(error) = sent.and(served) {
            tracing::warn!(
                "the committed offsets could not be reported to Kafka (the lag shown is old): {error}"
            );
        }
    }
}
