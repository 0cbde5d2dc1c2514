//! What every edge of transactions promises, as one suite: in memory, and on a real broker.

use std::time::Duration;

use tallow_record::Batch;
use tallow_sink::SinkError;
use tallow_sink_kafka::Record;
use tallow_sink_kafka::transactions::{Shard, Transactions};
use tallow_source::{Event, Limits, Source};

/// Brokers under test, with one topic of one partition, empty at first.
pub trait Bench {
    fn transactions(&self) -> &dyn Transactions;

    fn topic(&self) -> String;

    /// What a reader of committed records sees, in its order.
    fn visible(&self) -> Vec<Record>;
}

/// Runs the suite, each promise on its own brokers. Panics with the promise that is broken.
pub fn check<B: Bench>(fresh: impl Fn() -> B) {
    records_and_the_marker_appear_together(&fresh());
    a_later_session_shuts_an_earlier_one_out(&fresh());
    shards_and_chains_do_not_meet(&fresh());
}

fn shard(chain: &str, shard: u32) -> Shard {
    Shard { chain: chain.to_owned(), shard }
}

fn records(topic: &str, values: &[&str]) -> Vec<Record> {
    let record = |value: &&str| Record {
        topic: topic.to_owned(),
        timestamp_us: 1_704_067_200_000_000,
        key: Some(b"k".to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers: vec![("h".to_owned(), Some(b"\xff".to_vec())), ("h".to_owned(), None)],
    };
    values.iter().map(record).collect()
}

fn ok<T>(done: Result<T, SinkError>) -> T {
    done.unwrap_or_else(|error| panic!("{error}"))
}

fn records_and_the_marker_appear_together(bench: &impl Bench) {
    let (of, topic) = (shard("together", 0), bench.topic());
    let (mut session, marker) = ok(bench.transactions().begin(&of));
    assert_eq!(marker, None, "nothing was ever published");
    let mut sent = records(&topic, &["a", "b"]);
    sent.push(Record { key: None, value: None, headers: Vec::new(), ..sent[0].clone() });
    ok(session.commit(&sent, 3));
    ok(session.commit(&records(&topic, &["c"]), 7));
    drop(session);
    let (_, marker) = ok(bench.transactions().begin(&of));
    assert_eq!(marker, Some(7));
    sent.extend(records(&topic, &["c"]));
    assert_eq!(bench.visible(), sent, "in the order in which they were sent, nulls and headers included");
}

fn a_later_session_shuts_an_earlier_one_out(bench: &impl Bench) {
    let (of, topic) = (shard("fence", 0), bench.topic());
    let (mut earlier, _) = ok(bench.transactions().begin(&of));
    ok(earlier.commit(&records(&topic, &["a"]), 1));
    let (mut later, marker) = ok(bench.transactions().begin(&of));
    assert_eq!(marker, Some(1));
    let fenced = earlier.commit(&records(&topic, &["zombie"]), 2);
    assert!(matches!(fenced, Err(SinkError::Fenced { .. })), "{fenced:?}");
    ok(later.commit(&records(&topic, &["b"]), 2));
    assert_eq!(bench.visible(), records(&topic, &["a", "b"]));
}

fn shards_and_chains_do_not_meet(bench: &impl Bench) {
    let topic = bench.topic();
    let (mut one, _) = ok(bench.transactions().begin(&shard("one", 0)));
    ok(one.commit(&records(&topic, &["a"]), 5));
    let (mut other, marker) = ok(bench.transactions().begin(&shard("other", 0)));
    assert_eq!(marker, None, "of another chain");
    ok(other.commit(&records(&topic, &["b"]), 1));
    ok(one.commit(&records(&topic, &["c"]), 6));
    let (_, marker) = ok(bench.transactions().begin(&shard("one", 0)));
    assert_eq!(marker, Some(6));
    assert_eq!(bench.visible(), records(&topic, &["a", "b", "c"]));
}

/// All that a source's topics hold now, each partition in its order.
pub fn read_all(source: &dyn Source) -> Vec<Record> {
    const LIMITS: Limits = Limits { records: 1000, bytes: 1 << 24, wait: Duration::from_millis(100) };
    let partitions = source.partitions().unwrap_or_else(|error| panic!("{error}"));
    let mut open: Vec<_> = partitions.iter().map(|info| (info.partition.clone(), info.latest)).collect();
    open.retain(|(_, latest)| *latest > 0);
    let from: Vec<_> = partitions.iter().map(|info| info.from_earliest()).collect();
    let mut fetcher = source.fetcher(&from).unwrap_or_else(|error| panic!("{error}"));
    let mut records = Vec::new();
    while !open.is_empty() {
        let mut batch = Batch::default();
        let events = fetcher.fetch(LIMITS, &mut batch).unwrap_or_else(|error| panic!("{error}"));
        records.extend(of_batch(&batch));
        for event in events {
            if let Event::End { partition, next } = event {
                open.retain(|(known, latest)| *known != partition || next < *latest);
            }
        }
    }
    records
}

fn of_batch(batch: &Batch) -> Vec<Record> {
    let mut records: Vec<Record> = (0..batch.len())
        .map(|at| Record {
            topic: batch.place(at).topic.to_string(),
            timestamp_us: batch.timestamps_us[at],
            key: batch.keys.get(at).map(<[u8]>::to_vec),
            value: batch.values.get(at).map(<[u8]>::to_vec),
            headers: Vec::new(),
        })
        .collect();
    for (header, of) in batch.headers.records.iter().enumerate() {
        let value = batch.headers.values.get(header).map(<[u8]>::to_vec);
        records[*of as usize].headers.push((batch.headers.names[header].clone(), value));
    }
    records
}
