//! The sink over transactions in memory: each commit once, whatever becomes of a transaction.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use tallow_env::ManualClock;
use tallow_sink::{EpochOutput, Item, Sink, SinkError};
use tallow_sink_kafka::settings::{Mode, Settings, Style, WindowTopic};
use tallow_sink_kafka::{KafkaSink, Record};
use tallow_source::{OnDataLoss, Topics};
use tallow_test_support::sink::{Variant, sample};
use tallow_test_support::source::{MemoryLog, MemorySource};
use tallow_test_support::transactions::conformance::read_all;
use tallow_test_support::transactions::{MemoryTransactions, Trouble};

struct Scene {
    log: Arc<MemoryLog>,
    transactions: MemoryTransactions,
}

impl Scene {
    fn new() -> Self {
        let log = Arc::new(MemoryLog::default());
        log.create_topic("candles", 1);
        Self { transactions: MemoryTransactions::new(log.clone()), log }
    }

    fn sink(&self) -> KafkaSink {
        let topic = WindowTopic { topic: "candles".to_owned(), mode: Mode::Append, style: Style::default() };
        let windows = [("1m".to_owned(), topic)].into();
        KafkaSink::new(Settings { windows, ..Settings::default() }, Arc::new(self.transactions.clone()))
    }

    /// A sink that owns the sample's shard, and what its marker says.
    fn owner(&self) -> (KafkaSink, Option<u64>) {
        let sink = self.sink();
        let marker = sink.take_over("c1a9", 3).unwrap();
        (sink, marker)
    }

    fn visible(&self) -> Vec<Record> {
        let topics = Topics::Names(vec!["candles".to_owned()]);
        let clock = Arc::new(ManualClock::at(0));
        read_all(&MemorySource::new(self.log.clone(), &topics, OnDataLoss::Halt, clock).unwrap())
    }

    /// The commits of what is visible, in order, each once.
    fn commits(&self) -> Vec<String> {
        let mut commits: Vec<String> = Vec::new();
        for record in self.visible() {
            let commit = record.header("tallow.commit").unwrap().to_owned();
            if commits.last() != Some(&commit) {
                commits.push(commit);
            }
        }
        commits
    }
}

fn item(sink: &KafkaSink, seq: u64) -> Item {
    sink.prepare(&sample(seq, Variant::First)).unwrap().remove(0)
}

fn publish(sink: &KafkaSink, seq: u64) -> Result<(), SinkError> {
    let item = item(sink, seq);
    sink.publish(&item.name, item.bytes)
}

#[test]
fn a_commit_is_one_item_and_nothing_is_seen_before() {
    let scene = Scene::new();
    let sink = scene.sink();
    let items = sink.prepare(&sample(7, Variant::First)).unwrap();
    assert_eq!(items, sink.prepare(&sample(7, Variant::First)).unwrap());
    assert_eq!((items.len(), items[0].rows), (1, 9));
    let empty = EpochOutput { closed: vec![], ..sample(7, Variant::First) };
    assert!(sink.prepare(&empty).unwrap().is_empty());
    assert!(scene.visible().is_empty());
}

#[test]
fn publishing_again_sends_nothing_again() {
    let scene = Scene::new();
    let (sink, marker) = scene.owner();
    assert_eq!(marker, None);
    for seq in [7, 7, 9, 7, 9] {
        publish(&sink, seq).unwrap();
    }
    assert_eq!(scene.commits(), ["c1a9/3/7", "c1a9/3/9"]);
    assert_eq!(scene.visible().len(), 18);
    let (again, marker) = scene.owner();
    assert_eq!(marker, Some(9));
    publish(&again, 9).unwrap();
    publish(&again, 10).unwrap();
    assert_eq!(scene.visible().len(), 27);
}

#[test]
fn an_unknown_outcome_is_looked_up_and_never_guessed() {
    for (trouble, tries) in [(Trouble::Lost, 2), (Trouble::AnswerLost, 1)] {
        let scene = Scene::new();
        let (sink, _) = scene.owner();
        scene.transactions.script([None, Some(trouble)]);
        publish(&sink, 7).unwrap();
        let error = publish(&sink, 8).unwrap_err();
        assert!(error.is_transient(), "{error}");
        publish(&sink, 8).unwrap();
        publish(&sink, 9).unwrap();
        assert_eq!(scene.commits(), ["c1a9/3/7", "c1a9/3/8", "c1a9/3/9"], "{trouble:?}");
        assert_eq!(scene.visible().len(), 27, "{trouble:?}");
        assert_eq!(scene.transactions.tried(), 2 + tries, "{trouble:?}");
    }
}

#[test]
fn an_older_owner_publishes_nothing_more() {
    let scene = Scene::new();
    let (zombie, _) = scene.owner();
    publish(&zombie, 7).unwrap();
    let (owner, marker) = scene.owner();
    assert_eq!(marker, Some(7));
    assert!(matches!(publish(&zombie, 8), Err(SinkError::Fenced { .. })));
    publish(&owner, 8).unwrap();
    assert_eq!(scene.visible().len(), 18);
}

#[test]
fn an_item_of_another_chain_or_a_sink_without_a_shard_is_refused() {
    let scene = Scene::new();
    assert!(matches!(publish(&scene.sink(), 7), Err(SinkError::Unknown { .. })));
    let sink = scene.sink();
    sink.take_over("other", 3).unwrap();
    assert!(matches!(publish(&sink, 7), Err(SinkError::Unknown { .. })));
    assert!(scene.visible().is_empty());
}
