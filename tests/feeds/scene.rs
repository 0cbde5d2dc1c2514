//! An exchange that misbehaves, a topic on a broker, and a manifest with a feed between them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::Value;
use tallow_tests::kafka::Kafka;
use tallow_tests::lake::{self, Row};
use tallow_tests::market::{Market, Plan, Trade};
use tallow_tests::messages::consume;
use tallow_tests::tallow::{self, Finished, Running};
use tallow_tests::{paths, recordings};
use tempfile::TempDir;

pub const SYMBOLS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];

/// The recorded trades of both symbols side by side, or some that are made up. The recordings need not be of the same hour.
pub fn trades(test: &str, most: usize) -> Vec<Trade> {
    let mut all = Vec::new();
    for symbol in SYMBOLS {
        let Some(recorded) = recordings::trades(test, symbol) else { return made_up(most, spot, SYMBOLS) };
        let begun_ns = recorded.iter().map(|message| message.received_ns).min().unwrap_or(0);
        for message in recorded {
            let envelope: Value = serde_json::from_str(&message.message).unwrap();
            if envelope["data"]["e"] != "trade" {
                continue;
            }
            let id = envelope["data"]["t"].as_i64().unwrap();
            let data = message.message.find(r#""data":"#).unwrap() + 7;
            let text = message.message[data..message.message.len() - 1].to_owned();
            all.push((
                message.received_ns - begun_ns,
                Trade { symbol: symbol.to_owned(), id, message: text },
            ));
        }
    }
    all.sort_by_key(|(received, _)| *received);
    all.into_iter().take(most).map(|(_, trade)| trade).collect()
}

/// A trade of Binance; its symbol is to be put in.
pub fn spot(id: i64, time: i64) -> String {
    let (price, quantity) = (100 + id % 7, 1 + id % 5);
    format!(
        r#"{{"e":"trade","E":{time},"s":"{{}}","t":{id},"p":"{price}.5","q":"{quantity}","T":{time},"m":true,"M":true}}"#
    )
}

/// Trades of two symbols in turn, ten a second.
pub fn made_up(count: usize, message: impl Fn(i64, i64) -> String, symbols: [&str; 2]) -> Vec<Trade> {
    let trade = |number: usize| {
        let (symbol, id) = (symbols[number % 2], 1000 + number as i64 / 2);
        let message = message(id, 1_704_067_200_000 + number as i64 * 100).replacen("{}", symbol, 1);
        Trade { symbol: symbol.to_owned(), id, message }
    };
    (0..count).map(trade).collect()
}

pub fn coinbase_trades(count: usize) -> Vec<Trade> {
    let message = |id: i64, _| {
        format!(
            r#"{{"type":"match","trade_id":{id},"maker_order_id":"a","taker_order_id":"b","side":"sell","size":"0.5","price":"{}","product_id":"{{}}","sequence":{},"time":"2024-01-01T00:00:00Z"}}"#,
            100 + id % 7,
            id * 3
        )
    };
    made_up(count, message, ["BTC-USD", "ETH-USD"])
}

enum Broker {
    Real(&'static Kafka),
    /// Where there is no Java.
    Mock(MockCluster<'static, DefaultProducerContext>),
}

/// An exchange, a topic, and a folder with a manifest.
pub struct Scene {
    pub market: Market,
    broker: Broker,
    pub topic: String,
    place: TempDir,
}

const FEED: &str = r#"
[application.trigger.kafka.feed.exchange]
function = "{function}"
topic = "{topic}"
symbols = {symbols}
streams = ["{stream}"]
ws-url = "{ws}"
rest-url = "{rest}"
internal = true
patience = "20s"
{more}

[component.{function}]
source = "{functions}/{function}.wasm"
"#;

impl Scene {
    /// `more`: lines of the feed's table.
    pub fn new(test: &str, plan: Plan, (function, stream): (&str, &str), more: &str) -> Self {
        let symbols: BTreeSet<String> = plan.trades.iter().map(|trade| trade.symbol.clone()).collect();
        let symbols: Vec<String> = symbols.into_iter().collect();
        let market = Market::open(plan);
        let (broker, topic) = match Kafka::shared(test) {
            Some(kafka) => (Broker::Real(kafka), kafka.topic("trades", 2)),
            None => {
                let cluster = MockCluster::new(1).unwrap();
                cluster.create_topic("trades", 2, 1).unwrap();
                (Broker::Mock(cluster), "trades".to_owned())
            }
        };
        let place = tempfile::tempdir().unwrap();
        let functions = paths::functions().display().to_string();
        let pipeline = include_str!("../trigger/spin.toml").replace("\"trades\"", &format!("{topic:?}"));
        let manifest = format!("{pipeline}{FEED}")
            .replace("{function}", function)
            .replace("{functions}", &functions)
            .replace("{topic}", &topic)
            .replace("{symbols}", &format!("{symbols:?}"))
            .replace("{stream}", stream)
            .replace("{ws}", &market.ws_url())
            .replace("{rest}", &market.rest_url())
            .replace("{more}", more);
        fs::write(place.path().join("spin.toml"), manifest).unwrap();
        Self { market, broker, topic, place }
    }

    pub fn binance(test: &str, plan: Plan) -> Self {
        Self::new(test, plan, ("feed-binance", "trade"), "")
    }

    /// Has the candles go to a topic, too, which is made; none without a real Kafka.
    pub fn send_candles(&self) -> Option<String> {
        let Broker::Real(kafka) = &self.broker else { return None };
        let topic = kafka.topic("candles", 2);
        let manifest = fs::read_to_string(self.manifest()).unwrap();
        let table = format!("[trigger.kafka.windows.kafka]\ntopic = \"{topic}\"\n\n[component.parse-market]");
        assert_eq!(manifest.matches("[component.parse-market]").count(), 1);
        fs::write(self.manifest(), manifest.replace("[component.parse-market]", &table)).unwrap();
        Some(topic)
    }

    /// `tallow up`, which runs the feed and the pipeline.
    pub fn start_up(&self) -> Running {
        let (manifest, lake) = (self.manifest().display().to_string(), self.lake().display().to_string());
        tallow::start(&["up", "-f", &manifest, "--lake", &lake, "--brokers", &self.brokers()])
    }

    pub fn brokers(&self) -> String {
        match &self.broker {
            Broker::Real(kafka) => kafka.bootstrap.clone(),
            Broker::Mock(cluster) => cluster.bootstrap_servers(),
        }
    }

    pub fn lake(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    pub fn manifest(&self) -> PathBuf {
        self.place.path().join("spin.toml")
    }

    pub fn start(&self) -> Running {
        let manifest = self.manifest().display().to_string();
        let brokers = self.brokers();
        tallow::start(&[
            "produce",
            "--source",
            "feed",
            "--feed",
            "exchange",
            "-f",
            &manifest,
            "--brokers",
            &brokers,
            "--json",
        ])
    }

    /// What the topic holds, by key: ids, and holes as `first-last`.
    pub fn held(&self) -> BTreeMap<String, Vec<String>> {
        let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in consume(&self.brokers(), &self.topic) {
            let value: Value = serde_json::from_str(&value).unwrap();
            let shown = match value["e"].as_str() {
                Some("hole") => format!("{}-{}", value["first"], value["last"]),
                Some("trade") => value["t"].to_string(),
                _ => value["trade_id"].to_string(),
            };
            held.entry(key).or_default().push(shown);
        }
        held
    }

    /// Whether the last id of every symbol is in the topic.
    pub fn is_complete(&self) -> bool {
        let held = self.held();
        self.market.is_over()
            && self.market.ids().iter().all(|(symbol, ids)| {
                held.get(symbol).and_then(|held| held.last()) == Some(&ids.last().unwrap().to_string())
            })
    }

    /// Runs the feed until the topic is complete, then asks it to leave.
    pub fn run(&self) -> Finished {
        self.finish(self.start())
    }

    pub fn finish(&self, running: Running) -> Finished {
        running.stop_when(now_and_then(|| self.is_complete())).success()
    }

    /// Fails unless the topic holds every id once, in order.
    pub fn compare_ids(&self) {
        let expected: BTreeMap<String, Vec<String>> = self
            .market
            .ids()
            .into_iter()
            .map(|(symbol, ids)| (symbol, ids.iter().map(i64::to_string).collect()))
            .collect();
        for (symbol, held) in self.held() {
            let wrong = held.iter().zip(&expected[&symbol]).position(|(held, expected)| held != expected);
            assert_eq!(
                wrong,
                None,
                "{symbol}: {} instead of {}",
                held[wrong.unwrap()],
                expected[&symbol][wrong.unwrap()]
            );
            assert_eq!(held.len(), expected[&symbol].len(), "{symbol}");
        }
        assert_eq!(self.held().len(), expected.len());
    }

    /// The pipeline over the topic: its candles.
    pub fn candles(&self) -> Vec<Row> {
        let lake = self.lake().display().to_string();
        tallow::run(&tallow::drain(&self.manifest(), &lake, &self.brokers())).success();
        lake::table(&self.lake(), "speed/candles_1m")
    }
}

/// Looks at each 300th call: reading a topic takes longer than a look at a process.
pub fn now_and_then(look: impl Fn() -> bool) -> impl FnMut() -> bool {
    let mut calls = 0;
    move || {
        calls += 1;
        calls % 300 == 0 && look()
    }
}
