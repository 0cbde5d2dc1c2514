//! A reading of the topics, over as many commits as may be read in one go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tallow_log::Record;
use tallow_record::{Batch, TopicPartition};
use tallow_source::{Event, Fetcher, Limits, Position, Source, SourceError};

use super::partition_buffers::PartitionBuffers;
use super::ranges;
use crate::Verifier;
use tallow_pipeline::PipelineError;

/// Offsets that one reading of the topics may span: it bounds what is read ahead of the commit that is looked at.
const MOST_OFFSETS: i64 = 1 << 20;
/// How long the topics may give nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Consecutive commits that one reading of the topics covers.
#[derive(Debug, PartialEq, Eq)]
pub struct Stretch {
    ranges: BTreeMap<TopicPartition, (i64, i64)>,
    headers: bool,
    /// Seq of the last of them.
    through: u64,
}

/// As many commits, from the first on, as may be read in one go. A commit that turns back, as after a rollback, begins
/// another stretch; so does one that is read from elsewhere.
pub fn stretch<'r>(first: &'r Record, following: impl Iterator<Item = &'r Record>) -> Stretch {
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
pub struct Reading {
    fetcher: Box<dyn Fetcher>,
    pub headers: bool,
    pub through: u64,
    /// Where reading each partition ends.
    until: BTreeMap<TopicPartition, i64>,
    pub buffers: PartitionBuffers,
}

impl Reading {
    pub fn open(source: Arc<dyn Source>, stretch: Stretch) -> Result<Self, PipelineError> {
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
            buffers: PartitionBuffers::default(),
        })
    }

    /// Reads until everything below `ends` has come.
    pub fn read_up_to(
        &mut self,
        verifier: &Verifier,
        ends: &BTreeMap<TopicPartition, i64>,
        limits: Limits,
    ) -> Result<(), PipelineError> {
        let mut heard = verifier.clock.ticks();
        while ends.iter().any(|(partition, end)| self.buffers.reached(partition) < Some(*end)) {
            let mut batch = Batch::default();
            let events = self.fetcher.fetch(limits, &mut batch)?;
            let until = &self.until;
            self.buffers.take(&batch, |partition| until.get(partition).copied().unwrap_or(i64::MIN));
            let mut why = format!("nothing came for {} s", PATIENCE.as_secs());
            let mut silent = batch.is_empty();
            for event in events {
                match event {
                    Event::End { partition, next } => {
                        self.buffers.reach(&partition, next);
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
