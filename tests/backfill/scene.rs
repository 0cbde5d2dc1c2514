//! A lake, an exchange on this machine, and what a backfill between them leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tallow_test_support::http::local::Server;
use tallow_tests::bars::Bar;
use tallow_tests::exchange::Exchange;
use tallow_tests::lake::{self, Row};
use tallow_tests::messages::{Message, produce};
use tallow_tests::tallow::{Finished, Running};
use tallow_tests::{paths, tallow};
use tempfile::TempDir;

/// A lake, an exchange, and a manifest that fills the one from the other.
pub struct Scene {
    pub place: TempDir,
    pub exchange: Exchange,
    pub server: Server,
    pub manifest: String,
    pub cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Scene {
    pub fn new() -> Self {
        let exchange = Exchange::default();
        let server = exchange.serve();
        let manifest = MANIFEST
            .replace("BASE-URL", &server.url())
            .replace("FUNCTIONS", &paths::functions().display().to_string());
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("klines", 1, 1).unwrap();
        Self { place: tempfile::tempdir().unwrap(), exchange, server, manifest, cluster }
    }

    /// The manifest with a part of it replaced.
    pub fn with(mut self, part: &str, by: &str) -> Self {
        assert!(self.manifest.contains(part), "no {part:?} in the manifest");
        self.manifest = self.manifest.replace(part, by);
        self
    }

    pub fn lake(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    pub fn start(&self, command: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        tallow::start_with(environment, &self.arguments(command, arguments))
    }

    /// Writes the manifest, and gives the whole command line.
    pub fn arguments(&self, command: &str, arguments: &[&str]) -> Vec<String> {
        let file = self.place.path().join("spin.toml");
        fs::write(&file, &self.manifest).unwrap();
        let (file, lake) = (file.display().to_string(), self.lake().display().to_string());
        let brokers = self.cluster.bootstrap_servers();
        let mut all = vec![command, "-f", &file, "--lake", &lake, "--brokers", &brokers];
        all.extend(arguments);
        all.into_iter().map(str::to_owned).collect()
    }

    pub fn backfill(&self, arguments: &[&str]) -> Finished {
        self.start("backfill", arguments, &[]).wait()
    }

    /// Sends bars as the exchange streams them.
    pub fn stream(&self, symbol: &str, interval: &str, interval_ms: i64, bars: &[Bar]) {
        let messages: Vec<Message> = bars
            .iter()
            .map(|bar| Message {
                partition: Some(0),
                value: Some(bar.as_message(symbol, interval, interval_ms).into_bytes()),
                ..Message::default()
            })
            .collect();
        produce(&self.cluster.bootstrap_servers(), "klines", &messages);
    }

    /// The newest revision of each window.
    pub fn newest(&self, table: &str) -> Vec<Row> {
        let mut newest: BTreeMap<(String, String), Row> = BTreeMap::new();
        let revision = |row: &Row| row["revision"].parse::<i64>().unwrap();
        let rows = lake::table(&self.lake(), table);
        lake::assert_no_duplicates(&rows, &["symbol"]);
        for row in rows {
            let window = (row["symbol"].clone(), row["window_start"].clone());
            if newest.get(&window).is_none_or(|known| revision(known) < revision(&row)) {
                newest.insert(window, row);
            }
        }
        newest.into_values().collect()
    }
}

const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "test"
[application.trigger.kafka]
brokers = "given on the command line"
lake = "given on the command line"

[application.trigger.kafka.backfill.history]
pipeline = "klines"
function = "backfill-binance"
base-url = "BASE-URL"
internal = true
symbols = ["AB"]
from = "2024-03-01"
timeout = "2s"
weight = 1000000
# more

[application.trigger.kafka.backfill.history.aggregates]
open = "first(open)"
high = "max(high)"
low = "min(low)"
close = "last(close)"
volume = "sum(volume)"
quote_volume = "sum(quote_volume)"
trades = "sum(trades)"

[[trigger.kafka]]
id = "klines"
topic = "klines"
parse = "parse-market"
delay = "0s"
max-future = "50000d"
# auto

[[trigger.kafka.windows]]
name = "1h"
kinds = ["kline"]
tumbling = "1h"
keys = ["symbol"]
ids = "id"
[trigger.kafka.windows.aggregates]
open = "first(open)"
high = "max(high)"
low = "min(low)"
close = "last(close)"
volume = "sum(volume)"
quote_volume = "sum(quote_volume)"
trades = "sum(trades)"

[[trigger.kafka.windows]]
name = "1d"
kinds = ["kline"]
tumbling = "1d"
keys = ["symbol"]
ids = "id"
[trigger.kafka.windows.aggregates]
open = "first(open)"
high = "max(high)"
low = "min(low)"
close = "last(close)"
volume = "sum(volume)"
quote_volume = "sum(quote_volume)"
trades = "sum(trades)"

[component.parse-market]
source = "FUNCTIONS/parse-market.wasm"
[component.window]
source = "FUNCTIONS/window.wasm"
[component.backfill-binance]
source = "FUNCTIONS/backfill-binance.wasm"
[component.backfill-coinbase]
source = "FUNCTIONS/backfill-coinbase.wasm"
"#;

/// All files of a folder with their bytes.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = folder.read_dir() else { return found };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// Rows as a backfill publishes them.
pub fn published(mut rows: Vec<Row>, revision: i64) -> Vec<Row> {
    for row in &mut rows {
        let known = [("complete", "true"), ("missing", "0"), ("first_id", ""), ("last_id", "")];
        row.extend(known.map(|(column, cell)| (column.to_owned(), cell.to_owned())));
        row.insert("revision".to_owned(), revision.to_string());
    }
    rows
}
