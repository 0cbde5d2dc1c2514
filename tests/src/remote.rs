//! A pipeline of trades in a broker of its own, whose functions are here or behind a gateway.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tempfile::TempDir;

use crate::lake::{self, Row};
use crate::messages::{Message, produce};
use crate::{paths, tallow};

/// The tables that the pipeline writes.
pub const TABLES: [&str; 3] = ["speed/trades_1m", "speed/trades_session", "dead-letter/trades"];

/// A topic.
pub struct Market {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Market {
    pub fn of(values: impl IntoIterator<Item = String>) -> Self {
        let cluster = MockCluster::new(1).expect("librdkafka's mock cluster starts");
        cluster.create_topic("trades", 1, 1).expect("the mock cluster makes topics");
        let message = |value: String| Message {
            partition: Some(0),
            value: Some(value.into_bytes()),
            ..Message::default()
        };
        let messages: Vec<Message> = values.into_iter().map(message).collect();
        produce(&cluster.bootstrap_servers(), "trades", &messages);
        Self { cluster }
    }

    /// Trades of two symbols over some minutes; a few are broken, doubled or late.
    pub fn trades(count: i64) -> Self {
        Self::of((0..count).map(|id| {
            let (id, late) = if id % 97 == 5 { (id - 1, 0) } else { (id, i64::from(id % 211 == 7) * 90_000) };
            let symbol = ["BTCUSDT", "ETHUSDT"][(id % 2) as usize];
            let ms = 1_704_067_200_000 + id * 150 - late + id / 600 % 2 * 20_000;
            match id % 331 {
                330 => format!(r#"{{"e":"trade","t":{id}"#),
                _ => trade(id, symbol, ms),
            }
        }))
    }

    /// An empty lake, and this manifest.
    pub fn scene(&self, manifest: &str) -> Scene {
        let place = tempfile::tempdir().expect("a temporary folder");
        fs::write(place.path().join("spin.toml"), manifest).expect("a manifest");
        Scene { place, brokers: self.cluster.bootstrap_servers() }
    }
}

pub fn trade(id: i64, symbol: &str, ms: i64) -> String {
    let price = format!("{}.{:02}", 60_000 + id * 7919 % 97, id % 100);
    format!(
        r#"{{"e":"trade","E":{ms},"s":"{symbol}","t":{id},"p":"{price}","q":"0.015","T":{ms},"m":true,"M":true}}"#
    )
}

/// The manifest with its functions here.
pub fn local() -> String {
    manifest("\"parse-market\"", "\"window\"")
}

/// The manifest with its functions behind a gateway.
pub fn behind(url: &str) -> String {
    let function = format!("{{ remote = \"{url}\" }}");
    manifest(&function, &function)
}

/// The manifest with these values of `parse` and `function`.
pub fn manifest(parse: &str, window: &str) -> String {
    let text = fs::read_to_string(paths::root().join("tests/remote/spin.toml")).expect("a manifest");
    text.replace("{parse}", parse)
        .replace("{window}", window)
        .replace("{ids}", "ids = \"id\"")
        .replace("{functions}", &paths::functions().display().to_string())
}

/// One lake, and the runs that fill it.
pub struct Scene {
    place: TempDir,
    brokers: String,
}

impl Scene {
    pub fn lake(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    pub fn start(&self) -> tallow::Running {
        tallow::start_with(
            &[("TALLOW_LOG", "debug")],
            &self.command(&["up", "--available-now", "--close-all"]),
        )
    }

    pub fn command(&self, first: &[&str]) -> Vec<String> {
        let manifest = self.place.path().join("spin.toml").display().to_string();
        let lake = self.lake().display().to_string();
        let rest = ["-f", &manifest, "--lake", &lake, "--brokers", &self.brokers];
        first.iter().copied().chain(rest).map(str::to_owned).collect()
    }

    pub fn rows(&self) -> BTreeMap<&'static str, Vec<Row>> {
        TABLES.into_iter().map(|name| (name, lake::table(&self.lake(), name))).collect()
    }

    /// The bytes of every file below some folder of the lake, by path.
    pub fn files(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(&self.lake(), &self.lake().join(folder), &mut found);
        found
    }

    /// Fails where the tables of two lakes differ, or a window is there twice.
    pub fn assert_same_rows(&self, what: &str, other: &Scene) {
        for (table, mut expected) in other.rows() {
            expected.iter_mut().for_each(unnamed);
            let mut rows = lake::table(&self.lake(), table);
            rows.iter_mut().for_each(unnamed);
            lake::assert_same_rows(&format!("{what}: {table}"), &expected, &rows);
            if table.starts_with("speed/") {
                lake::assert_no_duplicates(&rows, &["symbol"]);
            }
        }
    }
}

/// Without the chain of commits that it came by, which is another one in each lake.
fn unnamed(row: &mut Row) {
    row.remove("commit");
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(entries) = folder.read_dir() else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        match path.is_dir() {
            true => collect(root, &path, found),
            false => {
                let name = path.strip_prefix(root).expect("it lies in the lake").to_owned();
                found.insert(name, fs::read(&path).expect("a file of the lake"));
            }
        }
    }
}
