//! What the pipeline asks of a source.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tallow_record::{Batch, TopicPartition};

/// A partition as the broker knows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionInfo {
    pub partition: TopicPartition,
    /// The topic's id as Kafka's own tools print it: a topic deleted and made again under the same name has another.
    /// `None` where the broker has no ids.
    pub topic_id: Option<Arc<str>>,
    /// Offset of the first record that is still there.
    pub earliest: i64,
    /// Offset that the next record will get (of the last stable record, for read-committed readers).
    pub latest: i64,
}

impl PartitionInfo {
    /// Where its first record is that is still there.
    pub fn from_earliest(&self) -> Position {
        Position { partition: self.partition.clone(), next: self.earliest }
    }
}

/// Where to read a partition from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub partition: TopicPartition,
    /// Offset of the first record to give.
    pub next: i64,
}

/// What to do where records are gone before they were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDataLoss {
    /// Stop with [`SourceError::DataLoss`].
    #[default]
    Halt,
    /// Continue from what is left, and say so by [`Event::Lost`].
    Continue,
}

/// How much one fetch may give. A fetch gives at least one record if there is one, however large.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub records: usize,
    pub bytes: usize,
    /// How long to wait for a first record.
    pub wait: Duration,
}

/// What a fetch learnt beside records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Everything below `next` has been given or does not exist (aborted, compacted, control records), and
    /// there was nothing more when the broker was asked. Given once each time the end is reached: it holds until
    /// a record of the partition comes.
    End { partition: TopicPartition, next: i64 },
    /// A broker that leads a partition does not answer: nothing is known about what lies behind the records read
    /// so far. Given at each fetch for as long as it lasts.
    Unreachable { why: String },
    /// Offsets `from..to` were gone before they were read ([`OnDataLoss::Continue`]).
    Lost { partition: TopicPartition, from: i64, to: i64 },
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{}", unreachable(brokers, why))]
    Unreachable { brokers: String, why: String },
    #[error("topic `{topic}` does not exist on {brokers}: create it, or correct `topic` in the manifest")]
    NoTopic { topic: String, brokers: String },
    #[error(
        "{partition}: offset {wanted} is gone, the broker holds {earliest} to {latest}: {lost} offsets are lost. \
         Raise the topic's retention; `on-data-loss = \"continue\"` in the manifest continues from what is left"
    )]
    DataLoss { partition: TopicPartition, wanted: i64, earliest: i64, latest: i64, lost: i64 },
    #[error(
        "{partition}: offset {wanted} is not there yet, the broker holds {earliest} to {latest}: the topic was deleted \
         and made again, or truncated. What was read before cannot be joined to it. Give the pipeline another `id` in \
         the manifest: it then reads the topic from its start, into separate tables"
    )]
    Remade { partition: TopicPartition, wanted: i64, earliest: i64, latest: i64 },
    #[error("Kafka client setting `{key}`: {why}")]
    Setting { key: String, why: String },
    #[error("{partition}: {why}")]
    Partition { partition: TopicPartition, why: String },
    #[error("{0}")]
    Other(String),
}

/// Whether a broker gave this reason itself: a broker that is not the leader of a partition does answer.
pub fn is_answer(why: &str) -> bool {
    why.contains("Broker: ")
}

fn unreachable(brokers: &str, why: &str) -> String {
    match is_answer(why) {
        true => format!("a broker of {brokers} answers with an error: {why}"),
        false => format!("no broker of {brokers} answers: {why}"),
    }
}

/// A set of topics that can be read by several fetchers side by side.
pub trait Source: Send + Sync {
    /// All partitions that the source's topics hold now, in order of topic and number.
    fn partitions(&self) -> Result<Vec<PartitionInfo>, SourceError>;

    /// The offset of each partition's first record that bears that time or a later one: the broker's or the producer's
    /// timestamp, µs since 1970-01-01 UTC. Where there is none, the partition's end.
    fn offsets_at(&self, partitions: &[PartitionInfo], time_us: i64) -> Result<Vec<Position>, SourceError>;

    /// A reader of the given partitions, each from its position on.
    fn fetcher(&self, from: &[Position]) -> Result<Box<dyn Fetcher>, SourceError>;

    /// The shortest time that any of the topics keeps a record; none: for ever, or nobody knows.
    fn retention(&self) -> Result<Option<Duration>, SourceError>;

    /// By topic: how it forgets, as Kafka's `cleanup.policy` says it. Topics of which nobody knows are left out.
    fn cleanup_policies(&self) -> Result<BTreeMap<String, String>, SourceError> {
        Ok(BTreeMap::new())
    }

    /// Tells the broker how far the pipeline has committed, for lag monitors only: nothing reads it back.
    fn report_committed(&self, positions: &[Position]);
}

/// Reads its partitions; used by one thread.
pub trait Fetcher: Send {
    /// Appends records to `batch` (the caller has cleared it), each run with the clock at its fetch. Of one partition
    /// they come in the order of offsets. Nothing is given twice, save after an error, which ends the fetcher.
    fn fetch(&mut self, limits: Limits, batch: &mut Batch) -> Result<Vec<Event>, SourceError>;

    /// Adds partitions found while running.
    fn add(&mut self, from: &[Position]) -> Result<(), SourceError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_answers_with_an_error_is_not_called_silent() {
        let text = |why: &str| {
            SourceError::Unreachable { brokers: "k:1".to_owned(), why: why.to_owned() }.to_string()
        };
        let not_leader = "NotLeaderForPartition (Broker: Not leader for partition)";
        assert_eq!(text(not_leader), format!("a broker of k:1 answers with an error: {not_leader}"));
        assert_eq!(text("Connection refused"), "no broker of k:1 answers: Connection refused");
    }
}
