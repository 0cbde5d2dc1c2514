//! Pipelines as folders: a manifest, messages, and the rows that must come out.
//!
//! - `spin.toml`: the manifest; brokers and lake are given on the command line.
//! - `input/<topic>.jsonl`: a message a line, `{"key", "partition", "timestamp", "value" | "value_base64"}`;
//!   `value` is taken as it is written, null is a tombstone, a message without partition goes to 0.
//! - `expected/<table of the lake>.csv`: all rows of that table, in any order, worked out by hand; columns that
//!   it does not name are not compared.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lake::{self, Row};
use crate::messages::{Message, produce};
use crate::paths;

/// The folders of the lake that a pipeline writes tables into.
const KINDS_OF_TABLES: [&str; 3] = ["speed", "late", "dead-letter"];

/// What stands in every folder's manifest, and is replaced when it is run.
const FUNCTIONS: &str = "../../../target/functions";
const WORKERS: &str = "parse-workers = 2";

/// A pipeline's folder, its messages in topics of a broker of its own.
pub struct Folder {
    path: PathBuf,
    messages: Vec<Message>,
    cluster: MockCluster<'static, DefaultProducerContext>,
}

/// Where the folders are.
pub fn all() -> PathBuf {
    paths::root().join("tests/pipelines")
}

impl Folder {
    pub fn open(name: &str) -> Self {
        let path = all().join(name);
        let cluster = MockCluster::new(1).expect("librdkafka's mock cluster starts");
        let mut all = Vec::new();
        for file in files(&path.join("input")) {
            let topic = stem(&file);
            let messages = read_messages(&file);
            let partitions = messages.iter().filter_map(|message| message.partition).max().unwrap_or(0) + 1;
            cluster.create_topic(&topic, partitions, 1).expect("the mock cluster makes topics");
            produce(&cluster.bootstrap_servers(), &topic, &messages);
            all.extend(messages);
        }
        Self { path, messages: all, cluster }
    }

    pub fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// The manifest with that many parse workers, its components found from anywhere.
    pub fn manifest(&self, workers: usize) -> String {
        let file = self.path.join("spin.toml");
        let text = fs::read_to_string(&file).expect("a folder has a manifest");
        for part in [FUNCTIONS, WORKERS] {
            assert!(text.contains(part), "{}: no `{part}`", file.display());
        }
        text.replace(FUNCTIONS, &paths::functions().display().to_string())
            .replace(WORKERS, &format!("parse-workers = {workers}"))
    }

    /// Fails where the lake does not hold the expected tables, with the expected rows.
    pub fn compare(&self, how: &str, lake: &Path) {
        for kind in KINDS_OF_TABLES {
            let expected: BTreeSet<String> = files(&self.path.join("expected").join(kind))
                .iter()
                .map(|file| format!("{kind}/{}", stem(file)))
                .collect();
            assert_eq!(lake::tables(lake, kind), expected, "{how}: tables in {}", lake.display());
            for table in expected {
                let rows = lake::table(lake, &table);
                let file = self.path.join(format!("expected/{table}.csv"));
                lake::assert_same_rows(&format!("{how}: {table}"), &lake::read_csv(&file), &rows);
                if kind == "speed" {
                    let keys = keys(&file);
                    lake::assert_no_duplicates(&rows, &keys.iter().map(String::as_str).collect::<Vec<_>>());
                } else {
                    self.assert_untouched(&rows);
                }
            }
        }
    }

    /// Late rows and dead letters hold the bytes that came. (Folders that expect any have one partition.)
    fn assert_untouched(&self, rows: &[Row]) {
        for row in rows {
            let offset: usize = row["offset"].parse().expect("an offset is a number");
            let value = self.messages[offset].value.as_deref().unwrap_or_default();
            assert_eq!(row["value"], String::from_utf8_lossy(value), "offset {offset}");
        }
    }
}

/// The files of a folder; `None` if it is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    files.sort();
    files
}

/// The columns of a file of candles before the window's start.
fn keys(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("the file can be read");
    let header = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    header.split(',').take_while(|column| *column != "window_start").map(str::to_owned).collect()
}

fn stem(file: &Path) -> String {
    file.file_stem().expect("a file has a name").to_string_lossy().into_owned()
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
    let text = fs::read_to_string(file).expect("the messages can be read");
    let message = |line: &str| {
        let line: Line =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", file.display()));
        Message {
            key: line.key.map(String::into_bytes),
            partition: Some(line.partition.unwrap_or(0)),
            timestamp_ms: line.timestamp,
            value: match line.value_base64 {
                Some(base64) => Some(BASE64_STANDARD.decode(base64).expect("base64")),
                None => line.value.map(|value| value.get().as_bytes().to_vec()),
            },
            headers: Vec::new(),
        }
    };
    text.lines().map(message).collect()
}
