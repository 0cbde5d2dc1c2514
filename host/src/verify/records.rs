//! The records that a commit took, in the order in which it took them: from its archive, or from the topics as long as
//! they hold them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tallow_log::Record;
use tallow_log::record::{Chunk, Partition};
use tallow_record::{Batch, TopicPartition};
use tallow_sink::archive;
use tallow_source::{Event, Fetcher, Limits, PartitionInfo, Position, Source, SourceError};

use super::Verifier;
use super::report::Offsets;
use crate::error::PipelineError;

/// Offsets that one reading of the topics may span: it bounds what is read ahead of the commit that is looked at.
const MOST_OFFSETS: i64 = 1 << 20;
/// How long the topics may give nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Offsets that a commit took and that nobody can read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    pub offsets: Offsets,
    pub why: String,
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
            let batches = archive::decode(bytes)
                .map_err(|why| PipelineError::Checkpoint(format!("archive `{}`: {why}", blob.name)))?;
            let mut lanes = Lanes::default();
            batches.iter().for_each(|batch| lanes.take(batch, |_| i64::MAX));
            let batches = lanes.assemble(&epoch.chunks, self.most_records());
            return Ok(Taken::Records { batches, from_archive: true });
        }
        if epoch.ledger.partitions.values().all(|counts| counts.records == 0) {
            return Ok(Taken::Records { batches: Vec::new(), from_archive: false });
        }
        if let Some(why) = &self.unreachable {
            return Err(SourceError::Other(why.clone()).into());
        }
        let taken = self.from_topics(commit, following);
        if let Err(PipelineError::Source(error)) = &taken {
            self.unreachable = Some(error.to_string());
        }
        taken
    }

    fn from_topics<'r>(
        &mut self,
        commit: &'r Record,
        following: impl Iterator<Item = &'r Record>,
    ) -> Result<Taken, PipelineError> {
        let epoch = &commit.epoch;
        let gone = match self.topics(epoch.headers)? {
            Topics::Known(infos) => gone(&epoch.chunks, &commit.state.partitions, infos),
            Topics::Missing { why } => all_gone(&epoch.chunks, why),
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
                return Ok(Taken::Gone(all_gone(&commit.epoch.chunks, &error.to_string())));
            }
            Err(error) => return Err(error),
        }
        let batches = reading.lanes.assemble(&commit.epoch.chunks, most_records);
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
        let mut lost = |from: i64, to: i64, why: String| {
            out.push(Gone { offsets: Offsets::new(&partition, from, to), why });
        };
        let Some(info) = infos.iter().find(|info| info.partition == partition) else {
            lost(from, to, "the topic has no such partition any more".to_owned());
            continue;
        };
        let was =
            known.iter().find(|it| *it.topic == *partition.topic && it.partition == partition.partition);
        let was = was.and_then(|was| was.topic_id.as_deref());
        match (was, info.topic_id.as_deref()) {
            (Some(was), Some(is)) if was != is => {
                lost(from, to, format!("the topic was deleted and made anew (id {was} then, {is} now)"));
            }
            _ if info.earliest > from => lost(
                from,
                to.min(info.earliest),
                format!("the topic holds offsets from {} on, and there is no archive", info.earliest),
            ),
            _ if info.latest < to => lost(
                from.max(info.latest),
                to,
                format!("the topic ends at offset {}: its newest records were cut off", info.latest),
            ),
            _ => {}
        }
    }
    out
}

fn all_gone(chunks: &[Chunk], why: &str) -> Vec<Gone> {
    let gone = |(partition, (from, to)): (TopicPartition, (i64, i64))| Gone {
        offsets: Offsets::new(&partition, from, to),
        why: why.to_owned(),
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

/// Consecutive commits that one reading of the topics covers.
#[derive(Debug, PartialEq, Eq)]
struct Stretch {
    ranges: BTreeMap<TopicPartition, (i64, i64)>,
    headers: bool,
    /// Seq of the last of them.
    through: u64,
}

/// As many commits, from the first on, as may be read in one go. A commit that turns back, as after a rollback, begins
/// another stretch; so does one that is read from elsewhere.
fn stretch<'r>(first: &'r Record, following: impl Iterator<Item = &'r Record>) -> Stretch {
    let mut stretch =
        Stretch { ranges: ranges(&first.epoch.chunks), headers: first.epoch.headers, through: first.seq };
    for commit in following {
        let epoch = &commit.epoch;
        let mut together = stretch.ranges.clone();
        let follows = ranges(&epoch.chunks).into_iter().all(|(partition, (from, to))| {
            let range = together.entry(partition).or_insert((from, from));
            let follows = range.1 <= from;
            range.1 = to;
            follows
        });
        let offsets: i64 = together.values().map(|(from, to)| to - from).sum();
        let same = epoch.archive.is_none() && (epoch.chunks.is_empty() || epoch.headers == stretch.headers);
        if !follows || !same || offsets > MOST_OFFSETS {
            break;
        }
        (stretch.ranges, stretch.through) = (together, commit.seq);
    }
    stretch
}

/// The topics, read from a commit on.
struct Reading {
    fetcher: Box<dyn Fetcher>,
    headers: bool,
    through: u64,
    /// Where reading each partition ends.
    until: BTreeMap<TopicPartition, i64>,
    lanes: Lanes,
}

impl Reading {
    fn open(source: Arc<dyn Source>, stretch: Stretch) -> Result<Self, PipelineError> {
        let from: Vec<Position> = stretch
            .ranges
            .iter()
            .map(|(partition, (from, _))| Position { partition: partition.clone(), next: *from })
            .collect();
        Ok(Self {
            fetcher: source.fetcher(&from)?,
            headers: stretch.headers,
            through: stretch.through,
            until: stretch.ranges.into_iter().map(|(partition, (_, to))| (partition, to)).collect(),
            lanes: Lanes::default(),
        })
    }

    /// Reads until everything below `ends` has come.
    fn read_up_to(
        &mut self,
        verifier: &Verifier,
        ends: &BTreeMap<TopicPartition, i64>,
        limits: Limits,
    ) -> Result<(), PipelineError> {
        let mut heard = verifier.clock.ticks();
        while ends.iter().any(|(partition, end)| self.lanes.reached(partition) < Some(*end)) {
            let mut batch = Batch::default();
            let events = self.fetcher.fetch(limits, &mut batch)?;
            let until = &self.until;
            self.lanes.take(&batch, |partition| until.get(partition).copied().unwrap_or(i64::MIN));
            let mut why = format!("nothing came for {} s", PATIENCE.as_secs());
            let mut silent = batch.is_empty();
            for event in events {
                match event {
                    Event::End { partition, next } => {
                        self.lanes.reach(&partition, next);
                        silent = false;
                    }
                    Event::Unreachable { why: said } => why = said,
                    Event::Lost { partition, from, to } => {
                        let (wanted, earliest, latest, lost) = (from, to, to, to - from);
                        return Err(
                            SourceError::DataLoss { partition, wanted, earliest, latest, lost }.into()
                        );
                    }
                }
            }
            if !silent {
                heard = verifier.clock.ticks();
            } else if verifier.clock.ticks().since(heard) > PATIENCE {
                return Err(SourceError::Unreachable { brokers: verifier.brokers.clone(), why }.into());
            }
        }
        Ok(())
    }
}

/// Records that were read, by partition, in the order of their offsets.
#[derive(Default)]
struct Lanes(BTreeMap<TopicPartition, Lane>);

#[derive(Default)]
struct Lane {
    /// Each of this partition alone.
    batches: VecDeque<Batch>,
    /// Everything below has come; none before the first news.
    reached: Option<i64>,
}

impl Lanes {
    /// Takes in what a fetch gave, up to where each partition's reading ends.
    fn take(&mut self, batch: &Batch, until: impl Fn(&TopicPartition) -> i64) {
        for (first, run) in batch.runs_from() {
            let partition = batch.partition_of(run);
            let records = first..first + run.records as usize;
            let Some(last) = records.clone().last() else { continue };
            let end = until(&partition);
            let wanted = records.start + batch.offsets[records.clone()].partition_point(|it| *it < end);
            let lane = self.0.entry(partition).or_default();
            lane.reached = lane.reached.max(Some(batch.offsets[last] + 1));
            if wanted > records.start {
                lane.batches.push_back(batch.select(records.start..wanted));
            }
        }
    }

    fn reach(&mut self, partition: &TopicPartition, next: i64) {
        let lane = self.0.entry(partition.clone()).or_default();
        lane.reached = lane.reached.max(Some(next));
    }

    fn reached(&self, partition: &TopicPartition) -> Option<i64> {
        self.0.get(partition).and_then(|lane| lane.reached)
    }

    /// Takes the chunks' records out, in the order of the chunks and with their clocks, at most so many a batch.
    fn assemble(&mut self, chunks: &[Chunk], most_records: usize) -> Vec<Batch> {
        let mut out = Vec::new();
        for chunk in chunks {
            let Some(lane) = self.0.get_mut(&TopicPartition::new(&chunk.topic, chunk.partition)) else {
                continue;
            };
            while let Some(front) = lane.batches.pop_front() {
                let (from, to) = (chunk.from, chunk.to);
                let first = front.offsets.partition_point(|offset| *offset < from);
                let end = front.offsets.partition_point(|offset| *offset < to);
                for start in (first..end).step_by(most_records.max(1)) {
                    let mut batch = front.select(start..end.min(start + most_records.max(1)));
                    batch.runs.iter_mut().for_each(|run| run.clock_us = chunk.clock_us);
                    out.push(batch);
                }
                if end < front.len() {
                    lane.batches.push_front(front.select(end..front.len()));
                    break;
                }
            }
        }
        out
    }
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

    fn batch(partition: i32, offsets: &[i64]) -> Batch {
        let mut batch = Batch::default();
        let topic = batch.topic_index(&"t".into());
        offsets.iter().for_each(|offset| batch.push(topic, partition, *offset, 0, 77, None, Some(b"x")));
        batch
    }

    #[test]
    fn records_are_put_into_the_order_of_the_chunks_with_their_clocks() {
        let mut lanes = Lanes::default();
        // Offset 12 does not exist; 16 lies behind the end.
        for (partition, offsets) in [(0, &[10, 11, 13][..]), (1, &[5]), (0, &[14, 15, 16])] {
            lanes.take(&batch(partition, offsets), |_| 16);
        }
        let assembled = |lanes: &mut Lanes, chunks: &[Chunk]| -> Vec<(i32, Vec<i64>, i64)> {
            let batches = lanes.assemble(chunks, 2);
            batches
                .into_iter()
                .map(|batch| (batch.runs[0].partition, batch.offsets, batch.runs[0].clock_us))
                .collect()
        };
        let first = [chunk(0, 10, 12, 1), chunk(1, 5, 6, 1), chunk(0, 12, 14, 2)];
        assert_eq!(assembled(&mut lanes, &first), [(0, vec![10, 11], 1), (1, vec![5], 1), (0, vec![13], 2)]);
        assert_eq!(assembled(&mut lanes, &[chunk(0, 14, 16, 3)]), [(0, vec![14, 15], 3)]);
        assert_eq!(lanes.reached(&TopicPartition::new("t", 0)), Some(17));
        assert_eq!(assembled(&mut lanes, &[chunk(0, 16, 17, 3)]), []);
    }
}
