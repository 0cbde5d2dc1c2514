//! Commits of one epoch, with sinks that take them or do not.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tallow_env::{ManualClock, SeededRandom};
use tallow_log::Opened;
use tallow_sink::{Decimals, EpochOutput, Lake, Sink, SinkError};
use tallow_source::{OnDataLoss, Topics};
use tallow_store::Store;
use tallow_test_support::source::{MemoryLog, MemorySource};
use tallow_worker::Unobserved;

use super::*;
use crate::testing::{functions, nothing, parsed, plan};
use crate::window_worker::WindowWorker;

fn open(store: &Store, seed: u64) -> Opened {
    let (clock, random) = (Arc::new(ManualClock::at(0)), Arc::new(SeededRandom::new(seed)));
    <Log>::open(store, "candles", 0, "test", clock, random).unwrap()
}

fn committer(store: &Store) -> Committer {
    let log = Arc::new(MemoryLog::default());
    log.create_topic("trades", 1);
    let topics = Topics::Names(vec!["trades".to_owned()]);
    let source = MemorySource::new(log, &topics, OnDataLoss::Halt, Arc::new(ManualClock::at(0))).unwrap();
    Committer {
        plan: plan(""),
        job: open(store, 1).log,
        publisher: Publisher {
            pipeline: "candles".to_owned(),
            sinks: vec![Arc::new(Lake::new(store.clone(), Decimals::Double))],
            clock: Arc::new(ManualClock::at(0)),
            stop: Arc::default(),
        },
        source: Arc::new(source),
        progress: Arc::default(),
        topic_ids: BTreeMap::new(),
        state: State::default(),
        hooks: Arc::new(Unobserved),
        files: BTreeMap::new(),
        reads_headers: false,
        held: Vec::new(),
        backlog: Backlog::default(),
        published: Published::default(),
        whole: Whole::default(),
        remake_until: None,
    }
}

/// An epoch of two trades, whose window is closed with it.
fn epoch() -> FinishedEpoch {
    let (plan, functions) = (plan(""), functions());
    let state = nothing(&plan, &functions);
    let batch = parsed(&plan, &functions, 0, &["A 1000000 1 1 1", "A 2000000 1 2 1"]);
    let clock = Arc::new(ManualClock::at(0));
    let mut window = WindowWorker::new(plan, Arc::default(), Arc::new(Unobserved), clock, state);
    window.take(batch).unwrap();
    window.finish_with(5, Some(60_000_000), false).unwrap()
}

#[test]
fn a_commit_says_offsets_state_and_files_in_one_record_and_publishes_the_files() {
    let store = Store::memory().unwrap();
    let mut committer = committer(&store);
    committer.commit(epoch()).unwrap();
    let newest = committer.job.newest();
    let [outgoing] = newest.epoch.outbox.as_slice() else { panic!("{:?}", newest.epoch.outbox) };
    assert_eq!((newest.epoch.clock_us, newest.state.partitions[0].next, outgoing.rows), (Some(5), 2, 1));
    let published = store.get(&outgoing.name).unwrap().unwrap();
    assert_eq!(Digest::of(&published), outgoing.digest);
}

#[test]
fn an_epoch_is_not_published_by_an_owner_who_has_lost_the_log() {
    let store = Store::memory().unwrap();
    let mut committer = committer(&store);
    let other = open(&store, 2);
    let error = committer.commit(epoch()).unwrap_err();
    assert!(matches!(&error, PipelineError::Log(error) if error.is_fenced()), "{error}");
    assert_eq!((other.log.newest().epoch.outbox.len(), store.list("speed").unwrap().len()), (0, 0));
}

#[test]
fn results_wait_for_the_end_of_a_probation_that_holds_them() {
    let store = Store::memory().unwrap();
    let mut committer = committer(&store);
    committer.state.released_through.insert("lake".to_owned(), 0);
    committer.commit(epoch()).unwrap();
    let name = committer.held[0].outbox[0].name.clone();
    assert!(store.get(&name).unwrap().is_none());
    committer.publish_held().unwrap();
    assert!(store.get(&name).unwrap().is_some());
}

/// A service that takes nothing until it is told that it is back.
#[derive(Default)]
struct Away {
    back: AtomicBool,
    took: Mutex<Vec<String>>,
}

impl Sink for Away {
    fn name(&self) -> &'static str {
        "away"
    }

    fn prepare(&self, output: &EpochOutput<'_>) -> Result<Vec<Item>, SinkError> {
        let rows_digest = Digest::of(b"");
        let name = format!("away/{}", output.seq);
        Ok(vec![Item { sink: "away", name, bytes: Bytes::new(), rows: 1, rows_digest }])
    }

    fn publish(&self, name: &str, _bytes: Bytes) -> Result<(), SinkError> {
        if !self.back.load(Ordering::SeqCst) {
            return Err(SinkError::Unreachable { service: "it".to_owned(), why: "away".to_owned() });
        }
        self.took.lock().unwrap().push(name.to_owned());
        Ok(())
    }

    fn backlog(&self) -> u64 {
        10
    }
}

#[test]
fn a_service_that_is_away_holds_up_neither_commits_nor_files() {
    let store = Store::memory().unwrap();
    let away = Arc::new(Away::default());
    let mut committer = committer(&store);
    committer.publisher.sinks.push(away.clone());
    committer.commit(epoch()).unwrap();
    let seq = committer.job.newest().seq;
    assert_eq!((store.list("speed").unwrap().len(), away.took.lock().unwrap().len()), (1, 0));
    // Whoever takes the log over finds it there.
    let opened = open(&store, 2);
    let due: Vec<&str> = opened.to_publish.iter().map(|publication| publication.sink.as_str()).collect();
    assert!(due.contains(&"away"), "{due:?}");
    away.back.store(true, Ordering::SeqCst);
    committer.backlog.flush(&committer.publisher, &mut committer.job, Patience::Backlog).unwrap();
    assert_eq!(*away.took.lock().unwrap(), [format!("away/{seq}")]);
    assert!(committer.backlog.is_empty());
}
