//! What only Kafka can show: silence, transactions, topics made again. The tests of a real broker run where
//! `TALLOW_TEST_KAFKA=host:port` names one that may be filled with topics.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tallow_env::SystemClock;
use tallow_record::{Batch, TopicPartition};
use tallow_source::{
    Config, Event, Fetcher, KafkaSource, Limits, OnDataLoss, Position, Source, SourceError, Topics,
};

const LIMITS: Limits = Limits { records: 10_000, bytes: 1 << 24, wait: Duration::from_millis(50) };
const PATIENCE: usize = 400;
const LONG: Duration = Duration::from_secs(30);

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

fn source(brokers: &str, topics: Topics) -> KafkaSource {
    KafkaSource::new(Config {
        brokers: brokers.to_owned(),
        client: BTreeMap::new(),
        topics,
        on_data_loss: OnDataLoss::Halt,
        group_for_lag: Some("lag".to_owned()),
        clock: Arc::new(SystemClock::new()),
    })
    .unwrap()
}

fn names(topic: &str) -> Topics {
    Topics::Names(vec![topic.to_owned()])
}

fn start(topic: &str) -> Position {
    Position { partition: TopicPartition::new(topic, 0), next: 0 }
}

fn send(producer: &BaseProducer, topic: &str, values: std::ops::Range<usize>) {
    for value in values {
        let value = value.to_string();
        let record = BaseRecord::<(), str>::to(topic).partition(0).payload(&value);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(LONG).unwrap();
}

/// Fetches until an event is as wanted; gives the offsets read on the way.
fn fetch_until(fetcher: &mut dyn Fetcher, wanted: impl Fn(&Event) -> bool) -> Vec<i64> {
    let mut offsets = Vec::new();
    for _ in 0..PATIENCE {
        let mut batch = Batch::default();
        let events = fetcher.fetch(LIMITS, &mut batch).unwrap();
        offsets.extend(&batch.offsets);
        if events.iter().any(&wanted) {
            return offsets;
        }
    }
    panic!("it did not come; read {} records", offsets.len());
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::End { .. })
}

#[test]
fn a_broker_that_falls_silent_is_reported_and_read_again() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 1, 1).unwrap();
    let brokers = cluster.bootstrap_servers();
    let producer: BaseProducer = config(&brokers).create().unwrap();
    send(&producer, "t", 0..5);
    let mut fetcher = source(&brokers, names("t")).fetcher(&[start("t")]).unwrap();
    assert_eq!(fetch_until(&mut *fetcher, is_end), [0, 1, 2, 3, 4]);

    cluster.broker_down(1).unwrap();
    fetch_until(&mut *fetcher, |event| matches!(event, Event::Unreachable { .. }));
    let mut batch = Batch::default();
    let events = fetcher.fetch(LIMITS, &mut batch).unwrap();
    assert!(matches!(events[..], [Event::Unreachable { .. }]), "told again while it lasts: {events:?}");

    cluster.broker_up(1).unwrap();
    let producer: BaseProducer = config(&brokers).create().unwrap();
    send(&producer, "t", 5..8);
    assert_eq!(fetch_until(&mut *fetcher, is_end), [5, 6, 7]);
}

#[test]
fn a_source_without_a_broker_names_it_and_the_reason() {
    let error = source("127.0.0.1:1", names("t")).partitions().unwrap_err();
    let SourceError::Unreachable { brokers, why } = error else { panic!("{error}") };
    assert_eq!(brokers, "127.0.0.1:1");
    assert!(why.contains("refused"), "{why}");
}

#[test]
fn a_wrong_client_setting_is_named() {
    let made = KafkaSource::new(Config {
        brokers: "b:9092".to_owned(),
        client: BTreeMap::from([("fetch.wait.max.msec".to_owned(), "5".to_owned())]),
        topics: names("t"),
        on_data_loss: OnDataLoss::Halt,
        group_for_lag: None,
        clock: Arc::new(SystemClock::new()),
    });
    match made.err() {
        Some(SourceError::Setting { key, .. }) => assert_eq!(key, "fetch.wait.max.msec"),
        other => panic!("{other:?}"),
    }
}

/// A real broker's address and a topic of one partition on it.
fn real(name: &str) -> Option<(String, String)> {
    let Ok(brokers) = std::env::var("TALLOW_TEST_KAFKA") else {
        println!("skipped: TALLOW_TEST_KAFKA names no broker");
        return None;
    };
    let topic = format!("{name}-{}", std::process::id());
    create(&brokers, &topic);
    Some((brokers, topic))
}

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    config(brokers).create().unwrap()
}

fn create(brokers: &str, topic: &str) {
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
    let made = admin(brokers);
    let made = made.create_topics([&new], &AdminOptions::new());
    futures::executor::block_on(made).unwrap()[0].clone().unwrap();
}

#[test]
fn an_aborted_tail_is_invisible_and_still_ends() {
    let Some((brokers, topic)) = real("aborted") else { return };
    let producer: BaseProducer = config(&brokers).set("transactional.id", &topic).create().unwrap();
    producer.init_transactions(LONG).unwrap();
    producer.begin_transaction().unwrap();
    send(&producer, &topic, 0..3);
    producer.commit_transaction(LONG).unwrap();
    producer.begin_transaction().unwrap();
    send(&producer, &topic, 3..10);

    // Three records and their marker are stable; the open transaction is not.
    let source = source(&brokers, names(&topic));
    assert_eq!(source.partitions().unwrap()[0].latest, 4);
    let mut fetcher = source.fetcher(&[start(&topic)]).unwrap();
    let ends_at =
        |wanted: i64| move |event: &Event| matches!(event, Event::End { next, .. } if *next == wanted);
    assert_eq!(fetch_until(&mut *fetcher, ends_at(4)), [0, 1, 2]);

    producer.abort_transaction(LONG).unwrap();
    assert_eq!(source.partitions().unwrap()[0].latest, 12);
    assert!(fetch_until(&mut *fetcher, ends_at(12)).is_empty());
    let mut fresh = source.fetcher(&[start(&topic)]).unwrap();
    assert_eq!(fetch_until(&mut *fresh, ends_at(12)), [0, 1, 2]);
}

#[test]
fn a_topic_made_again_has_another_id() {
    let Some((brokers, topic)) = real("remade") else { return };
    let source = source(&brokers, names(&topic));
    let id = source.partitions().unwrap()[0].topic_id.clone();
    assert!(id.is_some());
    let deleted = admin(&brokers);
    let deleted = deleted.delete_topics(&[&topic], &AdminOptions::new());
    futures::executor::block_on(deleted).unwrap()[0].clone().unwrap();
    create(&brokers, &topic);
    assert_ne!(source.partitions().unwrap()[0].topic_id, id);
}

#[test]
fn a_topic_that_is_not_there_is_named_and_not_created() {
    let Some((brokers, _)) = real("present") else { return };
    for _ in 0..2 {
        let error = source(&brokers, names("no-such-topic")).partitions().unwrap_err();
        assert!(matches!(&error, SourceError::NoTopic { topic, .. } if topic == "no-such-topic"), "{error}");
    }
}

#[test]
fn a_pattern_finds_topics_made_later() {
    let Some((brokers, topic)) = real("pattern-a") else { return };
    let source = source(&brokers, Topics::Pattern(format!("pattern-.-{}", std::process::id())));
    let found = |source: &KafkaSource| {
        let infos = source.partitions().unwrap();
        infos.into_iter().map(|info| info.partition.topic.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found(&source), [topic.as_str()]);
    let later = topic.replace("-a-", "-b-");
    create(&brokers, &later);
    assert_eq!(found(&source), [topic, later]);
}

#[test]
fn committed_positions_reach_the_group_for_lag() {
    let Some((brokers, topic)) = real("lag") else { return };
    let producer: BaseProducer = config(&brokers).create().unwrap();
    send(&producer, &topic, 0..9);
    let source = source(&brokers, names(&topic));
    source.partitions().unwrap();
    let reader: BaseConsumer = config(&brokers).set("group.id", "lag").create().unwrap();
    let mut asked = TopicPartitionList::new();
    asked.add_partition(&topic, 0);
    for _ in 0..PATIENCE {
        source.report_committed(&[Position { partition: TopicPartition::new(&topic, 0), next: 7 }]);
        let committed = reader.committed_offsets(asked.clone(), LONG).unwrap();
        if committed.elements()[0].offset() == Offset::Offset(7) {
            return;
        }
    }
    panic!("the group never got the offset");
}

#[test]
fn headers_are_left_out_where_they_are_not_wanted() {
    use rdkafka::message::{Header, OwnedHeaders};
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 1, 1).unwrap();
    let brokers = cluster.bootstrap_servers();
    let producer: BaseProducer = config(&brokers).create().unwrap();
    let headers = OwnedHeaders::new().insert(Header { key: "name", value: Some("value") });
    let record = BaseRecord::<(), str>::to("t").partition(0).payload("x").headers(headers);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(LONG).unwrap();
    for (source, want) in
        [(source(&brokers, names("t")), 1), (source(&brokers, names("t")).without_headers(), 0)]
    {
        let mut fetcher = source.fetcher(&[start("t")]).unwrap();
        let mut batch = Batch::default();
        for _ in 0..PATIENCE {
            fetcher.fetch(LIMITS, &mut batch).unwrap();
            if !batch.is_empty() {
                break;
            }
        }
        assert_eq!((batch.len(), batch.headers.names.len()), (1, want));
    }
}
