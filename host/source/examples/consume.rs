//! How fast records come out of Kafka, and nothing else: `consume <brokers> <topic> [batch|poll] [clients]`.
//!
//! `batch` is this crate's source; `poll` fills the same batches message by message, for comparison. Partitions are
//! dealt to the clients. With `HEADERS` in the environment records come with their headers. Prints records and bytes
//! a second, and the CPU that this process used a record.

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "a measurement by hand")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Headers;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientConfig, Message};
use tallow_env::SystemClock;
use tallow_record::Batch;
use tallow_source::{Config, Event, KafkaSource, Limits, OnDataLoss, Position, Source, Topics};

#[derive(Default)]
struct Count {
    records: usize,
    bytes: usize,
}

impl Count {
    fn add(&mut self, batch: &Batch) {
        self.records += batch.len();
        self.bytes += batch.size_bytes();
    }
}

const LIMITS: Limits = Limits { records: 16_384, bytes: 4 << 20, wait: Duration::from_millis(100) };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [brokers, topic, rest @ ..] = &arguments[..] else {
        panic!("usage: consume <brokers> <topic> [batch|poll] [clients]");
    };
    let headers = std::env::var_os("HEADERS").is_some();
    let how = rest.first().map_or("batch", String::as_str);
    let clients: usize = rest.get(1).map_or(1, |clients| clients.parse().expect("a number of clients"));
    let source = KafkaSource::new(Config {
        brokers: brokers.clone(),
        client: BTreeMap::new(),
        topics: Topics::Names(vec![topic.clone()]),
        on_data_loss: OnDataLoss::Halt,
        group_for_lag: None,
        clock: Arc::new(SystemClock::new()),
    })
    .expect("a source");
    let source = if headers { source } else { source.without_headers() };
    let positions: Vec<Position> = source
        .partitions()
        .expect("partitions")
        .into_iter()
        .map(|info| Position { partition: info.partition, next: info.earliest })
        .collect();
    let (begin, cpu_before) = (Instant::now(), cpu_seconds());
    let counts: Vec<Count> = std::thread::scope(|scope| {
        let deal = |client| positions.iter().skip(client).step_by(clients).cloned().collect::<Vec<_>>();
        let workers: Vec<_> = (0..clients)
            .map(|client| {
                let (share, source) = (deal(client), &source);
                scope.spawn(move || match how {
                    "poll" => by_poll(brokers, headers, &share),
                    _ => by_batch(source, &share),
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("a client")).collect()
    });
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    let records: usize = counts.iter().map(|count| count.records).sum();
    let bytes: usize = counts.iter().map(|count| count.bytes).sum();
    println!(
        "{how} x{clients}: {records} records in {seconds:.2} s = {:.2} M/s, {:.0} MB/s, {:.2} us of CPU a record",
        records as f64 / seconds / 1e6,
        bytes as f64 / seconds / 1e6,
        cpu / records as f64 * 1e6,
    );
}

fn by_batch(source: &KafkaSource, share: &[Position]) -> Count {
    let mut fetcher = source.fetcher(share).expect("a fetcher");
    let (mut count, mut batch, mut ended) = (Count::default(), Batch::default(), 0);
    while ended < share.len() {
        batch.clear();
        let events = fetcher.fetch(LIMITS, &mut batch).expect("a fetch");
        ended += events.iter().filter(|event| matches!(event, Event::End { .. })).count();
        count.add(&batch);
    }
    count
}

fn by_poll(brokers: &str, headers: bool, share: &[Position]) -> Count {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "consume")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        .set("check.crcs", "true")
        .set("fetch.message.max.bytes", "4194304")
        .set("fetch.queue.backoff.ms", "2")
        .set("queued.min.messages", "200000")
        .create()
        .expect("a consumer");
    let mut list = TopicPartitionList::new();
    for at in share {
        let offset = Offset::Offset(at.next);
        list.add_partition_offset(&at.partition.topic, at.partition.partition, offset).expect("an offset");
    }
    consumer.assign(&list).expect("an assignment");
    let (mut count, mut batch, mut ended) = (Count::default(), Batch::default(), 0);
    let topic = share[0].partition.topic.clone();
    while ended < share.len() {
        if batch.len() >= LIMITS.records || batch.size_bytes() >= LIMITS.bytes {
            count.add(&batch);
            batch.clear();
        }
        match consumer.poll(LIMITS.wait) {
            Some(Ok(message)) => {
                let index = batch.topic_index(&topic);
                let timestamp_us = message.timestamp().to_millis().map_or(-1, |ms| ms * 1000);
                let (key, value) = (message.key(), message.payload());
                batch.push(index, message.partition(), message.offset(), timestamp_us, 0, key, value);
                let found = headers.then(|| message.headers()).flatten();
                for header in found.into_iter().flat_map(Headers::iter) {
                    batch.push_header(header.key, header.value);
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    count.add(&batch);
    count
}

/// User and system time of this process, from `/proc` (Linux: 100 ticks a second); 0 elsewhere.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(") ").next().unwrap_or_default();
    ticks.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
