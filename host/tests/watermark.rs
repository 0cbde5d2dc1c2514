//! How far the watermark comes where partitions differ, and what a run says of it. In memory, with the built functions in
//! their sandbox.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::{DRAIN, MINUTES, OPEN_US, SECOND_US, World, pipeline, trade};
use tallow_log::status::last_records;
use tallow_source::{Fetcher, OnDataLoss, PartitionInfo, Position, Source, SourceError, Topics};
use tallow_test_support::source::MemorySource;
use tallow_verify::range::Ask;
use tallow_verify::report::Verdict;
use tallow_verify::verify;
use tallow_worker::plan::Mode;

fn send(world: &World, partition: i32, symbol: &str, seconds: impl IntoIterator<Item = i64>) {
    for second in seconds {
        world.append(partition, trade(symbol, second, second * SECOND_US, "1", "1"));
    }
}

/// Symbol and start, in seconds after the opening, of the candles.
fn closed(world: &World) -> Vec<(String, i64)> {
    let rows = world.rows("speed/candles_1m");
    let start = |text: &str| (text.parse::<i64>().unwrap() - OPEN_US) / SECOND_US;
    let mut closed: Vec<_> =
        rows.iter().map(|row| (row["symbol"].clone(), start(&row["window_start"]))).collect();
    closed.sort();
    closed
}

fn at(second: i64) -> Option<i64> {
    Some(OPEN_US + second * SECOND_US)
}

/// The watermark is 2 s behind.
fn watermark_us(world: &World) -> Option<i64> {
    last_records(&world.store, "candles", 0, 1).unwrap()[0].state.watermark_us
}

#[test]
fn an_empty_partition_holds_nothing_back_when_draining() {
    let world = World::new(3);
    send(&world, 1, "A", 0..130);
    let run = world.run(&pipeline("epoch = { max-records = 50 }", MINUTES));
    run.outcome.unwrap();
    assert_eq!(closed(&world), [("A".to_owned(), 0), ("A".to_owned(), 60)]);
    assert_eq!((run.counts.watermark_us, run.counts.held), (at(127), None));
}

#[test]
fn once_all_are_drained_the_newest_event_counts() {
    let world = World::new(2);
    send(&world, 0, "A", 0..10);
    send(&world, 1, "B", 0..130);
    let pipeline = pipeline("epoch = { max-records = 40 }", MINUTES);
    world.run(&pipeline).outcome.unwrap();
    assert_eq!(closed(&world), [("A".to_owned(), 0), ("B".to_owned(), 0), ("B".to_owned(), 60)]);
    assert_eq!(watermark_us(&world), at(127));
    let report = verify(&world.verifier(&pipeline), Ask::All, &mut |_| {}).unwrap();
    assert_eq!(report.verdict(), Verdict::Proved, "{report:#?}");
}

#[test]
fn a_run_that_finds_nothing_new_closes_what_waited() {
    let world = World::new(2);
    send(&world, 0, "A", 0..130);
    // Stopped before its partitions were idle: nothing could close.
    let lasting = pipeline("idle-after = \"10000h\"", MINUTES);
    let wiring = world.wire(&lasting, Mode::default());
    let stop = wiring.stop.clone();
    let run = std::thread::scope(|scope| {
        let store = world.store.clone();
        scope.spawn(move || {
            let taken = || {
                last_records(&store, "candles", 0, 9)
                    .is_ok_and(|records| records.iter().any(|record| !record.epoch.chunks.is_empty()))
            };
            while !taken() {
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
        });
        world.run_wired(wiring)
    });
    run.outcome.unwrap();
    assert_eq!(closed(&world), []);
    let held = run.counts.held.unwrap();
    assert_eq!((held.partition.as_str(), held.others, held.windows), ("trades/1", 0, Some(2)));
    assert_eq!((held.newest_us, held.without_it_us), (None, OPEN_US + 127 * SECOND_US));
    assert!(held.since_us.is_some());

    let run = world.run(&lasting);
    run.outcome.unwrap();
    assert_eq!(closed(&world), [("A".to_owned(), 0), ("A".to_owned(), 60)]);
    let counts = run.counts;
    assert_eq!((counts.records, counts.candles, counts.open_windows), (0, 2, 1));

    // The next one has nothing to do, and says how things stand.
    let counts = world.run(&lasting).counts;
    assert_eq!((counts.records, counts.candles, counts.open_windows), (0, 0, 1));
    assert_eq!((counts.watermark_us, counts.partitions), (at(127), 2));
}

#[test]
fn all_partitions_idle_together_close_up_to_the_newest() {
    let world = World::new(2);
    send(&world, 0, "A", 0..10);
    send(&world, 1, "B", 0..130);
    let wiring = world.wire(&pipeline("idle-after = \"1s\"", MINUTES), Mode::default());
    let stop = wiring.stop.clone();
    std::thread::scope(|scope| {
        let store = world.store.clone();
        scope.spawn(move || {
            let watermark_us = || {
                last_records(&store, "candles", 0, 1).unwrap().first().and_then(|it| it.state.watermark_us)
            };
            while watermark_us() < at(127) {
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
        });
        world.run_wired(wiring).outcome.unwrap();
    });
    assert_eq!(closed(&world), [("A".to_owned(), 0), ("B".to_owned(), 0), ("B".to_owned(), 60)]);
    assert_eq!(watermark_us(&world), at(127), "it went there once, and not on with the clock");
}

/// A broker that takes its time to answer the first question.
struct Silent;

impl Source for Silent {
    fn partitions(&self) -> Result<Vec<PartitionInfo>, SourceError> {
        let _ = crossbeam_channel::never::<()>().recv();
        Err(SourceError::Other("for ever has passed".to_owned()))
    }

    fn offsets_at(
        &self,
        _: &[tallow_source::PartitionInfo],
        _: i64,
    ) -> Result<Vec<tallow_source::Position>, tallow_source::SourceError> {
        Ok(Vec::new())
    }

    fn fetcher(&self, _: &[Position]) -> Result<Box<dyn Fetcher>, SourceError> {
        Err(SourceError::Other("nothing is read".to_owned()))
    }

    fn retention(&self) -> Result<Option<Duration>, SourceError> {
        Ok(None)
    }

    fn report_committed(&self, _: &[Position]) {}
}

#[test]
fn a_stop_is_heard_while_no_broker_answers() {
    let world = World::new(1);
    let mut wiring = world.wire(&pipeline("", MINUTES), Mode::default());
    wiring.source = Arc::new(Silent);
    wiring.stop.store(true, Ordering::Relaxed);
    let run = world.run_wired(wiring);
    run.outcome.unwrap();
    assert!(!run.counts.began);
    assert!(last_records(&world.store, "candles", 0, 1).unwrap().is_empty());
}

#[test]
fn a_pattern_without_topics_says_how_things_stand() {
    let world = World::new(1);
    send(&world, 0, "A", 0..130);
    let pipeline = pipeline("on-data-loss = \"continue\"", MINUTES);
    world.run(&pipeline).outcome.unwrap();
    let mut wiring = world.wire(&pipeline, DRAIN);
    let nothing = Topics::Pattern("nothing-.*".to_owned());
    let source = MemorySource::new(world.log.clone(), &nothing, OnDataLoss::Continue, world.clock.clone());
    wiring.source = Arc::new(source.unwrap());
    let run = world.run_wired(wiring);
    run.outcome.unwrap();
    let counts = run.counts;
    assert_eq!((counts.partitions, counts.records, counts.open_windows), (0, 0, 1));
    assert_eq!(counts.watermark_us, at(127));
}
