//! Dead letters that a corrected parse function takes: the topic is read again from their commit, and the candles that
//! differ follow as their next revision.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{COUNTS, DRAIN, Wired, World, epochs, market};
use tallow_engine::Component;
use tallow_log::record::Role;
use tallow_manifest::Pipeline;
use tallow_pipeline::functions::contract;
use tallow_pipeline::{PipelineError, start};
use tallow_sink_kafka::Record;
use tallow_source::{OnDataLoss, Topics};
use tallow_test_support::source::MemorySource;
use tallow_test_support::transactions::conformance::read_all;
use tallow_verify::range::Ask;
use tallow_verify::verify;

const TOPIC: &str = "candles-1m";

fn pipeline() -> Pipeline {
    epochs(&format!("{COUNTS}[trigger.kafka.windows.kafka]\ntopic = \"{TOPIC}\"\n"))
}

struct Scene {
    world: World,
    /// Rejects every third trade.
    broken: Arc<Component>,
    fixed: Arc<Component>,
}

impl Scene {
    fn new() -> Self {
        let world = World::guests();
        world.log.create_topic(TOPIC, 1);
        let version = |variant| Arc::new(world.version(world.parse, variant, contract(Role::Parse)));
        let (broken, fixed) = (version(b'6'), version(b'0'));
        Self { world, broken, fixed }
    }

    /// Services where the manifest names this parse function.
    fn wire(&self, parse: &Arc<Component>) -> Wired {
        let mut wired = self.world.wire(&pipeline(), DRAIN);
        wired.services.functions.parse = parse.clone();
        wired
    }

    fn run(&self, parse: &Arc<Component>) {
        self.world.run_wired(self.wire(parse)).outcome.unwrap();
    }

    /// Commits of the dead letters.
    fn letters(&self) -> Vec<u64> {
        let rows = self.world.rows("dead-letter/candles");
        rows.iter().map(|row| row["commit"].rsplit('/').next().unwrap().parse().unwrap()).collect()
    }

    fn rewind(&self, from: u64) -> Result<(), PipelineError> {
        let services = self.wire(&self.fixed);
        start::rewind(&services, from, (&self.fixed, self.broken.digest()), "a test").map(drop)
    }

    /// Trades by start and revision.
    fn candles(&self) -> BTreeMap<(String, String), String> {
        let rows = self.world.rows("speed/candles_1m");
        let candle = |row: &common::Row| {
            ((row["window_start"].clone(), row["revision"].clone()), row["trades"].clone())
        };
        rows.iter().map(candle).collect()
    }

    fn prove(&self) {
        let report = verify(&self.world.verifier(&pipeline()), Ask::All, &mut |_| {}).unwrap();
        assert!(report.wrong.is_empty() && report.unreachable.is_none(), "{report:#?}");
    }
}

fn records(world: &World) -> Vec<Record> {
    let clock = Arc::new(tallow_env::ManualClock::at(0));
    let topics = Topics::Names(vec![TOPIC.to_owned()]);
    read_all(&MemorySource::new(world.log.clone(), &topics, OnDataLoss::Halt, clock).unwrap())
}

#[test]
fn corrected_candles_follow_as_their_next_revision() {
    let scene = Scene::new();
    market(&scene.world, 0..200);
    // All well until another function was put in, by its file.
    scene.run(&scene.fixed);
    market(&scene.world, 200..400);
    scene.run(&scene.broken);
    let letters = scene.letters();
    assert_eq!(letters.len(), 67, "every third of the last 200");
    let before = scene.candles();
    assert_eq!(before.values().filter(|trades| *trades == "60").count(), 3, "{before:?}");

    scene.rewind(letters[0]).unwrap();
    assert_eq!(scene.candles(), before, "the command itself publishes nothing");
    // The manifest still names the broken one: what was swapped in lasts.
    scene.run(&scene.broken);
    let after = scene.candles();
    let newest: BTreeMap<&String, &String> =
        after.iter().map(|((start, _), trades)| (start, trades)).collect();
    assert_eq!(newest.len(), 6);
    assert!(newest.values().all(|trades| *trades == "60"), "{after:?}");
    let revised = after.keys().filter(|(_, revision)| revision == "1").count();
    assert_eq!((revised, after.len()), (3, 9), "what did not differ did not go out again: {after:?}");
    assert_eq!(records(&scene.world).len(), 9, "the topic has them, too");
    assert_eq!(scene.letters(), letters, "the dead letters stay, and none is there twice");
    scene.prove();

    market(&scene.world, 400..500);
    scene.run(&scene.broken);
    assert_eq!(scene.letters().len(), 67, "the corrected function continues");
    scene.prove();
}

#[test]
fn what_is_not_there_any_more_is_refused_untouched() {
    let scene = Scene::new();
    market(&scene.world, 0..400);
    scene.run(&scene.broken);
    let (letters, before) = (scene.letters(), scene.candles());
    let log =
        || tallow_log::status::last_records(&scene.world.store, "candles", 0, 1).unwrap().remove(0).state;
    let state = log();
    let refused = |from: u64| scene.rewind(from).unwrap_err().to_string();
    assert!(refused(9_000).contains("has been removed"), "{}", refused(9_000));
    let partition = tallow_record::TopicPartition::new("trades", 0);
    scene.world.log.truncate(&partition, 50);
    let said = refused(letters[0]);
    assert!(said.contains("trades/0 begins with offset 50") && said.contains("tallow backfill"), "{said}");
    assert_eq!((log(), scene.candles()), (state, before));
    scene.run(&scene.broken);
}
