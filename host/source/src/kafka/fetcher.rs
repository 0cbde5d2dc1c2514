//! One client that reads its partitions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use tallow_env::Clock;
use tallow_record::{Batch, TopicPartition};

use super::client::{Client, connect, serve_events};
use super::contact::Contact;
use super::ffi::{BatchQueue, Message};
use super::loss::{Verdict, judge};
use crate::{Event, Fetcher, Limits, OnDataLoss, Position, SourceError};

/// Messages taken from librdkafka at once.
const AT_ONCE: usize = 4096;
/// Byte columns end at 32-bit positions.
const MOST_BYTES: usize = 1 << 30;
const OFFSETS_WAIT: Duration = Duration::from_secs(10);

/// How records are read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) on_data_loss: OnDataLoss,
    pub(super) headers: bool,
}

pub(super) struct KafkaFetcher {
    queue: BatchQueue,
    client: Arc<Client>,
    config: ClientConfig,
    brokers: String,
    reading: Reading,
    clock: Arc<dyn Clock>,
    /// The next offset of each partition.
    positions: BTreeMap<TopicPartition, i64>,
    contact: Contact,
}

/// The run that the last record went to, so that names are looked up once a run.
#[derive(Default)]
struct Run {
    handle: usize,
    topic: u32,
    partition: i32,
    next: i64,
}

impl KafkaFetcher {
    pub(super) fn new(
        config: ClientConfig,
        brokers: String,
        reading: Reading,
        clock: Arc<dyn Clock>,
        from: &[Position],
    ) -> Result<Self, SourceError> {
        let positions: BTreeMap<_, _> = from.iter().map(|at| (at.partition.clone(), at.next)).collect();
        let (client, queue) = open(&config, &positions)?;
        Ok(Self { queue, client, config, brokers, reading, clock, positions, contact: Contact::unknown() })
    }

    /// Moves what the queue holds into the batch, as far as the limits allow. Returns whether they are reached.
    fn drain(
        &mut self,
        limits: Limits,
        clock_us: i64,
        batch: &mut Batch,
        events: &mut Vec<Event>,
    ) -> Result<bool, SourceError> {
        let most_bytes = limits.bytes.min(MOST_BYTES);
        reserve(batch, &self.queue);
        let mut run = Run::default();
        while let Some(message) = self.queue.front() {
            if let Some((code, why)) = message.error() {
                let partition = TopicPartition::new(message.topic(), message.partition());
                let offset = message.offset();
                self.queue.pop();
                keep_position(&mut self.positions, &run, batch);
                run = Run::default();
                self.news(partition, offset, code, why, events)?;
                continue;
            }
            let size = message.key().map_or(0, <[u8]>::len) + message.value().map_or(0, <[u8]>::len);
            let full = batch.len() >= limits.records || batch.size_bytes() + size > most_bytes;
            if full && !batch.is_empty() {
                keep_position(&mut self.positions, &run, batch);
                return Ok(true);
            }
            if message.topic_handle() != run.handle || message.partition() != run.partition {
                let next = start_run(&self.positions, message, batch);
                keep_position(&mut self.positions, &run, batch);
                run = next;
            }
            append(message, self.reading.headers, &mut run, clock_us, batch);
            self.queue.pop();
        }
        keep_position(&mut self.positions, &run, batch);
        Ok(batch.len() >= limits.records || batch.size_bytes() >= most_bytes)
    }

    /// What a message without a record says about its partition.
    fn news(
        &mut self,
        partition: TopicPartition,
        offset: i64,
        code: RDKafkaErrorCode,
        why: String,
        events: &mut Vec<Event>,
    ) -> Result<(), SourceError> {
        match code {
            RDKafkaErrorCode::PartitionEOF => {
                self.positions.insert(partition.clone(), offset);
                events.push(Event::End { partition, next: offset });
                Ok(())
            }
            RDKafkaErrorCode::AutoOffsetReset => self.gone(partition, why, events),
            RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition => {
                Err(SourceError::NoTopic {
                    topic: partition.topic.to_string(),
                    brokers: self.brokers.clone(),
                })
            }
            _ => Err(SourceError::Partition { partition, why }),
        }
    }

    fn gone(
        &mut self,
        partition: TopicPartition,
        why: String,
        events: &mut Vec<Event>,
    ) -> Result<(), SourceError> {
        let wanted = self.positions.get(&partition).copied().unwrap_or_default();
        let (earliest, latest) = self
            .client
            .fetch_watermarks(&partition.topic, partition.partition, OFFSETS_WAIT)
            .map_err(|error| SourceError::Partition {
                partition: partition.clone(),
                why: format!("{why}; what the broker holds could not be asked: {error}"),
            })?;
        match judge(&partition, wanted, earliest, latest, self.reading.on_data_loss) {
            Verdict::Halt(error) => Err(error),
            Verdict::Held => Err(SourceError::Partition { partition, why }),
            Verdict::Skip { from } => {
                self.positions.insert(partition.clone(), from);
                events.push(Event::Lost { partition, from: wanted, to: from });
                // librdkafka has stopped this partition and refuses to seek in it. What it had fetched of the
                // others is fetched again.
                let (client, queue) = open(&self.config, &self.positions)?;
                self.queue = queue;
                self.client = client;
                Ok(())
            }
        }
    }
}

impl Fetcher for KafkaFetcher {
    fn fetch(&mut self, limits: Limits, batch: &mut Batch) -> Result<Vec<Event>, SourceError> {
        serve_events(&self.client)?;
        let mut events = Vec::new();
        let mut clock_us = self.clock.now_us();
        if self.queue.refill(limits.records, Duration::ZERO) == 0 {
            // librdkafka waits until as many messages are there as it was asked for: ask for one.
            self.queue.refill(1, limits.wait);
            clock_us = self.clock.now_us();
        }
        while !self.drain(limits, clock_us, batch, &mut events)?
            && self.queue.refill(limits.records - batch.len(), Duration::ZERO) > 0
        {}
        let (partitions, now) = (self.positions.keys(), self.clock.ticks());
        let silence = self.contact.check(&self.client, partitions, now, batch.is_empty());
        events.extend(silence.map(|why| Event::Unreachable { why }));
        // An end that records of the same fetch have passed is none any more.
        let positions = &self.positions;
        events.retain(|event| match event {
            Event::End { partition, next } => positions.get(partition) == Some(next),
            _ => true,
        });
        Ok(events)
    }

    fn add(&mut self, from: &[Position]) -> Result<(), SourceError> {
        let new: BTreeMap<_, _> = from
            .iter()
            .filter(|at| !self.positions.contains_key(&at.partition))
            .map(|at| (at.partition.clone(), at.next))
            .collect();
        assign(&self.client, &self.queue, &new)?;
        self.positions.extend(new);
        Ok(())
    }
}

fn open(
    config: &ClientConfig,
    positions: &BTreeMap<TopicPartition, i64>,
) -> Result<(Arc<Client>, BatchQueue), SourceError> {
    let client = Arc::new(connect(config)?);
    let queue = BatchQueue::new(client.clone(), AT_ONCE)
        .ok_or_else(|| SourceError::Other("librdkafka could not make a queue".to_owned()))?;
    assign(&client, &queue, positions)?;
    Ok((client, queue))
}

fn assign(
    client: &Client,
    queue: &BatchQueue,
    positions: &BTreeMap<TopicPartition, i64>,
) -> Result<(), SourceError> {
    if positions.is_empty() {
        return Ok(());
    }
    let mut list = TopicPartitionList::new();
    for (partition, next) in positions {
        let failed = |why: String| SourceError::Partition { partition: partition.clone(), why };
        if !queue.forward(partition) {
            return Err(failed("its queue could not be opened".to_owned()));
        }
        list.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*next))
            .map_err(|error| failed(format!("cannot be read from offset {next}: {error}")))?;
    }
    client
        .incremental_assign(&list)
        .map_err(|error| SourceError::Other(format!("assignment failed: {error}")))
}

fn keep_position(positions: &mut BTreeMap<TopicPartition, i64>, run: &Run, batch: &Batch) {
    if run.handle == 0 {
        return;
    }
    let partition =
        TopicPartition { topic: batch.topics[run.topic as usize].clone(), partition: run.partition };
    if let Some(next) = positions.get_mut(&partition) {
        *next = run.next;
    }
}

fn reserve(batch: &mut Batch, queue: &BatchQueue) {
    let (mut records, mut keys, mut values) = (0, 0, 0);
    for message in queue.waiting() {
        records += 1;
        keys += message.key().map_or(0, <[u8]>::len);
        values += message.value().map_or(0, <[u8]>::len);
    }
    batch.offsets.reserve(records);
    batch.timestamps_us.reserve(records);
    batch.keys.ends.reserve(records);
    batch.keys.bytes.reserve(keys);
    batch.values.ends.reserve(records);
    batch.values.bytes.reserve(values);
}

fn start_run(positions: &BTreeMap<TopicPartition, i64>, message: Message<'_>, batch: &mut Batch) -> Run {
    let name = message.topic();
    let topic = match batch.topics.iter().position(|known| **known == *name) {
        Some(index) => index as u32,
        None => {
            let known = positions.keys().map(|partition| &partition.topic).find(|topic| ***topic == *name);
            batch.topic_index(&known.cloned().unwrap_or_else(|| name.into()))
        }
    };
    Run { handle: message.topic_handle(), topic, partition: message.partition(), next: message.offset() }
}

fn append(message: Message<'_>, headers: bool, run: &mut Run, clock_us: i64, batch: &mut Batch) {
    let timestamp_us = message.timestamp_ms().map_or(-1, |ms| ms.saturating_mul(1000));
    batch.push(
        run.topic,
        run.partition,
        message.offset(),
        timestamp_us,
        clock_us,
        message.key(),
        message.value(),
    );
    if headers {
        message.each_header(|name, value| batch.push_header(name, value));
    }
    run.next = message.offset() + 1;
}
