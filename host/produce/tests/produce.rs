//! Producing into the embedded broker, read back by the pipeline's own source.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tallow_env::{Clock, SystemClock};
use tallow_produce::{
    EMBEDDED_CAP, EmbeddedBroker, Gate, Generator, Market, Message, Newest, Pace, ProduceError, Progress,
    SinkConfig, Tail, newest, produce,
};
use tallow_record::{Batch, TopicPartition};
use tallow_source::{Config, KafkaSource, Limits, OnDataLoss, Position, Source, Topics};

const TOPIC: &str = "trades";
const PARTITIONS: i32 = 2;

fn sink(brokers: &str) -> SinkConfig {
    SinkConfig { brokers: brokers.to_owned(), client: BTreeMap::new(), topic: TOPIC.to_owned() }
}

fn source(brokers: &str) -> KafkaSource {
    KafkaSource::new(Config {
        brokers: brokers.to_owned(),
        client: BTreeMap::new(),
        topics: Topics::Names(vec![TOPIC.to_owned()]),
        on_data_loss: OnDataLoss::Halt,
        group_for_lag: None,
        clock: Arc::new(SystemClock::new()),
    })
    .unwrap()
}

fn market(count: usize) -> impl Iterator<Item = Message> {
    Generator::new(Market::demo(11, 1_723_161_600_000_000, 1_000.0)).take(count)
}

/// Key and value of each record, sorted.
type Multiset = Vec<(Vec<u8>, Vec<u8>)>;

/// Reads so many records; tells each partition's position as it goes.
fn read(brokers: &str, count: usize, positions: &[AtomicI64]) -> Multiset {
    let from: Vec<_> = (0..PARTITIONS)
        .map(|number| Position { partition: TopicPartition::new(TOPIC, number), next: 0 })
        .collect();
    let mut fetcher = source(brokers).fetcher(&from).unwrap();
    let limits = Limits { records: 5_000, bytes: 1 << 20, wait: Duration::from_millis(50) };
    let mut records = Multiset::new();
    while records.len() < count {
        let mut batch = Batch::default();
        fetcher.fetch(limits, &mut batch).unwrap();
        for index in 0..batch.len() {
            let place = batch.place(index);
            let expected = positions[place.partition as usize].swap(place.offset + 1, Ordering::SeqCst);
            assert_eq!(place.offset, expected, "the broker dropped records");
            let bytes = |bytes: Option<&[u8]>| bytes.unwrap_or_default().to_vec();
            records.push((bytes(batch.keys.get(index)), bytes(batch.values.get(index))));
        }
    }
    records.sort();
    records
}

fn expected(messages: impl Iterator<Item = Message>) -> Multiset {
    let mut records: Multiset =
        messages.map(|message| (message.key.unwrap_or_default(), message.value)).collect();
    records.sort();
    records
}

#[test]
fn more_than_the_embedded_broker_keeps_passes_through_whole() {
    const COUNT: usize = 300_000;
    let broker = EmbeddedBroker::start(&[(TOPIC, PARTITIONS)]).unwrap();
    let brokers = broker.brokers().to_owned();
    let positions: Arc<Vec<AtomicI64>> = Arc::new((0..PARTITIONS).map(|_| AtomicI64::new(0)).collect());
    let reader = {
        let (brokers, positions) = (brokers.clone(), positions.clone());
        std::thread::spawn(move || read(&brokers, COUNT, &positions))
    };
    let committed = |partition: i32| positions[partition as usize].load(Ordering::SeqCst);
    let gate = Gate { cap: EMBEDDED_CAP, committed: &committed };
    let clock = SystemClock::new();
    let mut most = Progress::default();
    let summary =
        produce(market(COUNT).map(Ok), &sink(&brokers), Pace::Max, Some(gate), &clock, &mut |progress| {
            most = progress;
            ControlFlow::Continue(())
        })
        .unwrap();
    let records = reader.join().unwrap();
    assert_eq!(summary.records, COUNT as u64);
    assert_eq!(
        (most.records, most.bytes),
        (summary.records, summary.bytes),
        "the last progress is the whole"
    );
    assert!(summary.bytes > 30 << 20, "more than the broker keeps: {} bytes", summary.bytes);
    assert!(records == expected(market(COUNT)), "what was read is not what was made");
}

#[test]
fn a_symbol_stays_in_one_partition() {
    let broker = EmbeddedBroker::start(&[(TOPIC, 4)]).unwrap();
    let clock = SystemClock::new();
    let mut go_on = |_| ControlFlow::Continue(());
    produce(market(2_000).map(Ok), &sink(broker.brokers()), Pace::Max, None, &clock, &mut go_on).unwrap();
    let from: Vec<_> =
        (0..4).map(|n| Position { partition: TopicPartition::new(TOPIC, n), next: 0 }).collect();
    let mut fetcher = source(broker.brokers()).fetcher(&from).unwrap();
    let limits = Limits { records: 10_000, bytes: 1 << 24, wait: Duration::from_millis(50) };
    let (mut count, mut home) = (0, BTreeMap::new());
    while count < 2_000 {
        let mut batch = Batch::default();
        fetcher.fetch(limits, &mut batch).unwrap();
        count += batch.len();
        for index in 0..batch.len() {
            let key = batch.keys.get(index).unwrap().to_vec();
            let partition = batch.place(index).partition;
            assert_eq!(*home.entry(key).or_insert(partition), partition);
        }
    }
    assert_eq!(home.len(), 8);
}

/// A clock that is never waited for, and remembers how long it was asked to.
struct Impatient(SystemClock, AtomicI64);

impl Clock for Impatient {
    fn now_us(&self) -> i64 {
        self.0.now_us() + self.1.load(Ordering::SeqCst)
    }

    fn ticks(&self) -> tallow_env::Ticks {
        tallow_env::Ticks(self.0.ticks().0 + self.1.load(Ordering::SeqCst) as u64)
    }

    fn sleep(&self, duration: Duration) {
        self.1.fetch_add(duration.as_micros() as i64, Ordering::SeqCst);
    }
}

#[test]
fn a_stream_takes_as_long_as_its_pace_says() {
    let broker = EmbeddedBroker::start(&[(TOPIC, PARTITIONS)]).unwrap();
    let mut go_on = |_| ControlFlow::Continue(());
    for pace in [Pace::PerSecond(10.0), Pace::ByTime { speed: 0.01 }] {
        let clock = Impatient(SystemClock::new(), AtomicI64::new(0));
        let stream = || market(601);
        let want_us = match pace {
            Pace::ByTime { speed } => {
                let due: Vec<_> = stream().map(|message| message.due_us.unwrap()).collect();
                ((due[600] - due[0]) as f64 / speed) as i64
            }
            _ => 60_000_000,
        };
        let summary =
            produce(stream().map(Ok), &sink(broker.brokers()), pace, None, &clock, &mut go_on).unwrap();
        let elapsed_us = summary.elapsed.as_micros() as i64;
        // A wait below a millisecond is left out.
        assert!(elapsed_us >= want_us - 1_000, "{pace:?}: {elapsed_us} of {want_us}");
        assert_eq!(summary.records, 601);
    }
}

#[test]
fn the_callback_stops_an_endless_stream() {
    let broker = EmbeddedBroker::start(&[(TOPIC, PARTITIONS)]).unwrap();
    let clock = Impatient(SystemClock::new(), AtomicI64::new(0));
    let endless = Generator::new(Market::demo(1, 0, 1_000.0)).map(Ok);
    let mut until = |progress: Progress| match progress.elapsed > Duration::from_secs(5) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let summary =
        produce(endless, &sink(broker.brokers()), Pace::PerSecond(100.0), None, &clock, &mut until).unwrap();
    assert!(summary.stopped);
    assert!(summary.records >= 490, "all that was sent has arrived: {}", summary.records);
    let next = Generator::new(Market::demo(1, 0, 1_000.0)).nth(summary.records as usize);
    assert_eq!(summary.unsent, next, "what was taken and not sent is given back");
}

#[test]
fn what_a_topic_holds_of_a_market_is_read_from_its_end() {
    let broker = EmbeddedBroker::start(&[(TOPIC, PARTITIONS)]).unwrap();
    let clock = SystemClock::new();
    let sink = sink(broker.brokers());
    assert_eq!(newest(&sink, &clock), Tail::Read(Newest::default()), "an empty topic");
    let mut expected = Newest::default();
    market(3_000).for_each(|message| expected.see(&message.value));
    assert_eq!(expected.symbols.len(), 8);
    let mut go_on = |_| ControlFlow::Continue(());
    produce(market(3_000).map(Ok), &sink, Pace::Max, None, &clock, &mut go_on).unwrap();
    assert_eq!(newest(&sink, &clock), Tail::Read(expected));
}

#[test]
fn no_broker_and_wrong_settings_are_errors_that_name_the_cause() {
    let clock = SystemClock::new();
    let mut go_on = |_| ControlFlow::Continue(());
    let mut nowhere = sink("127.0.0.1:1");
    nowhere.client.insert("message.timeout.ms".to_owned(), "1500".to_owned());
    let error = produce(market(1).map(Ok), &nowhere, Pace::Max, None, &clock, &mut go_on).unwrap_err();
    assert!(matches!(error, ProduceError::Delivery { .. }));
    assert!(error.to_string().contains("127.0.0.1:1") && error.to_string().contains("refused"), "{error}");

    let mut wrong = sink("127.0.0.1:1");
    wrong.client.insert("linger".to_owned(), "soon".to_owned());
    let error = produce(market(1).map(Ok), &wrong, Pace::Max, None, &clock, &mut go_on).unwrap_err();
    assert!(matches!(&error, ProduceError::Setting { key, .. } if key == "linger"), "{error}");
}
