//! Topics in memory: for tests and simulations. What happens to it is told by its owner; nothing happens by itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tallow_env::Clock;
use tallow_record::{Batch, TopicPartition};
use tallow_source::{
    Chosen, Event, Fetcher, Limits, OnDataLoss, PartitionInfo, Position, Source, SourceError, Topics,
    Verdict, judge,
};

const BROKERS: &str = "memory";

/// A record as a producer gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw {
    pub key: Option<Vec<u8>>,
    /// `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// µs since 1970-01-01 UTC; -1 for none. Kafka keeps whole milliseconds.
    pub timestamp_us: i64,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Raw {
    pub fn value(value: impl Into<Vec<u8>>) -> Self {
        Self { value: Some(value.into()), timestamp_us: -1, ..Self::default() }
    }
}

#[derive(Default)]
struct Partition {
    earliest: i64,
    latest: i64,
    /// Offset and record, ascending; offsets may be missing.
    records: VecDeque<(i64, Raw)>,
}

struct Topic {
    id: Arc<str>,
    partitions: Vec<Partition>,
}

#[derive(Default)]
struct State {
    topics: BTreeMap<Arc<str>, Topic>,
    topics_made: u64,
    retention: Option<Duration>,
    unreachable: Option<String>,
    committed: BTreeMap<TopicPartition, i64>,
}

impl State {
    fn partition(&self, at: &TopicPartition) -> Result<&Partition, SourceError> {
        let topic = self.topics.get(&at.topic).ok_or_else(|| no_topic(&at.topic))?;
        usize::try_from(at.partition).ok().and_then(|number| topic.partitions.get(number)).ok_or_else(|| {
            SourceError::Partition { partition: at.clone(), why: "there is no such partition".to_owned() }
        })
    }

    fn partition_mut(&mut self, at: &TopicPartition) -> &mut Partition {
        let topic = self.topics.get_mut(&at.topic);
        topic
            .and_then(|topic| topic.partitions.get_mut(at.partition as usize))
            .unwrap_or_else(|| panic!("{at} was not created"))
    }
}

fn no_topic(topic: &str) -> SourceError {
    SourceError::NoTopic { topic: topic.to_owned(), brokers: BROKERS.to_owned() }
}

/// The log that memory sources read; shared with the test that writes it. Its writing methods panic on partitions
/// that were not created: that is a mistake in the test.
#[derive(Default)]
pub struct MemoryLog {
    state: Mutex<State>,
}

impl MemoryLog {
    /// What the topics say of how long they keep records. Nothing is removed by itself.
    pub fn set_retention(&self, retention: Option<Duration>) {
        self.state().retention = retention;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a topic, or makes it again: empty, with another id.
    pub fn create_topic(&self, topic: &str, partitions: usize) {
        let mut state = self.state();
        state.topics_made += 1;
        let id = Arc::from(format!("memory-{}", state.topics_made));
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        state.topics.insert(topic.into(), Topic { id, partitions });
    }

    pub fn add_partitions(&self, topic: &str, more: usize) {
        let mut state = self.state();
        let topic = state.topics.get_mut(topic).unwrap_or_else(|| panic!("topic {topic} was not created"));
        topic.partitions.extend((0..more).map(|_| Partition::default()));
    }

    /// Appends a record and returns its offset.
    pub fn append(&self, at: &TopicPartition, record: Raw) -> i64 {
        let mut state = self.state();
        let partition = state.partition_mut(at);
        let offset = partition.latest;
        partition.records.push_back((offset, record));
        partition.latest += 1;
        offset
    }

    /// Drops all below `earliest`, as retention does.
    pub fn truncate(&self, at: &TopicPartition, earliest: i64) {
        let mut state = self.state();
        let partition = state.partition_mut(at);
        partition.earliest = partition.earliest.max(earliest.min(partition.latest));
        while partition.records.front().is_some_and(|(offset, _)| *offset < partition.earliest) {
            partition.records.pop_front();
        }
    }

    /// From now on nobody answers, with this reason; or somebody does again.
    pub fn set_unreachable(&self, why: Option<&str>) {
        self.state().unreachable = why.map(str::to_owned);
    }

    /// What the pipeline last reported as committed.
    pub fn committed(&self, at: &TopicPartition) -> Option<i64> {
        self.state().committed.get(at).copied()
    }
}

pub struct MemorySource {
    log: Arc<MemoryLog>,
    topics: Chosen,
    on_data_loss: OnDataLoss,
    clock: Arc<dyn Clock>,
}

impl MemorySource {
    /// # Errors
    /// A topic pattern that is no regular expression.
    pub fn new(
        log: Arc<MemoryLog>,
        topics: &Topics,
        on_data_loss: OnDataLoss,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SourceError> {
        Ok(Self { log, topics: Chosen::new(topics)?, on_data_loss, clock })
    }
}

impl Source for MemorySource {
    fn partitions(&self) -> Result<Vec<PartitionInfo>, SourceError> {
        let state = self.log.state();
        if let Some(why) = &state.unreachable {
            return Err(SourceError::Unreachable { brokers: BROKERS.to_owned(), why: why.clone() });
        }
        let topics: Vec<_> = match &self.topics {
            Chosen::Pattern(pattern) => {
                state.topics.iter().filter(|(name, _)| Chosen::matches(pattern, name)).collect()
            }
            Chosen::Names(names) => names
                .iter()
                .map(|name| state.topics.get_key_value(&**name).ok_or_else(|| no_topic(name)))
                .collect::<Result<_, _>>()?,
        };
        let infos = topics.into_iter().flat_map(|(name, topic)| {
            topic.partitions.iter().zip(0..).map(|(held, partition)| PartitionInfo {
                partition: TopicPartition { topic: name.clone(), partition },
                topic_id: Some(topic.id.clone()),
                earliest: held.earliest,
                latest: held.latest,
            })
        });
        Ok(infos.collect())
    }

    fn offsets_at(&self, partitions: &[PartitionInfo], time_us: i64) -> Result<Vec<Position>, SourceError> {
        let state = self.log.state();
        let position = |info: &PartitionInfo| {
            let held = state.partition(&info.partition)?;
            let first = held.records.iter().find(|(_, record)| record.timestamp_us >= time_us);
            let next = first.map_or(info.latest, |(offset, _)| *offset);
            Ok(Position { partition: info.partition.clone(), next })
        };
        partitions.iter().map(position).collect()
    }

    fn fetcher(&self, from: &[Position]) -> Result<Box<dyn Fetcher>, SourceError> {
        let mut fetcher = MemoryFetcher {
            log: self.log.clone(),
            on_data_loss: self.on_data_loss,
            clock: self.clock.clone(),
            reads: Vec::new(),
            first: 0,
        };
        fetcher.add(from)?;
        Ok(Box::new(fetcher))
    }

    fn retention(&self) -> Result<Option<Duration>, SourceError> {
        Ok(self.log.state().retention)
    }

    fn report_committed(&self, positions: &[Position]) {
        let reported = positions.iter().map(|at| (at.partition.clone(), at.next));
        self.log.state().committed.extend(reported);
    }
}

struct Read {
    partition: TopicPartition,
    next: i64,
    /// The end that was told last.
    told_end: Option<i64>,
}

struct MemoryFetcher {
    log: Arc<MemoryLog>,
    on_data_loss: OnDataLoss,
    clock: Arc<dyn Clock>,
    reads: Vec<Read>,
    /// The partition to begin with, so that none starves.
    first: usize,
}

impl Read {
    /// Takes what the partition holds, as far as the limits allow.
    fn take(
        &mut self,
        held: &Partition,
        limits: Limits,
        clock_us: i64,
        batch: &mut Batch,
        events: &mut Vec<Event>,
    ) {
        let topic = batch.topic_index(&self.partition.topic);
        let begin = held.records.partition_point(|(offset, _)| *offset < self.next);
        for (offset, record) in held.records.range(begin..) {
            let size = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
            let bytes = batch.size_bytes() + size(&record.key) + size(&record.value);
            if !batch.is_empty() && (batch.len() >= limits.records || bytes > limits.bytes) {
                return;
            }
            let (key, value) = (record.key.as_deref(), record.value.as_deref());
            batch.push(topic, self.partition.partition, *offset, record.timestamp_us, clock_us, key, value);
            for (name, value) in &record.headers {
                batch.push_header(name, value.as_deref());
            }
            self.next = offset + 1;
            self.told_end = None;
        }
        self.next = held.latest;
        if self.told_end != Some(self.next) {
            self.told_end = Some(self.next);
            events.push(Event::End { partition: self.partition.clone(), next: self.next });
        }
    }
}

impl Fetcher for MemoryFetcher {
    fn fetch(&mut self, limits: Limits, batch: &mut Batch) -> Result<Vec<Event>, SourceError> {
        let log = self.log.clone();
        let state = log.state();
        let mut events = Vec::new();
        let clock_us = self.clock.now_us();
        if let Some(why) = &state.unreachable {
            events.push(Event::Unreachable { why: why.clone() });
        } else {
            let count = self.reads.len();
            for index in 0..count {
                let read = &mut self.reads[(self.first + index) % count];
                let held = state.partition(&read.partition)?;
                match judge(&read.partition, read.next, held.earliest, held.latest, self.on_data_loss) {
                    Verdict::Held => {}
                    Verdict::Halt(error) => return Err(error),
                    Verdict::Skip { from } => {
                        let partition = read.partition.clone();
                        events.push(Event::Lost { partition, from: read.next, to: from });
                        read.next = from;
                    }
                }
                read.take(held, limits, clock_us, batch, &mut events);
            }
            self.first = (self.first + 1) % count.max(1);
        }
        drop(state);
        if batch.is_empty() {
            self.clock.sleep(limits.wait);
        }
        Ok(events)
    }

    fn add(&mut self, from: &[Position]) -> Result<(), SourceError> {
        for at in from {
            if self.reads.iter().all(|read| read.partition != at.partition) {
                self.reads.push(Read { partition: at.partition.clone(), next: at.next, told_end: None });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {

    use tallow_env::ManualClock;

    use super::*;

    const LIMITS: Limits = Limits { records: 2, bytes: 1 << 20, wait: Duration::from_millis(10) };

    fn log() -> (Arc<MemoryLog>, TopicPartition) {
        let log = Arc::new(MemoryLog::default());
        log.create_topic("t", 2);
        (log, TopicPartition::new("t", 0))
    }

    fn source(log: &Arc<MemoryLog>) -> MemorySource {
        let topics = Topics::Names(vec!["t".to_owned()]);
        MemorySource::new(log.clone(), &topics, OnDataLoss::Halt, Arc::new(ManualClock::at(5))).unwrap()
    }

    #[test]
    fn while_unreachable_every_fetch_says_so_and_nothing_is_lost() {
        let (log, zero) = log();
        let source = source(&log);
        let mut fetcher = source.fetcher(&[Position { partition: zero.clone(), next: 0 }]).unwrap();
        log.append(&zero, Raw::value("a"));
        log.set_unreachable(Some("cable cut"));
        let mut batch = Batch::default();
        for _ in 0..2 {
            let told = fetcher.fetch(LIMITS, &mut batch).unwrap();
            assert_eq!(told, [Event::Unreachable { why: "cable cut".to_owned() }]);
        }
        assert!(matches!(source.partitions(), Err(SourceError::Unreachable { .. })));
        log.set_unreachable(None);
        fetcher.fetch(LIMITS, &mut batch).unwrap();
        assert_eq!(batch.offsets, [0]);
    }

    #[test]
    fn a_busy_partition_does_not_starve_the_others() {
        let (log, zero) = log();
        let one = TopicPartition::new("t", 1);
        for _ in 0..10 {
            log.append(&zero, Raw::value("a"));
        }
        log.append(&one, Raw::value("b"));
        let from = [&zero, &one].map(|partition| Position { partition: partition.clone(), next: 0 });
        let mut fetcher = source(&log).fetcher(&from).unwrap();
        let mut batch = Batch::default();
        let mut seen = Vec::new();
        for _ in 0..2 {
            batch.clear();
            fetcher.fetch(LIMITS, &mut batch).unwrap();
            seen.extend(batch.runs.iter().map(|run| run.partition));
        }
        assert!(seen.contains(&1), "{seen:?}");
    }

    #[test]
    fn a_topic_made_again_refuses_the_old_position() {
        let (log, zero) = log();
        let source = source(&log);
        let id = source.partitions().unwrap()[0].topic_id.clone();
        for _ in 0..3 {
            log.append(&zero, Raw::value("a"));
        }
        log.create_topic("t", 2);
        assert_ne!(source.partitions().unwrap()[0].topic_id, id);
        let mut fetcher = source.fetcher(&[Position { partition: zero, next: 3 }]).unwrap();
        let error = fetcher.fetch(LIMITS, &mut Batch::default()).unwrap_err();
        assert!(matches!(error, SourceError::Remade { wanted: 3, latest: 0, .. }), "{error}");
    }

    #[test]
    fn what_was_reported_as_committed_is_seen() {
        let (log, zero) = log();
        source(&log).report_committed(&[Position { partition: zero.clone(), next: 4 }]);
        assert_eq!(log.committed(&zero), Some(4));
    }
}
