//! A topic of trades: filled once, and read bare, to know what reading alone costs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tallow_env::SystemClock;
use tallow_produce::{Message, Pace, SinkConfig};
use tallow_record::Batch;
use tallow_source::{Config, Event, Fetcher, KafkaSource, Limits, OnDataLoss, Position, Source, Topics};
use tallow_tests::kafka::Kafka;

use crate::trades::{Look, Trades};

const PARTITIONS: i32 = 2;
/// Event time that the trades of a topic fill.
pub const SPAN_MS: u64 = 600_000;

/// Trades on a real broker, keyed by symbol.
pub struct Topic<'a> {
    pub kafka: &'a Kafka,
    pub name: String,
    pub records: u64,
}

impl<'a> Topic<'a> {
    /// Makes a topic and fills it.
    pub fn fill(kafka: &'a Kafka, records: u64) -> Result<Self> {
        let topic = Self { kafka, name: kafka.topic("bench-trades", PARTITIONS), records };
        let mut trades = Trades::new(Look::Bare, records, SPAN_MS);
        let mut text = String::new();
        let messages = std::iter::from_fn(|| {
            let symbol = trades.next_into(&mut text)?;
            let key = Some(symbol.as_bytes().to_vec());
            Some(Ok(Message { key, value: text.as_bytes().to_vec(), ..Message::default() }))
        });
        let sink = SinkConfig {
            brokers: kafka.bootstrap.clone(),
            client: BTreeMap::new(),
            topic: topic.name.clone(),
        };
        let mut told = Duration::ZERO;
        let mut progress = |done: tallow_produce::Progress| {
            if done.elapsed >= told + Duration::from_secs(5) {
                told = done.elapsed;
                eprintln!("  filling the topic: {} of {records} records", done.records);
            }
            ControlFlow::Continue(())
        };
        let clock = SystemClock::new();
        let summary = tallow_produce::produce(messages, &sink, Pace::Max, None, &clock, &mut progress)?;
        ensure!(summary.records == records, "the broker took {} of {records} records", summary.records);
        Ok(topic)
    }

    /// Reads all of it by one client through tallow's source, and does nothing with it.
    pub fn read_bare(&self) -> Result<()> {
        let source = self.source()?;
        let partitions = source.partitions()?.into_iter();
        let from: Vec<Position> =
            partitions.map(|info| Position { partition: info.partition, next: info.earliest }).collect();
        let read = read_all(source.fetcher(&from)?, from.len())?;
        ensure!(read == self.records, "read {read} of {} records", self.records);
        Ok(())
    }

    pub fn source(&self) -> Result<KafkaSource> {
        Ok(KafkaSource::new(Config {
            brokers: self.kafka.bootstrap.clone(),
            client: BTreeMap::new(),
            topics: Topics::Names(vec![self.name.clone()]),
            on_data_loss: OnDataLoss::Halt,
            group_for_lag: None,
            clock: Arc::new(SystemClock::new()),
        })?
        // Nobody looks at them.
        .without_headers())
    }
}

fn read_all(mut fetcher: Box<dyn Fetcher>, partitions: usize) -> Result<u64> {
    let limits = Limits { records: 16_384, bytes: 4 << 20, wait: Duration::from_millis(100) };
    let (mut records, mut batch, mut ended) = (0, Batch::default(), 0);
    while ended < partitions {
        batch.clear();
        let events = fetcher.fetch(limits, &mut batch)?;
        ended += events.iter().filter(|event| matches!(event, Event::End { .. })).count();
        records += batch.len() as u64;
    }
    Ok(records)
}
