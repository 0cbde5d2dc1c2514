//! The records that a commit took, in the order in which it took them: from its archive, or from the topics as long as
//! they hold them.

mod partition_buffers;
mod reading;

use std::collections::BTreeMap;
use std::time::Duration;

use tallow_log::Record;
use tallow_log::record::{Chunk, Partition};
use tallow_record::{Batch, TopicPartition};
use tallow_sink::archive;
use tallow_source::{Limits, PartitionInfo, SourceError};

use self::partition_buffers::PartitionBuffers;
use self::reading::{Reading, stretch};
use super::Verifier;
use super::report::Offsets;
use tallow_pipeline::PipelineError;

/// Offsets that a commit took and that cannot be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    pub offsets: Offsets,
    pub why: String,
    /// They were too old for the topic.
    pub by_retention: bool,
}

pub enum Taken {
    Records { batches: Vec<Batch>, from_archive: bool },
    Gone(Vec<Gone>),
}

/// Reads commit after commit, in order.
pub struct Records<'a> {
    verifier: &'a Verifier,
    /// What the brokers said of the topics, once they were asked.
    topics: Option<Topics>,
    reading: Option<Reading>,
    /// Why no broker answered: asking again for each commit would take a time-out each.
    unreachable: Option<String>,
}

/// What the brokers know of the topics.
enum Topics {
    Known(Vec<PartitionInfo>),
    /// A topic is not there any more.
    Missing {
        why: String,
    },
}

impl<'a> Records<'a> {
    pub fn new(verifier: &'a Verifier) -> Self {
        Self { verifier, topics: None, reading: None, unreachable: None }
    }

    /// What `commit` took. `following`: the commits after it, which a reading of the topics may take in, too.
    pub fn of<'r>(
        &mut self,
        commit: &'r Record,
        following: impl Iterator<Item = &'r Record>,
    ) -> Result<Taken, PipelineError> {
        let epoch = &commit.epoch;
        if let Some(blob) = &epoch.archive {
            let bytes = self.verifier.read_blob(blob)?;
            let batches = archive::decode(&format!("archive `{}`", blob.name), bytes)
                .map_err(|error| PipelineError::Checkpoint(error.to_string()))?;
            let mut buffers = PartitionBuffers::default();
            batches.iter().for_each(|batch| buffers.take(batch, |_| i64::MAX));
            let batches = buffers.assemble(&epoch.chunks, self.most_records());
            return Ok(Taken::Records { batches, from_archive: true });
        }
        if epoch.ledger.partitions.values().all(|counts| counts.records == 0) {
            return Ok(Taken::Records { batches: Vec::new(), from_archive: false });
        }
        if let Some(why) = &self.unreachable {
            return Err(SourceError::Other(why.clone()).into());
        }
        let taken = self.read_topics(commit, following);
        if let Err(PipelineError::Source(error)) = &taken {
            self.unreachable = Some(error.to_string());
        }
        taken
    }

    fn read_topics<'r>(
        &mut self,
        commit: &'r Record,
        following: impl Iterator<Item = &'r Record>,
    ) -> Result<Taken, PipelineError> {
        let epoch = &commit.epoch;
        let gone = match self.topics(epoch.headers)? {
            Topics::Known(infos) => gone(&epoch.chunks, &commit.state.partitions, infos),
            Topics::Missing { why } => all_gone(&epoch.chunks, why, false),
        };
        if !gone.is_empty() {
            return Ok(Taken::Gone(gone));
        }
        self.read(commit, following)
    }

    fn topics(&mut self, headers: bool) -> Result<&Topics, PipelineError> {
        if self.topics.is_none() {
            let source = (self.verifier.source)(headers)?;
            self.topics = Some(match source.partitions() {
                Ok(infos) => Topics::Known(infos),
                Err(SourceError::NoTopic { topic, .. }) => {
                    Topics::Missing { why: format!("topic `{topic}` does not exist any more") }
                }
                Err(error) => return Err(error.into()),
            });
        }
        self.topics.as_ref().ok_or(PipelineError::Broken)
    }

    fn read<'r>(
        &mut self,
        commit: &'r Record,
        following: impl Iterator<Item = &'r Record>,
    ) -> Result<Taken, PipelineError> {
        let goes_on =
            |reading: &Reading| reading.headers == commit.epoch.headers && commit.seq <= reading.through;
        if !self.reading.as_ref().is_some_and(goes_on) {
            let source = (self.verifier.source)(commit.epoch.headers)?;
            self.reading = Some(Reading::open(source, stretch(commit, following))?);
        }
        let most_records = self.most_records();
        let Some(reading) = &mut self.reading else { return Err(PipelineError::Broken) };
        let limits = Limits {
            records: most_records,
            bytes: self.verifier.plan.pipeline.limits.batch_bytes as usize,
            wait: Duration::from_millis(200),
        };
        match reading.read_up_to(self.verifier, &ends(&commit.epoch.chunks), limits) {
            Ok(()) => {}
            // Retention may pass while one reads.
            Err(PipelineError::Source(
                error @ (SourceError::DataLoss { .. } | SourceError::Remade { .. }),
            )) => {
                self.reading = None;
                let by_retention = matches!(error, SourceError::DataLoss { .. });
                return Ok(Taken::Gone(all_gone(&commit.epoch.chunks, &error.to_string(), by_retention)));
            }
            Err(error) => return Err(error),
        }
        let batches = reading.buffers.assemble(&commit.epoch.chunks, most_records);
        Ok(Taken::Records { batches, from_archive: false })
    }

    fn most_records(&self) -> usize {
        self.verifier.plan.pipeline.limits.batch_records
    }
}

/// What of the chunks no topic holds any more. `known`: the partitions as the commit's log record names them.
fn gone(chunks: &[Chunk], known: &[Partition], infos: &[PartitionInfo]) -> Vec<Gone> {
    let mut out = Vec::new();
    for (partition, (from, to)) in ranges(chunks) {
        let mut lost = |from: i64, to: i64, by_retention: bool, why: String| {
            out.push(Gone { offsets: Offsets::new(&partition, from, to), why, by_retention });
        };
        let Some(info) = infos.iter().find(|info| info.partition == partition) else {
            lost(from, to, false, "the topic has no such partition any more".to_owned());
            continue;
        };
        let was =
            known.iter().find(|it| *it.topic == *partition.topic && it.partition == partition.partition);
        let was = was.and_then(|was| was.topic_id.as_deref());
        match (was, info.topic_id.as_deref()) {
            (Some(was), Some(is)) if was != is => {
                let why = format!("the topic was deleted and made again (id {was} then, {is} now)");
                lost(from, to, false, why);
            }
            _ if info.earliest > from => lost(
                from,
                to.min(info.earliest),
                true,
                format!("the topic holds offsets from {} on, and there is no archive", info.earliest),
            ),
            _ if info.latest < to => lost(
                from.max(info.latest),
                to,
                false,
                format!("the topic ends at offset {}: its newest records were cut off", info.latest),
            ),
            _ => {}
        }
    }
    out
}

fn all_gone(chunks: &[Chunk], why: &str, by_retention: bool) -> Vec<Gone> {
    let gone = |(partition, (from, to)): (TopicPartition, (i64, i64))| Gone {
        offsets: Offsets::new(&partition, from, to),
        why: why.to_owned(),
        by_retention,
    };
    ranges(chunks).into_iter().map(gone).collect()
}

/// The first offset of each partition and that after its last.
fn ranges(chunks: &[Chunk]) -> BTreeMap<TopicPartition, (i64, i64)> {
    let mut ranges: BTreeMap<TopicPartition, (i64, i64)> = BTreeMap::new();
    for chunk in chunks.iter().filter(|chunk| chunk.from < chunk.to) {
        let range = ranges
            .entry(TopicPartition::new(&chunk.topic, chunk.partition))
            .or_insert((chunk.from, chunk.to));
        *range = (range.0.min(chunk.from), range.1.max(chunk.to));
    }
    ranges
}

fn ends(chunks: &[Chunk]) -> BTreeMap<TopicPartition, i64> {
    ranges(chunks).into_iter().map(|(partition, (_, to))| (partition, to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(partition: i32, from: i64, to: i64, clock_us: i64) -> Chunk {
        Chunk { topic: "t".into(), partition, from, to, clock_us }
    }

    fn info(partition: i32, earliest: i64, latest: i64, id: &str) -> PartitionInfo {
        let partition = TopicPartition::new("t", partition);
        PartitionInfo { partition, topic_id: Some(id.into()), earliest, latest }
    }

    fn known(partition: i32) -> Partition {
        Partition {
            topic: "t".into(),
            topic_id: Some("id".into()),
            partition,
            next: 0,
            max_event_time_us: None,
            idle: false,
            at_end_since_us: None,
            stands_since_us: None,
        }
    }

    #[test]
    fn what_the_topics_no_longer_hold_is_told_by_offset() {
        let chunks = [chunk(0, 10, 20, 1), chunk(1, 5, 6, 1), chunk(0, 20, 30, 2)];
        let of = |infos: &[PartitionInfo]| {
            let gone = gone(&chunks, &[known(0), known(1)], infos);
            gone.into_iter()
                .map(|gone| (gone.offsets.partition, gone.offsets.from, gone.offsets.to))
                .collect::<Vec<_>>()
        };
        for (infos, expected) in [
            (vec![info(0, 0, 30, "id"), info(1, 5, 6, "id")], vec![]),
            (vec![info(0, 15, 30, "id"), info(1, 5, 6, "id")], vec![(0, 10, 15)]),
            (vec![info(0, 99, 99, "id"), info(1, 0, 9, "id")], vec![(0, 10, 30)]),
            (vec![info(0, 0, 25, "id"), info(1, 0, 9, "id")], vec![(0, 25, 30)]),
            (vec![info(0, 0, 30, "id")], vec![(1, 5, 6)]),
            (vec![info(0, 0, 30, "other"), info(1, 0, 9, "id")], vec![(0, 10, 30)]),
        ] {
            assert_eq!(of(&infos), expected, "{infos:?}");
        }
    }
}
