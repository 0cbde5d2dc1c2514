//! Batches over a store that breaks: what was half done is never seen, and the next run completes it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
        let folder = tempfile::tempdir().unwrap();
        for symbol in ["A", "B"] {
            let lines = (0..4_000).map(|minute| format!("{},1,1,1,1,1\n", START_MS + minute * 60_000));
            std::fs::write(folder.path().join(format!("{symbol}.csv")), lines.collect::<String>()).unwrap();
        }
        let clock = Arc::new(ManualClock::at(START_MS * 1_000 + 86_400_000_000 * 30));
        let random = Arc::new(SeededRandom::new(1));
        let faulty = Arc::new(Faulty::new(Arc::new(InMemory::new()), clock.clone()));
        let store = Store::from_object_store(faulty.clone(), "", clock.clone(), random.clone()).unwrap();
        let store = store.with_patience(Patience {
            attempt: std::time::Duration::from_secs(5),
            whole: std::time::Duration::from_secs(60),
        });
        let runtime = Runtime::new(Some(root().join("target/tests/compiled"))).unwrap();
        Self { folder, runtime, faulty, store, clock, random }
    }

    fn component(&self, name: &str, contract: Contract) -> Component {
        let file = root().join("target/functions").join(name).with_extension("wasm");
        self.runtime
            .load_file(name, &file, contract)
            .unwrap_or_else(|error| panic!("{error}; run `make functions`"))
    }

    fn run(&self) -> Result<Outcome, BatchError> {
        let text = "spin_manifest_version = 2\n[application]\nname = \"t\"\n[application.trigger.kafka]\nbrokers = \
                    \"b\"\nlake = \"l\"\n[application.trigger.kafka.batch.days]\ninput = \"*.csv\"\nsymbol-from = \
                    \"^[A-Z]\"\n[[trigger.none]]\ncomponent = \"window\"\n[component.parse-kline]\nsource = \
                    \"a\"\n[component.window]\nsource = \"a\"\n[component.merge]\nsource = \"a\"\n";
        let manifest = tallow_manifest::resolve(
            text,
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
            watch: Box::new(|_| {}),
        };
        run::run(&wiring, files, "test")
    }

    /// The tables' objects.
    fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let paths = self.store.list("batch").unwrap().into_iter().map(|(path, _)| path);
        paths.map(|path| (path.clone(), self.store.get(&path).unwrap().unwrap().to_vec())).collect()
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
