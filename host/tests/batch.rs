//! Batches over a store that breaks: what was half done is never seen, and the next run completes it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tallow_batch::{BatchError, Outcome, Plan, Services};
use tallow_engine::{Component, Contract, Runtime};
use tallow_env::{Clock, ManualClock, SeededRandom};
use tallow_manifest::Overrides;
use tallow_store::{Patience, Store};
use tallow_test_support::faulty::{Fault, Faulty, FaultyStore, Op};

/// 2024-08-09 00:00 UTC.
const START_MS: i64 = 1_723_161_600_000;

struct World {
    folder: tempfile::TempDir,
    /// Lines of the batch's table in the manifest.
    keys: String,
    /// Time that goes by with every piece of lines.
    piece: Duration,
    /// Pieces after which somebody stops the run.
    stop_after: Option<usize>,
    /// The window function's component.
    window: &'static str,
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
        let FaultyStore { faulty, store, clock, random } =
            FaultyStore::new("", START_MS * 1_000 + 86_400_000_000 * 30, 1);
        let store = store.with_patience(Patience {
            attempt: Duration::from_secs(5),
            whole: Duration::from_secs(60),
            ..Patience::default()
        });
        let runtime = Runtime::new(Some(root().join("target/tests/compiled"))).unwrap();
        let (keys, piece, stop_after) = (keys.to_owned(), Duration::ZERO, None);
        let window = "window";
        Self { folder, keys, piece, stop_after, window, runtime, faulty, store, clock, random }
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
        let stop = Arc::new(AtomicBool::new(false));
        let services = Services {
            plan: Plan::new(&manifest.batches[0]),
            parse: self.component("parse-kline", Contract::Parse),
            window: self.component(self.window, Contract::Window),
            merge: self.component("merge", Contract::Merge),
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            watch: Box::new({
                let (clock, piece) = (self.clock.clone(), self.piece);
                let (stop, pieces, stop_after) = (stop.clone(), AtomicUsize::new(0), self.stop_after);
                move |_| {
                    clock.sleep(piece);
                    if stop_after.is_some_and(|most| pieces.fetch_add(1, Ordering::Relaxed) >= most) {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            }),
            stop,
        };
        tallow_batch::run(&services, files, "test")
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
fn whatever_request_fails_the_next_run_gives_the_same_bytes() {
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
    some_minutes(tumbling, |_| true)
}

/// Some of them.
fn some_minutes(tumbling: &str, is_there: impl Fn(i64) -> bool) -> World {
    let mut world = World::empty(&format!("symbol = \"A\"\ntumbling = \"{tumbling}\""));
    // 2023-11-01 00:00 UTC.
    let line = |minute: i64, volume: i64| {
        let price = 1_000 + minute * 7_919 % 509;
        format!("{},{price},{price},{price},{price},{volume}\n", 1_698_796_800_000 + minute * 60_000)
    };
    for (file, minutes) in [(0..90_000), (89_990..190_000), (195_000..270_000)].into_iter().enumerate() {
        let lines = minutes.filter(|minute| is_there(*minute)).map(|minute| match minute % 1_000 {
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
fn a_run_that_dies_continues_from_its_last_commit() {
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
            assert!(world.objects() == expected, "{tumbling} {dead}");
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
fn a_run_that_writes_years_continues_from_the_end_of_one() {
    let world = |piece| World { piece, ..minutes("1m") };
    let straight = world(Duration::ZERO);
    let whole = straight.run().unwrap();
    // Commits are due here and there in the middle of years.
    for seconds in [1, 3] {
        let mut least = whole.lines;
        for dead in 1.. {
            let world = world(Duration::from_secs(seconds));
            world.faulty.script_after(dead, Op::Create, "/log/", Fault::Denied);
            if world.run().is_ok() {
                break;
            }
            let again = world.run().unwrap().lines;
            // Nothing is read again where the group had been committed.
            least = least.min(if again > 0 { again } else { least });
            assert!(world.objects() == straight.objects(), "{seconds} {dead}");
        }
        // The first year has 87,840 minutes.
        assert!(least < whole.lines - 80_000, "{seconds}: {least} of {} lines again", whole.lines);
    }
}

#[test]
fn sparse_minutes_resume_and_each_window_knows_what_is_missing() {
    let is_there = |minute: i64| minute % 5 == 0 || minute % 7 == 0;
    let straight = some_minutes("1m", is_there);
    let whole = straight.run().unwrap();
    let expected = straight.objects();
    let mut dead = 1;
    loop {
        let world = some_minutes("1m", is_there);
        world.faulty.script_after(dead, Op::Create, "/log/", Fault::Denied);
        if world.run().is_ok() {
            break;
        }
        world.run().unwrap();
        assert!(world.objects() == expected, "{dead}");
        dead += 1;
    }
    assert!(dead > 2, "{dead} records");
    // Of windows that are filled nothing is missing or there.
    let mut known = 0;
    for path in expected.keys().filter(|path| path.starts_with("batch")) {
        let table = tallow_table::file::read(&straight.store, path).unwrap().unwrap().table(path).unwrap();
        let missing = table.columns.iter().find(|column| column.name == "missing").unwrap();
        let bits = missing.validity.as_deref().unwrap();
        known += (0..table.rows as usize).filter(|row| bits[row / 8] >> (row % 8) & 1 == 1).count() as u64;
    }
    assert_eq!(known, whole.report.windows - whole.report.filled);
}

#[test]
fn a_run_that_is_stopped_continues_where_it_was() {
    for tumbling in ["1d", "1m"] {
        let straight = minutes(tumbling);
        let whole = straight.run().unwrap();
        for pieces in [0, 1, 3, 12] {
            let mut world = minutes(tumbling);
            // Nothing is due: the stop itself commits.
            (world.piece, world.stop_after) = (Duration::ZERO, Some(pieces));
            assert!(matches!(world.run(), Err(BatchError::Stopped)), "{tumbling} {pieces}");
            assert!(world.objects().is_empty());
            world.stop_after = None;
            let resumed = world.run().unwrap();
            assert_eq!(resumed.report, whole.report, "{tumbling} {pieces}");
            assert!(world.objects() == straight.objects(), "{tumbling} {pieces}");
            // Minutes are closed on the way: a year's file is open then, and nothing is kept of it.
            assert!(tumbling == "1m" || resumed.lines < whole.lines, "{tumbling} {pieces}: it began again");
        }
    }
}

#[test]
fn after_a_kill_rows_are_sorted_at_once_with_the_same_bytes() {
    let newest_first = || {
        let world = minutes("1m");
        for file in ["0.csv", "1.csv", "2.csv"] {
            let path = world.folder.path().join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            let mut lines: Vec<&str> = text.lines().collect();
            lines.reverse();
            world.file(file, &(lines.join("\n") + "\n"));
        }
        World { piece: Duration::ZERO, ..world }
    };
    let straight = newest_first();
    let whole = straight.run().unwrap();
    assert_eq!(whole.sorted, 1);
    for pieces in [5, 30, 45, 60] {
        let mut world = newest_first();
        world.stop_after = Some(pieces);
        assert!(matches!(world.run(), Err(BatchError::Stopped)), "{pieces}");
        world.stop_after = None;
        let again = world.run().unwrap();
        assert_eq!((&again.report, again.sorted), (&whole.report, 1), "{pieces}");
        assert!(world.objects() == straight.objects(), "{pieces}");
    }
    // The record that says that it has to be sorted is there, the one that it is done is not.
    let world = newest_first();
    world.faulty.script_after(2, Op::Create, "/log/", Fault::Denied);
    world.run().unwrap_err();
    world.run().unwrap();
    assert!(world.objects() == straight.objects());
}

#[test]
fn another_symbol_made_first_keeps_unfinished_work() {
    let world = minutes("1d");
    let mut world = World { keys: "symbol-from = \"^[A-Z]\"\ntumbling = \"1d\"".to_owned(), ..world };
    for (file, name) in [("0.csv", "M0.csv"), ("1.csv", "M1.csv"), ("2.csv", "M2.csv")] {
        std::fs::rename(world.folder.path().join(file), world.folder.path().join(name)).unwrap();
    }
    world.stop_after = Some(8);
    world.run().unwrap_err();
    world.stop_after = None;
    world.file("A.csv", "1698796800000,1,1,1,1,1\n");
    let resumed = world.run().unwrap();
    assert_eq!(resumed.made, 2);
    assert!(resumed.lines < resumed.report.lines - 20_000, "{} lines", resumed.lines);
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
    assert!(world.objects() == straight.objects());
}

#[test]
fn unfinished_work_is_dropped_once_its_files_change() {
    let mut world = minutes("1d");
    world.faulty.script_after(6, Op::Create, "/log/", Fault::Denied);
    world.run().unwrap_err();
    let other = World { piece: Duration::ZERO, ..minutes("1d") };
    for world in [&world, &other] {
        world.file("1.csv", "1698796800000,1,1,1,1,1\n");
    }
    other.run().unwrap();
    world.run().unwrap();
    assert!(world.objects() == other.objects());
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
fn a_file_that_breaks_at_its_end_publishes_nothing() {
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
    assert!(world.objects() == straight.objects());
}

#[test]
fn a_trap_of_the_window_function_names_the_file_and_the_lines() {
    let keys = "tumbling = \"1d\"\nsymbol = \"X\"\ninterval = \"1m\"\naggregates = { klines = \"count()\" }";
    let world = World { window: "test/hostile-window", ..World::empty(keys) };
    // The guest traps on the 666th minute since 1970.
    let minutes: String = (600..700).map(|minute| format!("{},1,1,1,1,1\n", minute * 60)).collect();
    world.file("a.csv", &format!("open_time,open,high,low,close,volume\n{minutes}"));
    let error = world.run().unwrap_err().to_string();
    assert!(error.contains("a.csv:1-101: function `test/hostile-window`, update"), "{error}");
    assert!(world.objects().is_empty());
}
