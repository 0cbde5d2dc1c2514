//! The same checks on each source.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tallow_env::{ManualClock, SystemClock};
use tallow_record::TopicPartition;
use tallow_source::{Config, KafkaSource, OnDataLoss, Topics};
use tallow_test_support::source::conformance::{Access, run};
use tallow_test_support::source::{MemoryLog, MemorySource, Raw};

#[test]
fn memory_conforms() {
    run(|wanted| {
        let log = Arc::new(MemoryLog::default());
        log.create_topic(wanted.name, wanted.partitions);
        let topics = Topics::Names(vec![wanted.name.to_owned()]);
        let clock = Arc::new(ManualClock::at(1_700_000_000_000_000));
        let source = MemorySource::new(log.clone(), &topics, wanted.on_data_loss, clock).unwrap();
        let (to_append, to_truncate, to_grow) = (log.clone(), log.clone(), log);
        let at = |partition| TopicPartition::new(wanted.name, partition);
        Access {
            topic: wanted.name.to_owned(),
            source: Box::new(source),
            append: Box::new(move |partition, records| {
                for record in records {
                    to_append.append(&at(partition), record.clone());
                }
            }),
            truncate: Some(Box::new(move |partition, earliest| {
                to_truncate.truncate(&at(partition), earliest)
            })),
            add_partitions: Some(Box::new(move |more| to_grow.add_partitions(wanted.name, more))),
        }
    });
}

#[test]
fn kafka_on_a_mock_broker_conforms() {
    let cluster = MockCluster::new(1).unwrap();
    let brokers = cluster.bootstrap_servers();
    run(|wanted| {
        cluster.create_topic(wanted.name, wanted.partitions as i32, 1).unwrap();
        kafka(&brokers, wanted.name, wanted.on_data_loss)
    });
}

/// `TALLOW_TEST_KAFKA=host:port` names a broker that may be filled with topics.
#[test]
fn kafka_on_a_real_broker_conforms() {
    let Ok(brokers) = std::env::var("TALLOW_TEST_KAFKA") else {
        println!("skipped: TALLOW_TEST_KAFKA names no broker");
        return;
    };
    let made = Rc::new(Cell::new(0));
    run(|wanted| {
        made.set(made.get() + 1);
        let topic = format!("{}-{}-{}", wanted.name, std::process::id(), made.get());
        let admin: AdminClient<DefaultClientContext> = config(&brokers).create().unwrap();
        let new = NewTopic::new(&topic, wanted.partitions as i32, TopicReplication::Fixed(1));
        wait_for(admin.create_topics([&new], &AdminOptions::new()));
        let admin = Rc::new(admin);
        let (to_truncate, to_grow) = (admin.clone(), admin);
        let mut access = kafka(&brokers, &topic, wanted.on_data_loss);
        let (truncated, grown) = (topic.clone(), topic);
        access.truncate = Some(Box::new(move |partition, earliest| {
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(&truncated, partition, Offset::Offset(earliest)).unwrap();
            wait_for(to_truncate.delete_records(&list, &AdminOptions::new()));
        }));
        access.add_partitions = Some(Box::new(move |more| {
            let total = wanted.partitions + more;
            wait_for(to_grow.create_partitions([&NewPartitions::new(&grown, total)], &AdminOptions::new()));
        }));
        access
    });
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

fn wait_for<T, E: std::fmt::Debug>(answer: impl Future<Output = Result<T, E>>) -> T {
    futures::executor::block_on(answer).unwrap()
}

fn kafka(brokers: &str, topic: &str, on_data_loss: OnDataLoss) -> Access {
    let source = KafkaSource::new(Config {
        brokers: brokers.to_owned(),
        client: BTreeMap::new(),
        topics: Topics::Names(vec![topic.to_owned()]),
        on_data_loss,
        group_for_lag: None,
        clock: Arc::new(SystemClock::new()),
    });
    let brokers = brokers.to_owned();
    let name = topic.to_owned();
    Access {
        topic: topic.to_owned(),
        source: Box::new(source.unwrap()),
        append: Box::new(move |partition, records| append(&brokers, &name, partition, records)),
        truncate: None,
        add_partitions: None,
    }
}

fn append(brokers: &str, topic: &str, partition: i32, records: &[Raw]) {
    // Made again each time: a producer may take minutes to learn of new partitions.
    let producer: BaseProducer = config(brokers).create().unwrap();
    for record in records {
        let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_deref() })
        });
        let mut message = BaseRecord::<[u8], [u8]>::to(topic).partition(partition).headers(headers);
        message.key = record.key.as_deref();
        message.payload = record.value.as_deref();
        if record.timestamp_us >= 0 {
            message.timestamp = Some(record.timestamp_us / 1000);
        }
        producer.send(message).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}
