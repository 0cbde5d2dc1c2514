//! Pipelines as folders: a manifest, messages, and the rows that must come out. Each runs straight, then
//! killed at epochs and resumed, then with one and with four parse workers, against the same rows.
//!
//! `input/<topic>.jsonl`: a message a line, `{"key", "partition", "timestamp", "value" | "value_base64"}`;
//! `value` is taken as it is written, null is a tombstone, a message without partition goes to 0.
//! `expected/<folder of the lake>.csv`: all rows of that table, in any order, worked out by hand; columns that
//! it does not name are not compared.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde::Deserialize;
use serde_json::value::RawValue;
use tallow_tests::lake::{self, Row};
use tallow_tests::messages::{Message, produce};
use tallow_tests::{paths, tallow};
use tempfile::TempDir;

/// A test a folder, and a list of them.
macro_rules! pipelines {
    ($($test:ident: $folder:literal,)*) => {
        const FOLDERS: &[&str] = &[$($folder),*];
        $(
            #[test]
            fn $test() {
                Pipeline::open($folder).check();
            }
        )*
    };
}

pipelines! {
    trades_become_candles_of_minutes_and_days: "ohlcv-trades",
    klines_become_candles_of_hours: "klines-to-hour",
    tickers_keep_rolling_values_apart: "tickers",
    a_sliding_window_counts_a_row_in_each_of_its_windows: "sliding",
    sessions_end_after_a_gap_and_merge: "session",
    late_rows_are_judged_by_the_watermark_at_the_epochs_start: "late-rows",
    duplicates_count_once_and_holes_are_counted: "duplicates-and-holes",
    broken_messages_become_dead_letters: "broken-messages",
    timed_messages_are_counted: "sources-json",
}

#[test]
fn every_folder_has_a_test() {
    let entries = folders().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let there: BTreeSet<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    assert_eq!(there, FOLDERS.iter().map(|name| (*name).to_owned()).collect());
}

fn folders() -> PathBuf {
    paths::root().join("tests/pipelines")
}

/// The folders of the lake that a pipeline writes tables into.
const KINDS_OF_TABLES: [&str; 3] = ["speed", "late", "dead-letter"];

/// Logs hold their first record, the fence, before anything is read.
const FENCES: usize = 1;

struct Pipeline {
    folder: PathBuf,
    cluster: MockCluster<'static, DefaultProducerContext>,
    messages: Vec<Message>,
}

impl Pipeline {
    /// Puts the folder's messages into topics of a broker of its own.
    fn open(name: &str) -> Self {
        let folder = folders().join(name);
        let cluster = MockCluster::new(1).unwrap();
        let input = folder.join("input").read_dir().unwrap().map(|entry| entry.unwrap().path());
        let mut all = Vec::new();
        for file in input {
            let topic = file.file_stem().unwrap().to_string_lossy().into_owned();
            let messages = read_messages(&file);
            let partitions = messages.iter().filter_map(|message| message.partition).max().unwrap_or(0) + 1;
            cluster.create_topic(&topic, partitions, 1).unwrap();
            produce(&cluster.bootstrap_servers(), &topic, &messages);
            all.extend(messages);
        }
        Self { folder, cluster, messages: all }
    }

    fn check(&self) {
        let straight = self.scene(2);
        straight.start().wait().success();
        self.compare("straight", &straight);

        let killed = self.scene(2);
        for commits in 1..=3 {
            let seen = tallow::log_records(&killed.lake());
            killed.start().kill_when(|| tallow::log_records(&killed.lake()) >= seen + FENCES + commits);
        }
        killed.start().wait().success();
        self.compare("killed and resumed", &killed);

        for workers in [1, 4] {
            let scene = self.scene(workers);
            scene.start().wait().success();
            self.compare(&format!("with {workers} parse workers"), &scene);
        }
    }

    /// A copy of the manifest with that many parse workers, and an empty lake.
    fn scene(&self, workers: usize) -> Scene {
        let text = fs::read_to_string(self.folder.join("spin.toml")).unwrap();
        let functions = paths::functions();
        for part in ["../../../target/functions", "parse-workers = 2"] {
            assert!(text.contains(part), "{}: no `{part}`", self.folder.display());
        }
        let text = text
            .replace("../../../target/functions", &functions.display().to_string())
            .replace("parse-workers = 2", &format!("parse-workers = {workers}"));
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("spin.toml"), text).unwrap();
        Scene { place, brokers: self.cluster.bootstrap_servers() }
    }

    fn compare(&self, how: &str, scene: &Scene) {
        for folder in KINDS_OF_TABLES {
            let expected = expected_tables(&self.folder, folder);
            let there = lake::tables(&scene.lake(), folder);
            assert_eq!(there, expected, "{how}: tables in {}", scene.lake().display());
            for table in expected {
                let rows = lake::table(&scene.lake(), &table);
                let expected = lake::read_csv(&self.folder.join(format!("expected/{table}.csv")));
                lake::assert_same_rows(&format!("{how}: {table}"), &expected, &rows);
                if folder == "speed" {
                    lake::assert_no_duplicates(&rows, &["symbol"]);
                } else {
                    self.assert_untouched(&rows);
                }
            }
        }
    }

    /// Late rows and dead letters hold the bytes that came. (The tests of them have one partition.)
    fn assert_untouched(&self, rows: &[Row]) {
        for row in rows {
            let offset: usize = row["offset"].parse().unwrap();
            let value = self.messages[offset].value.as_deref().unwrap_or_default();
            assert_eq!(row["value"], String::from_utf8_lossy(value), "offset {offset}");
        }
    }
}

/// One lake and the runs that fill it.
struct Scene {
    place: TempDir,
    brokers: String,
}

impl Scene {
    fn lake(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    fn start(&self) -> tallow::Running {
        let manifest = self.place.path().join("spin.toml");
        let (manifest, lake) = (manifest.display().to_string(), self.lake().display().to_string());
        let to = ["--lake", &lake, "--brokers", &self.brokers];
        tallow::start(&[&["up", "-f", &manifest, "--available-now", "--close-all"][..], &to].concat())
    }
}

fn expected_tables(pipeline: &Path, folder: &str) -> BTreeSet<String> {
    let Ok(entries) = pipeline.join("expected").join(folder).read_dir() else { return BTreeSet::new() };
    let names =
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned());
    names.map(|name| format!("{folder}/{name}")).collect()
}

fn read_messages(file: &Path) -> Vec<Message> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        key: Option<String>,
        partition: Option<i32>,
        timestamp: Option<i64>,
        value: Option<Box<RawValue>>,
        value_base64: Option<String>,
    }
    let text = fs::read_to_string(file).unwrap();
    let message = |line: &str| {
        let line: Line =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", file.display()));
        Message {
            key: line.key.map(String::into_bytes),
            partition: Some(line.partition.unwrap_or(0)),
            timestamp_ms: line.timestamp,
            value: match line.value_base64 {
                Some(base64) => Some(BASE64_STANDARD.decode(base64).unwrap()),
                None => line.value.map(|value| value.get().as_bytes().to_vec()),
            },
        }
    };
    text.lines().map(message).collect()
}
