//! What the built program says about a partition that holds the watermark back, and of topics that are not there.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tallow_tests::folder::Folder;
use tallow_tests::tallow;
use tempfile::TempDir;

/// Two partitions; the first is empty.
const FOLDER: &str = "empty-partition";

struct Scene {
    place: TempDir,
    brokers: String,
}

impl Scene {
    /// The folder's pipeline with more keys; `topic`: its line that says what is read.
    fn new(folder: &Folder, topic: &str, keys: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let manifest = folder.manifest(1);
        let line = "topic = \"trades\"";
        assert!(manifest.contains(line));
        fs::write(place.path().join("spin.toml"), manifest.replace(line, &format!("{topic}\n{keys}")))
            .unwrap();
        Self { place, brokers: folder.brokers() }
    }

    fn lake(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    fn command(&self, first: &[&str]) -> Vec<String> {
        let manifest = self.place.path().join("spin.toml").display().to_string();
        let lake = self.lake().display().to_string();
        let rest = ["-f", &manifest, "--lake", &lake, "--brokers", &self.brokers];
        first.iter().copied().chain(rest).map(str::to_owned).collect()
    }
}

const STARTS: usize = 2;
const EPOCHS: usize = 4;

#[test]
fn who_holds_the_watermark_back_is_named() {
    let folder = Folder::open(FOLDER);
    let scene = Scene::new(&folder, "topic = \"trades\"", "idle-after = \"1h\"");
    // All records are committed, and the empty partition is not idle for an hour.
    let running = tallow::start(&scene.command(&["up"]));
    let ended = running.stop_when(|| tallow::log_records(&scene.lake()) >= STARTS + EPOCHS).success();
    assert!(ended.stdout.contains("watermark none yet"), "{}", ended.stdout);
    let held = "held back    by trades/0: no row of it has come yet and `idle-after` has not passed at its end, since ";
    assert!(ended.stdout.contains(held), "{}", ended.stdout);
    assert!(ended.stdout.contains("; 3 windows wait for it"), "{}", ended.stdout);

    let status = tallow::run(&scene.command(&["status"])).success().stdout;
    assert!(status.contains("  held back  by trades/0: no row of it has come yet"), "{status}");
    assert!(status.contains("; 3 windows wait for it"), "{status}");
    let status = tallow::run(&scene.command(&["status", "--json"])).success().stdout;
    let status: Value = serde_json::from_str(&status).unwrap();
    let held = &status["pipelines"][0]["held"];
    assert_eq!((&held["partition"], &held["windows"]), (&"trades/0".into(), &3.into()), "{held}");

    // Draining waits for nobody.
    let drained = tallow::run(&scene.command(&["up", "--available-now"])).success().stdout;
    assert!(drained.contains("3 candles"), "{drained}");
    assert!(drained.contains("1 open window"), "{drained}");
    assert!(!drained.contains("held back"), "{drained}");
    let status = tallow::run(&scene.command(&["status"])).success().stdout;
    assert!(!status.contains("held back"), "{status}");
}

#[test]
fn a_run_without_topics_or_news_tells_how_things_stand() {
    let folder = Folder::open(FOLDER);
    let scene = Scene::new(&folder, "topic = \"trades\"", "");
    tallow::run(&scene.command(&["up", "--available-now"])).success();
    let again = tallow::run(&scene.command(&["up", "--available-now"])).success().stdout;
    let stands = "0 records, 0 candles, 0 late, 0 duplicates, 0 conflicts, 0 dead letters, 1 open window, 0 epochs, \
                  watermark 2024-01-01 00:03:00.000Z";
    assert!(again.contains(stands), "{again}");

    let nowhere = Scene::new(&folder, "topic-pattern = \"^nothing-.*\"", "");
    let ended = tallow::run(&nowhere.command(&["up", "--available-now"])).success();
    assert!(ended.stdout.contains("no topic matches `topic-pattern`"), "{}", ended.stdout);
    assert!(ended.stderr.contains("`topic-pattern` matches no topic"), "{}", ended.stderr);
}

#[test]
fn a_stop_is_heard_while_no_broker_answers() {
    let folder = Folder::open(FOLDER);
    let mut scene = Scene::new(&folder, "topic = \"trades\"", "");
    // Nobody listens there.
    scene.brokers = "127.0.0.1:1".to_owned();
    let lake = scene.lake();
    let running = tallow::start(&scene.command(&["up"]));
    // The lake is made just before the brokers are asked.
    let ended = running.stop_when(|| lake.exists()).success();
    assert!(ended.stdout.contains("stopped before it began"), "{}{}", ended.stdout, ended.stderr);
}
