//! Batches over a store that breaks: what was half done is never seen, and the next run completes it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use object_store::memory::InMemory;
use tallow::batch::error::BatchError;
use tallow::batch::plan::Plan;
use tallow::batch::run::{self, Outcome, Wiring};
use tallow_edge::{Clock, ManualClock, SeededRandom};
use tallow_engine::{Component, Contract, Runtime};
use tallow_log::faulty::{Fault, Faulty, Op};
use tallow_log::{Patience, Store};
use tallow_manifest::Overrides;

/// 2024-08-09 00:00 UTC.
const START_MS: i64 = 1_723_161_600_000;

struct World {
    folder: tempfile::TempDir,
    /// Lines of the batch's table in the manifest.
    keys: String,
    /// Seconds that go by with every piece of lines.
    piece: Duration,
    runtime: Runtime,
    faulty: Arc<Faulty>,
    store: Store,
    clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl World {
    /// Two symbols with some thousand minutes each.
    fn new() -> Self {
        let world = Self::empty("symbol-from = \"^[A-Z]\"");
        for symbol in ["A", "B"] {
            let lines = (0..4_000).map(|minute| format!("{},1,1,1,1,1\n", START_MS + minute * 60_000));
            world.file(&format!("{symbol}.csv"), &lines.collect::<String>());
        }
        world
    }

    fn empty(keys: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(START_MS * 1_000 + 86_400_000_000 * 30));
        let random = Arc::new(SeededRandom::new(1));
        let faulty = Arc::new(Faulty::new(Arc::new(InMemory::new()), clock.clone()));
        let store = Store::from_object_store(faulty.clone(), "", clock.clone(), random.clone()).unwrap();
        let store = store.with_patience(Patience {
            attempt: Duration::from_secs(5),
            whole: Duration::from_secs(60),
            ..Patience::default()
        });
        let runtime = Runtime::new(Some(root().join("target/tests/compiled"))).unwrap();
        let (keys, piece) = (keys.to_owned(), Duration::ZERO);
        Self { folder, keys, piece, runtime, faulty, store, clock, random }
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn component(&self, name: &str, contract: Contract) -> Component {
        let file = root().join("target/functions").join(name).with_extension("wasm");
        self.runtime
            .load_file(name, &file, contract)
            .unwrap_or_else(|error| panic!("{error}; run `make functions`"))
    }

    fn run(&self) -> Result<Outcome, BatchError> {
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = \"t\"\n[application.trigger.kafka]\nbrokers = \
             \"b\"\nlake = \"l\"\n[application.trigger.kafka.batch.days]\ninput = \"*.csv\"\n{}\n[[trigger.none]]\n\
             component = \"window\"\n[component.parse-kline]\nsource = \"a\"\n[component.window]\nsource = \
             \"a\"\n[component.merge]\nsource = \"a\"\n",
            self.keys
        );
        let manifest = tallow_manifest::resolve(
            &text,
            Path::new("t"),
            Path::new("/"),
            &BTreeMap::new(),
            &Overrides::default(),
        )
        .unwrap();
        let files =
            tallow_files::expand(&["*.csv".to_owned()], self.folder.path(), &BTreeMap::new()).unwrap();
        let wiring = Wiring {
            plan: Plan::new(&manifest.batches[0]),
            parse: self.component("parse-kline", Contract::Parse),
            window: self.component("window", Contract::Window),
            merge: self.component("merge", Contract::Merge),
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            stop: Arc::new(AtomicBool::new(false)),
            watch: Box::new({
                let (clock, piece) = (self.clock.clone(), self.piece);
                move |_| clock.sleep(piece)
            }),
        };
        run::run(&wiring, files, "test")
    }

    /// The tables' objects.
    fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let paths = ["batch", "dead-letter"].into_iter().flat_map(|table| self.store.list(table).unwrap());
        paths
            .map(|(path, _)| path)
            .map(|path| (path.clone(), self.store.get(&path).unwrap().unwrap().to_vec()))
            .collect()
    }
}

fn expected() -> BTreeMap<String, Vec<u8>> {
    let sound = World::new();
    sound.run().unwrap();
    let objects = sound.objects();
    assert_eq!(objects.len(), 2);
    objects
}

#[test]
fn a_store_that_answers_503_for_a_while_is_waited_for() {
    let world = World::new();
    world.faulty.down_until(world.clock.now_us() + 20_000_000);
    assert_eq!(world.run().unwrap().written.len(), 2);
    assert_eq!(world.objects(), expected());
    let again = world.run().unwrap();
    assert_eq!((again.made, again.unchanged, again.written.len()), (0, 2, 0));
}

#[test]
fn whatever_request_fails_for_good_the_next_run_gives_the_same_bytes() {
    let expected = expected();
    for (op, path) in [
        (Op::Create, "/blob/"),
        (Op::Create, "/log/"),
        (Op::Overwrite, "symbol=A"),
        (Op::Overwrite, "symbol=B"),
    ] {
        for spared in 0..3 {
            let world = World::new();
            world.faulty.script_after(spared, op, path, Fault::Denied);
            let failed = world.run();
            let met = world.faulty.unmet() == 0;
            assert_eq!(failed.is_err(), met, "{op:?} {path} {spared}: {failed:?}");
            for (path, bytes) in world.objects() {
                assert!(expected[&path] == bytes, "{path} is there by half");
            }
            world.run().unwrap();
            assert_eq!(world.objects(), expected, "{op:?} {path} {spared}");
        }
    }
}

#[test]
fn answers_that_are_lost_change_nothing() {
    let world = World::new();
    world.faulty.draw(Arc::new(SeededRandom::new(7)), 3);
    world.run().unwrap();
    world.faulty.draw(Arc::new(SeededRandom::new(7)), 0);
    assert_eq!(world.objects(), expected());
}

/// Minutes of one symbol, over a year's end, in files with bad, double and contradicting lines among them.
fn minutes(tumbling: &str) -> World {
    let mut world = World::empty(&format!("symbol = \"A\"\ntumbling = \"{tumbling}\""));
    // 2023-11-01 00:00 UTC.
    let line = |minute: i64, volume: i64| {
        let price = 1_000 + minute * 7_919 % 509;
        format!("{},{price},{price},{price},{price},{volume}\n", 1_698_796_800_000 + minute * 60_000)
    };
    for (file, minutes) in [(0..90_000), (89_990..190_000), (195_000..270_000)].into_iter().enumerate() {
        let lines = minutes.map(|minute| match minute % 1_000 {
            500 => format!("{}no number\n", line(minute, 1)),
            700 => format!("{0}{0}", line(minute, 1)),
            900 => format!("{}{}", line(minute, 1), line(minute, 2)),
            _ => line(minute, 1),
        });
        world.file(&format!("{file}.csv"), &lines.collect::<String>());
    }
    // Every piece is time for a commit.
    world.piece = Duration::from_secs(30);
    world
}

#[test]
fn a_run_that_dies_within_a_symbol_goes_on_from_its_last_commit_with_the_same_bytes() {
    for (tumbling, least_commits) in [("1d", 20), ("1m", 6)] {
        let straight = minutes(tumbling);
        let whole = straight.run().unwrap();
        let expected = straight.objects();
        assert_eq!(expected.keys().filter(|path| path.starts_with("batch")).count(), 2);
        let mut dead = 0;
        loop {
            // The record after so many is refused: the process ends there.
            let world = minutes(tumbling);
            world.faulty.script_after(dead, Op::Create, "/log/", Fault::Denied);
            let failed = world.run();
            if world.faulty.unmet() > 0 {
                break;
            }
            assert!(failed.is_err());
            let seen = world.objects();
            assert!(seen.iter().all(|(path, bytes)| expected[path] == *bytes), "{tumbling} {dead}");
            let resumed = world.run().unwrap();
            assert_eq!(world.objects(), expected, "{tumbling} {dead}");
            assert_eq!(resumed.report, whole.report, "{tumbling} {dead}");
            // The first record is the owner's, the next one the first commit.
            assert!(dead < 2 || resumed.lines < whole.lines, "{tumbling} {dead}: it began again");
            dead += 1;
        }
        println!("{tumbling}: {dead} records");
        assert!(dead >= least_commits, "{tumbling}: {dead} records");
    }
}

#[test]
fn a_run_that_dies_time_and_again_comes_to_the_end() {
    let straight = minutes("1m");
    straight.run().unwrap();
    let world = minutes("1m");
    let mut runs = 0;
    loop {
        // Each gets a few records further.
        world.faulty.script_after(2, Op::Create, "/log/", Fault::Denied);
        runs += 1;
        if world.run().is_ok() {
            break;
        }
        assert!(runs < 100, "it does not get on");
    }
    assert!(runs > 3, "{runs} runs");
    assert_eq!(world.objects(), straight.objects());
}

#[test]
fn what_is_held_of_a_group_is_of_no_use_once_its_files_change_and_is_let_go() {
    let mut world = minutes("1d");
    world.faulty.script_after(6, Op::Create, "/log/", Fault::Denied);
    world.run().unwrap_err();
    let other = World { piece: Duration::ZERO, ..minutes("1d") };
    for world in [&world, &other] {
        world.file("1.csv", "1698796800000,1,1,1,1,1\n");
    }
    other.run().unwrap();
    world.run().unwrap();
    assert_eq!(world.objects(), other.objects());
    world.piece = Duration::ZERO;
    // Once the newest records are others, no blob of it is left.
    for run in 0..12 {
        for world in [&world, &other] {
            world.file("9.csv", &format!("{},1,1,1,1,1\n", 1_698_796_860_000_i64 + run * 60_000));
            world.run().unwrap();
        }
    }
    let held = |world: &World| world.store.list("_tallow/jobs").unwrap().len();
    assert!(held(&other) > 0);
    assert_eq!(held(&world), held(&other));
}

#[test]
fn a_file_that_breaks_at_its_end_publishes_nothing_of_what_was_committed_on_the_way() {
    let world = minutes("1m");
    let long = "x".repeat(2 << 20);
    world.file("9.csv", &format!("{long}\n"));
    let outcome = world.run().unwrap();
    assert_eq!(outcome.failed.len(), 1);
    assert!(world.objects().is_empty());
    std::fs::remove_file(world.folder.path().join("9.csv")).unwrap();
    world.run().unwrap();
    let straight = minutes("1m");
    straight.run().unwrap();
    assert_eq!(world.objects(), straight.objects());
}
