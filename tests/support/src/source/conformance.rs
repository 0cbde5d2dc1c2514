//! What every source must do, as checks that panic. Run on memory, on librdkafka's mock broker and on real Kafka.
//!
//! A check asks for a fresh topic with an [`Access`] to it and drives the source as the pipeline does.

#![allow(clippy::expect_used, reason = "a check fails by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use tallow_record::{Batch, TopicPartition};
use tallow_source::{Event, Fetcher, Limits, OnDataLoss, Position, Source, SourceError};

use super::Raw;

pub type Append = dyn Fn(i32, &[Raw]);
pub type Truncate = dyn Fn(i32, i64);
pub type AddPartitions = dyn Fn(usize);

/// A fresh topic, a source of it, and the other side of the broker.
pub struct Access {
    pub topic: String,
    /// Of this topic alone, with the loss mode asked for.
    pub source: Box<dyn Source>,
    /// Appends records to a partition; they can be read when it returns.
    pub append: Box<Append>,
    /// Drops all below an offset. `None` where the broker cannot.
    pub truncate: Option<Box<Truncate>>,
    /// Adds that many partitions. `None` where the broker cannot.
    pub add_partitions: Option<Box<AddPartitions>>,
}

/// What a check needs.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The check's name, fit for a topic's name.
    pub name: &'static str,
    pub partitions: usize,
    pub on_data_loss: OnDataLoss,
}

/// Limits that no check's data reach.
const AMPLE: Limits = Limits { records: 100_000, bytes: 64 << 20, wait: Duration::from_millis(100) };
/// Fetches after which a check gives up.
const PATIENCE: usize = 600;

type Check = fn(&Access);

/// The checks by name, with the partitions they need.
const CHECKS: &[(&str, usize, OnDataLoss, Check)] = &[
    ("records-come-once-in-order-untouched", 2, OnDataLoss::Halt, records_come_once_in_order_untouched),
    ("reading-starts-where-asked", 1, OnDataLoss::Halt, reading_starts_where_asked),
    (
        "the-end-is-given-again-after-more-records",
        1,
        OnDataLoss::Halt,
        the_end_is_given_again_after_more_records,
    ),
    ("an-empty-partition-ends-at-once", 1, OnDataLoss::Halt, an_empty_partition_ends_at_once),
    ("limits-are-kept-and-a-large-record-comes-alone", 1, OnDataLoss::Halt, limits_are_kept),
    ("two-fetchers-share-a-topic", 4, OnDataLoss::Halt, two_fetchers_share_a_topic),
    ("partitions-know-their-offsets", 3, OnDataLoss::Halt, partitions_know_their_offsets),
    ("a-time-is-found-where-its-records-begin", 3, OnDataLoss::Halt, a_time_is_found),
    ("partitions-are-added-while-reading", 1, OnDataLoss::Halt, partitions_are_added_while_reading),
    ("an-offset-that-is-gone-halts-with-the-gap", 1, OnDataLoss::Halt, an_offset_that_is_gone_halts),
    (
        "an-offset-that-is-gone-is-skipped-and-reported",
        2,
        OnDataLoss::Continue,
        an_offset_that_is_gone_is_skipped,
    ),
    ("an-offset-beyond-the-end-halts", 1, OnDataLoss::Continue, an_offset_beyond_the_end_halts),
];

/// Runs all checks; `fresh` makes a topic for each.
///
/// # Panics
/// On the first check that fails.
pub fn run(mut fresh: impl FnMut(Wanted) -> Access) {
    for (name, partitions, on_data_loss, check) in CHECKS {
        println!("conformance: {name}");
        check(&fresh(Wanted { name, partitions: *partitions, on_data_loss: *on_data_loss }));
    }
}

impl Access {
    fn partition(&self, partition: i32) -> TopicPartition {
        TopicPartition::new(&self.topic, partition)
    }

    fn at(&self, partition: i32, next: i64) -> Position {
        Position { partition: self.partition(partition), next }
    }

    fn fetcher(&self, from: &[Position]) -> Box<dyn Fetcher> {
        self.source.fetcher(from).expect("a fetcher of partitions that exist")
    }
}

/// Record number `index` of a partition: different in every field, null and empty included.
fn sample(partition: i32, index: usize) -> Raw {
    let text = format!("p{partition}-{index}");
    Raw {
        key: (!index.is_multiple_of(3)).then(|| text.clone().into_bytes()),
        value: match index % 5 {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(vec![0xff, 0, index as u8]),
            _ => Some(text.repeat(index % 7).into_bytes()),
        },
        timestamp_us: 1_723_161_255_000_000 + 1000 * index as i64,
        headers: match index % 4 {
            0 => vec![("a".to_owned(), Some(text.into_bytes())), ("a".to_owned(), None)],
            _ => Vec::new(),
        },
    }
}

fn samples(partition: i32, indices: std::ops::Range<usize>) -> Vec<Raw> {
    indices.map(|index| sample(partition, index)).collect()
}

/// What a fetcher gave so far.
#[derive(Default)]
struct Given {
    records: BTreeMap<TopicPartition, Vec<(i64, Raw)>>,
    /// The end of each partition where it was told after its last record.
    ends: BTreeMap<TopicPartition, i64>,
    lost: Vec<(TopicPartition, i64, i64)>,
}

impl Given {
    fn fetch(&mut self, fetcher: &mut dyn Fetcher, limits: Limits) -> Result<Batch, SourceError> {
        let mut batch = Batch::default();
        let events = fetcher.fetch(limits, &mut batch)?;
        for (first, run) in batch.runs_from() {
            let partition = batch.partition_of(run);
            self.ends.remove(&partition);
            let records = self.records.entry(partition).or_default();
            records.extend((first..first + run.records as usize).map(|index| raw(&batch, index)));
        }
        for event in events {
            match event {
                Event::End { partition, next } => drop(self.ends.insert(partition, next)),
                Event::Lost { partition, from, to } => self.lost.push((partition, from, to)),
                Event::Unreachable { .. } => {}
            }
        }
        Ok(batch)
    }

    fn fetch_until(&mut self, fetcher: &mut dyn Fetcher, done: impl Fn(&Given) -> bool) {
        for _ in 0..PATIENCE {
            self.fetch(fetcher, AMPLE).expect("a fetch");
            if done(self) {
                return;
            }
        }
        panic!("what should come did not: ends {:?}, records of {:?}", self.ends, self.records.keys());
    }

    /// Fetches until so many partitions are at their end.
    fn drain(&mut self, fetcher: &mut dyn Fetcher, partitions: usize) {
        self.fetch_until(fetcher, |given| given.ends.len() == partitions);
    }

    fn of(&self, partition: &TopicPartition) -> &[(i64, Raw)] {
        self.records.get(partition).map_or(&[], Vec::as_slice)
    }

    fn offsets(&self, partition: &TopicPartition) -> Vec<i64> {
        self.of(partition).iter().map(|(offset, _)| *offset).collect()
    }
}

fn raw(batch: &Batch, index: usize) -> (i64, Raw) {
    let headers = (0..batch.headers.records.len())
        .filter(|header| batch.headers.records[*header] as usize == index)
        .map(|header| {
            let value = batch.headers.values.get(header).map(<[u8]>::to_vec);
            (batch.headers.names[header].clone(), value)
        })
        .collect();
    let record = Raw {
        key: batch.keys.get(index).map(<[u8]>::to_vec),
        value: batch.values.get(index).map(<[u8]>::to_vec),
        timestamp_us: batch.timestamps_us[index],
        headers,
    };
    (batch.offsets[index], record)
}

fn first_error(fetcher: &mut dyn Fetcher) -> SourceError {
    for _ in 0..PATIENCE {
        if let Err(error) = fetcher.fetch(AMPLE, &mut Batch::default()) {
            return error;
        }
    }
    panic!("no error came");
}

fn records_come_once_in_order_untouched(access: &Access) {
    for partition in 0..2 {
        (access.append)(partition, &samples(partition, 0..500));
    }
    let mut given = Given::default();
    given.drain(&mut *access.fetcher(&[access.at(0, 0), access.at(1, 0)]), 2);
    for partition in 0..2 {
        let want: Vec<_> = (0..).zip(samples(partition, 0..500)).collect();
        let partition = access.partition(partition);
        assert_eq!(given.of(&partition), want);
        assert_eq!(given.ends[&partition], 500);
    }
}

fn reading_starts_where_asked(access: &Access) {
    (access.append)(0, &samples(0, 0..100));
    let mut given = Given::default();
    given.drain(&mut *access.fetcher(&[access.at(0, 37)]), 1);
    assert_eq!(given.offsets(&access.partition(0)), (37..100).collect::<Vec<_>>());
}

fn the_end_is_given_again_after_more_records(access: &Access) {
    let mut fetcher = access.fetcher(&[access.at(0, 0)]);
    let mut given = Given::default();
    for round in 0..3 {
        (access.append)(0, &samples(0, 10 * round..10 * round + 10));
        let end = 10 * round as i64 + 10;
        given.fetch_until(&mut *fetcher, |given| given.ends.get(&access.partition(0)) == Some(&end));
    }
    assert_eq!(given.offsets(&access.partition(0)), (0..30).collect::<Vec<_>>());
}

fn an_empty_partition_ends_at_once(access: &Access) {
    let mut given = Given::default();
    given.drain(&mut *access.fetcher(&[access.at(0, 0)]), 1);
    assert_eq!(given.ends[&access.partition(0)], 0);
    assert!(given.records.is_empty());
}

fn limits_are_kept(access: &Access) {
    let mut records: Vec<_> = (0..50).map(|_| Raw::value("x".repeat(100))).collect();
    records[20] = Raw::value("y".repeat(5000));
    (access.append)(0, &records);
    let mut fetcher = access.fetcher(&[access.at(0, 0)]);
    let mut given = Given::default();
    let limits = Limits { records: 7, bytes: 450, wait: Duration::from_millis(100) };
    for _ in 0..PATIENCE {
        let batch = given.fetch(&mut *fetcher, limits).expect("a fetch");
        assert!(batch.len() <= limits.records);
        assert!(batch.size_bytes() <= limits.bytes || batch.len() == 1, "{} bytes", batch.size_bytes());
        if given.of(&access.partition(0)).len() == records.len() {
            break;
        }
    }
    assert_eq!(given.offsets(&access.partition(0)), (0..50).collect::<Vec<_>>());
}

fn two_fetchers_share_a_topic(access: &Access) {
    for partition in 0..4 {
        (access.append)(partition, &samples(partition, 0..50));
    }
    for numbers in [[0, 2], [1, 3]] {
        let mut given = Given::default();
        given.drain(&mut *access.fetcher(&numbers.map(|number| access.at(number, 0))), 2);
        let partitions: Vec<_> = given.records.keys().map(|partition| partition.partition).collect();
        assert_eq!(partitions, numbers);
        assert!(given.records.values().all(|records| records.len() == 50));
    }
}

fn partitions_know_their_offsets(access: &Access) {
    (access.append)(1, &samples(1, 0..5));
    if let Some(truncate) = &access.truncate {
        truncate(1, 2);
    }
    let earliest = if access.truncate.is_some() { 2 } else { 0 };
    let infos = access.source.partitions().expect("partitions");
    let facts: Vec<_> =
        infos.iter().map(|info| (info.partition.clone(), info.earliest, info.latest)).collect();
    let want = [(0, 0, 0), (1, earliest, 5), (2, 0, 0)];
    assert_eq!(facts, want.map(|(number, earliest, latest)| (access.partition(number), earliest, latest)));
    assert!(infos.iter().all(|info| info.topic_id == infos[0].topic_id), "one topic, one id");
}

fn a_time_is_found(access: &Access) {
    // librdkafka's mock broker, which cannot truncate either, knows no times.
    if access.truncate.is_none() {
        return;
    }
    (access.append)(0, &samples(0, 0..9));
    (access.append)(1, &samples(1, 5..9));
    let infos = access.source.partitions().expect("partitions");
    let at = |index: i64| 1_723_161_255_000_000 + 1000 * index;
    for (time_us, want) in [
        (0, [0, 0, 0]),
        (at(6), [6, 1, 0]),
        (at(6) - 1, [6, 1, 0]),
        (at(6) + 1, [7, 2, 0]),
        (at(8), [8, 3, 0]),
        // Later than all that there is: what comes next.
        (at(9), [9, 4, 0]),
    ] {
        let found = access.source.offsets_at(&infos, time_us).expect("offsets");
        let want: Vec<_> = (0..3).zip(want).map(|(number, next)| access.at(number, next)).collect();
        assert_eq!(found, want, "{time_us}");
    }
}

fn partitions_are_added_while_reading(access: &Access) {
    let Some(add_partitions) = &access.add_partitions else { return };
    (access.append)(0, &samples(0, 0..10));
    let mut fetcher = access.fetcher(&[access.at(0, 0)]);
    let mut given = Given::default();
    given.drain(&mut *fetcher, 1);
    add_partitions(1);
    (access.append)(1, &samples(1, 0..20));
    let found = access.source.partitions().expect("partitions").len();
    assert_eq!(found, 2);
    // Positions of partitions that are read already change nothing.
    fetcher.add(&[access.at(0, 0), access.at(1, 0)]).expect("partitions are added");
    (access.append)(0, &samples(0, 10..15));
    let ends = BTreeMap::from([(access.partition(0), 15), (access.partition(1), 20)]);
    given.fetch_until(&mut *fetcher, |given| given.ends == ends);
    assert_eq!(given.offsets(&access.partition(0)), (0..15).collect::<Vec<_>>());
    assert_eq!(given.offsets(&access.partition(1)), (0..20).collect::<Vec<_>>());
}

fn an_offset_that_is_gone_halts(access: &Access) {
    let Some(truncate) = &access.truncate else { return };
    (access.append)(0, &samples(0, 0..30));
    truncate(0, 12);
    match first_error(&mut *access.fetcher(&[access.at(0, 5)])) {
        SourceError::DataLoss { partition, wanted, earliest, latest, lost } => {
            assert_eq!((wanted, earliest, latest, lost), (5, 12, 30, 7));
            assert_eq!(partition, access.partition(0));
        }
        other => panic!("not a loss of data: {other}"),
    }
}

fn an_offset_that_is_gone_is_skipped(access: &Access) {
    let Some(truncate) = &access.truncate else { return };
    for partition in 0..2 {
        (access.append)(partition, &samples(partition, 0..30));
    }
    truncate(0, 12);
    let mut given = Given::default();
    given.drain(&mut *access.fetcher(&[access.at(0, 5), access.at(1, 0)]), 2);
    assert_eq!(given.lost, [(access.partition(0), 5, 12)]);
    assert_eq!(given.offsets(&access.partition(0)), (12..30).collect::<Vec<_>>());
    assert_eq!(given.offsets(&access.partition(1)), (0..30).collect::<Vec<_>>());
}

fn an_offset_beyond_the_end_halts(access: &Access) {
    (access.append)(0, &samples(0, 0..3));
    match first_error(&mut *access.fetcher(&[access.at(0, 8)])) {
        SourceError::Remade { wanted, latest, .. } => assert_eq!((wanted, latest), (8, 3)),
        other => panic!("not a topic made anew: {other}"),
    }
}
