//! A stage that fails by a fault of the program: those that wait for it must not wait for ever.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use common::{MINUTES, SECOND_US, Wired, World, pipeline, trade};
use tallow_pipeline::PipelineError;

use tallow_pipeline::progress::{Progress, Viewer};
use tallow_record::Batch;
use tallow_source::{Event, Fetcher, Limits, PartitionInfo, Position, Source, SourceError};
use tallow_worker::plan::Mode;

/// Two partitions, each with its own fetch client; a few records fill the queue, and a few more an epoch.
const KEYS: &str = "fetch-clients = 2\nlimits = { batch-records = 7, queue = \"1MiB\" }\n\
                    epoch = { max-records = 20 }";

fn wire(world: &World) -> Wired {
    for second in 0..600 {
        world.append(0, trade("BTCUSDT", 100 + second, second * SECOND_US, "100.5", "2.0"));
        world.append(1, trade("ETHUSDT", 100 + second, second * SECOND_US, "200.5", "2.0"));
    }
    // It would continue for ever.
    world.wire(&pipeline(KEYS, MINUTES), Mode::default())
}

fn assert_breaks(world: &World, wiring: Wired) {
    let outcome = world.run_wired(wiring).outcome;
    assert!(matches!(outcome, Err(PipelineError::Broken)), "{outcome:?}");
}

/// Fails in the window worker, or in the committer.
struct Faulty {
    in_window: bool,
}

impl Viewer for Faulty {
    fn open(&self, _: &[(String, RecordBatch)]) {
        assert!(!self.in_window, "a fault of the window worker");
    }

    fn closed(&self, _: &str, _: &[(String, RecordBatch)]) {
        assert!(self.in_window, "a fault of the committer");
    }
}

#[test]
fn a_window_worker_or_committer_that_fails_ends_the_pipeline() {
    for in_window in [true, false] {
        let world = World::new(2);
        let mut wiring = wire(&world);
        wiring.progress = Arc::new(Progress::new(vec![Box::new(Faulty { in_window })]));
        assert_breaks(&world, wiring);
    }
}

/// A source whose client of partition 1 fails.
struct FaultySource(Arc<dyn Source>);

impl Source for FaultySource {
    fn partitions(&self) -> Result<Vec<PartitionInfo>, SourceError> {
        self.0.partitions()
    }

    fn offsets_at(&self, partitions: &[PartitionInfo], time_us: i64) -> Result<Vec<Position>, SourceError> {
        self.0.offsets_at(partitions, time_us)
    }

    fn fetcher(&self, from: &[Position]) -> Result<Box<dyn Fetcher>, SourceError> {
        match from.iter().any(|position| position.partition.partition == 1) {
            true => Ok(Box::new(FaultyFetcher)),
            false => self.0.fetcher(from),
        }
    }

    fn retention(&self) -> Result<Option<Duration>, SourceError> {
        self.0.retention()
    }

    fn report_committed(&self, positions: &[Position]) {
        self.0.report_committed(positions);
    }
}

struct FaultyFetcher;

impl Fetcher for FaultyFetcher {
    fn fetch(&mut self, _: Limits, _: &mut Batch) -> Result<Vec<Event>, SourceError> {
        panic!("a fault of a fetch client")
    }

    fn add(&mut self, _: &[Position]) -> Result<(), SourceError> {
        Ok(())
    }
}

#[test]
fn a_fetch_client_that_fails_ends_the_pipeline() {
    let world = World::new(2);
    let mut wiring = wire(&world);
    wiring.source = Arc::new(FaultySource(wiring.source.clone()));
    assert_breaks(&world, wiring);
}
