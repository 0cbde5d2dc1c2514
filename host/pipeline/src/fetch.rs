//! A fetch client: reads its partitions and hands batches on, until told to stop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tallow_env::Clock;
use tallow_record::{Batch, TopicPartition};
use tallow_source::{Event, Fetcher, Limits, PartitionInfo, Position, Source, SourceError};

use crate::sequencer::{Flow, Sequencer};

/// How long a fetch waits for a first record: it bounds how late a stop or the end of an epoch is seen.
const WAIT: Duration = Duration::from_millis(50);

/// Reads until the sequencer or `stop` ends it. `contact` learns after each fetch whether a broker answers, and if
/// not, why.
pub fn run(
    mut fetcher: Box<dyn Fetcher>,
    sequencer: &Sequencer,
    limits: Limits,
    stop: &AtomicBool,
    mut discovery: Option<Discovery>,
    contact: &dyn Fn(Option<&str>),
) -> Result<(), SourceError> {
    let limits = Limits { wait: limits.wait.min(WAIT), ..limits };
    let mut away = false;
    loop {
        if stop.load(Ordering::Relaxed) {
            sequencer.stop();
            return Ok(());
        }
        // Without a broker the question blocks, and a stop would not be seen.
        if let Some(discovery) = discovery.as_mut().filter(|_| !away) {
            let found = discovery.look()?;
            if !found.is_empty() {
                let from: Vec<Position> = found.iter().map(PartitionInfo::from_earliest).collect();
                fetcher.add(&from)?;
                sequencer.found(found);
            }
        }
        let mut batch = Batch::default();
        let events = fetcher.fetch(limits, &mut batch)?;
        let why = events.iter().find_map(|event| match event {
            Event::Unreachable { why } => Some(why.as_str()),
            _ => None,
        });
        away = why.is_some();
        contact(why);
        if sequencer.push(batch, events) == Flow::Stop {
            return Ok(());
        }
    }
}

/// Looks for partitions that did not exist at the start. They are read from their earliest record on.
pub struct Discovery {
    source: Arc<dyn Source>,
    clock: Arc<dyn Clock>,
    every: Duration,
    looked: tallow_env::Ticks,
    known: BTreeSet<TopicPartition>,
}

impl Discovery {
    pub fn new(
        source: Arc<dyn Source>,
        clock: Arc<dyn Clock>,
        every: Duration,
        known: BTreeSet<TopicPartition>,
    ) -> Self {
        let looked = clock.ticks();
        Self { source, clock, every, looked, known }
    }

    fn look(&mut self) -> Result<Vec<PartitionInfo>, SourceError> {
        let now = self.clock.ticks();
        if now.since(self.looked) < self.every {
            return Ok(Vec::new());
        }
        self.looked = now;
        let partitions = match self.source.partitions() {
            Ok(partitions) => partitions,
            // The fetches themselves tell of a broker that does not answer and of a topic that is gone; here it
            // may be no more than metadata that lags.
            Err(SourceError::Unreachable { .. } | SourceError::NoTopic { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for info in partitions {
            if self.known.insert(info.partition.clone()) {
                tracing::info!(partition = %info.partition, from = info.earliest, "found a new partition");
                found.push(info);
            }
        }
        Ok(found)
    }
}
