//! A stream of trades, a manifest of one pipeline over it, and the candles that must come out, whoever runs it.

use std::fs;
use std::path::{Path, PathBuf};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tempfile::TempDir;

use crate::lake::{self, Row};
use crate::messages::{Message, produce};
use crate::{paths, reference, tallow};

pub struct Stream {
    pub brokers: String,
    topic: String,
    place: TempDir,
    trades: Vec<String>,
    /// Keeps the broker where it is the stream's own.
    _cluster: Option<MockCluster<'static, DefaultProducerContext>>,
}

impl Stream {
    /// With a broker of its own in this process.
    pub fn in_memory() -> Self {
        let cluster = MockCluster::new(1).expect("librdkafka's mock cluster starts");
        cluster.create_topic("trades", 1, 1).expect("the mock cluster makes topics");
        let stream = Self::new(&cluster.bootstrap_servers(), "trades");
        Self { _cluster: Some(cluster), ..stream }
    }

    /// In a topic with one partition and nothing in it.
    pub fn new(brokers: &str, topic: &str) -> Self {
        let place = tempfile::tempdir().expect("a temporary folder");
        let functions = paths::functions().display().to_string();
        let manifest = include_str!("../trigger/spin.toml")
            .replace("{functions}", &functions)
            .replace("\"trades\"", &format!("{topic:?}"));
        fs::write(place.path().join("spin.toml"), manifest).expect("a file in a temporary folder");
        let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
        let mut stream = Self { brokers, topic, place, trades: Vec::new(), _cluster: None };
        stream.trade(3_000);
        stream
    }

    /// More trades into the topic, one a second.
    pub fn trade(&mut self, count: usize) {
        let first = self.trades.len();
        for id in first..first + count {
            let (price, quantity) = (100 + id * 7 % 13, 1 + id % 5);
            let time = 1_704_067_200_000_u64 + id as u64 * 1000;
            self.trades.push(format!(
                r#"{{"e":"trade","E":1,"s":"AB","t":{id},"p":"{price}","q":"{quantity}","T":{time}}}"#
            ));
        }
        let message = |trade: &String| Message {
            partition: Some(0),
            value: Some(trade.clone().into_bytes()),
            ..Message::default()
        };
        let messages: Vec<Message> = self.trades[first..].iter().map(message).collect();
        produce(&self.brokers, &self.topic, &messages);
    }

    /// Where the manifest is, and the lake will be.
    pub fn folder(&self) -> &Path {
        self.place.path()
    }

    pub fn manifest(&self) -> PathBuf {
        self.folder().join("spin.toml")
    }

    pub fn lake(&self) -> PathBuf {
        self.folder().join("lake")
    }

    pub fn commits(&self) -> usize {
        tallow::log_records(&self.lake())
    }

    /// Changes the manifest.
    pub fn edit(&self, part: &str, by: &str) {
        let text = fs::read_to_string(self.manifest()).expect("the manifest can be read");
        assert_eq!(text.matches(part).count(), 1, "{part:?} must stand once in the manifest");
        fs::write(self.manifest(), text.replace(part, by)).expect("the manifest can be written");
    }

    /// The candles that must come out, each once.
    pub fn expected(&self) -> Vec<Row> {
        let trades = self.trades.iter().map(String::as_str);
        reference::candles(trades, 60_000_000).iter().map(|it| it.row()).collect()
    }

    /// Runs to its end what was begun, by `tallow up`, and compares all candles.
    pub fn finish_and_compare(&self) {
        let lake = self.lake().display().to_string();
        tallow::run(&tallow::drain(&self.manifest(), &lake, &self.brokers)).success();
        self.compare();
    }

    /// Fails unless the lake holds all candles, each once.
    pub fn compare(&self) {
        let rows = lake::table(&self.lake(), "speed/candles_1m");
        lake::assert_same_rows("candles", &self.expected(), &rows);
        lake::assert_no_duplicates(&rows, &["symbol"]);
    }
}
