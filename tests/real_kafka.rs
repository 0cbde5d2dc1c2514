//! Recorded trades through a real Kafka and the built program: the candles are the reference's to the last
//! digit, however often the program is killed.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tallow_env::{Clock, Random, SeededRandom, SystemClock};
use tallow_source::{Config, KafkaSource, OnDataLoss, Source, Topics};
use tallow_tests::kafka::Kafka;
use tallow_tests::lake::{self, Row};
use tallow_tests::ledger::Ledger;
use tallow_tests::messages::{Message, produce};
use tallow_tests::recordings::{self, Recorded};
use tallow_tests::{paths, reference, tallow};
use tempfile::TempDir;

/// Each on a partition of its own.
const SYMBOLS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];

/// Small enough that a run of the recordings has a dozen epochs.
const EPOCH_RECORDS: usize = 15_000;

/// Windows of the manifest's pipeline `candles`: their table and size in microseconds.
const TABLES: [(&str, i64); 2] = [("speed/candles_1m", 60_000_000), ("speed/candles_1d", 86_400_000_000)];

#[test]
fn recorded_trades_become_the_references_candles() {
    let test = "recorded_trades_become_the_references_candles";
    let Some(market) = Market::record(test) else { return };
    let scene = market.scene();
    scene.start().wait().success();
    market.compare(&scene);
    market.balance(&scene);
}

#[test]
fn a_program_killed_again_and_again_gives_the_same_candles() {
    let test = "a_program_killed_again_and_again_gives_the_same_candles";
    let Some(market) = Market::record(test) else { return };
    for seed in [1, 2] {
        let scene = market.scene();
        let kills = scene.kill_at_random(&SeededRandom::new(seed));
        assert!(kills > 0, "seed {seed}: no run lived long enough to be killed");
        scene.start().wait().success();
        market.compare(&scene);
        market.balance(&scene);
    }
}

#[test]
fn messages_survive_a_broker_that_is_killed() {
    let test = "messages_survive_a_broker_that_is_killed";
    let mut kafka = match Kafka::start() {
        Ok(kafka) => kafka,
        Err(why) => return tallow_tests::skip_unless_ci(test, &why),
    };
    let topic = kafka.topic("trades", 1);
    let trade = r#"{"e":"trade","E":1,"s":"AB","t":1,"p":"2","q":"3","T":1704067200000}"#;
    let message = Message { value: Some(trade.into()), ..Message::default() };
    produce(&kafka.bootstrap, &topic, &[message]);
    kafka.kill();
    kafka.resume();

    let scene = Scene::new(&kafka.bootstrap, &topic);
    scene.start().wait().success();
    let expected: Vec<Row> =
        reference::candles([trade], 60_000_000).iter().map(|candle| candle.row()).collect();
    lake::assert_same_rows("after the restart", &expected, &lake::table(&scene.lake(), "speed/candles_1m"));
}

#[test]
fn a_broker_that_is_away_is_reported_once_and_when_it_is_back() {
    let test = "a_broker_that_is_away_is_reported_once_and_when_it_is_back";
    let mut kafka = match Kafka::start() {
        Ok(kafka) => kafka,
        Err(why) => return tallow_tests::skip_unless_ci(test, &why),
    };
    let topic = kafka.topic("trades", 1);
    let message = |second| Message { value: Some(trade("AB", second).into()), ..Message::default() };
    produce(&kafka.bootstrap, &topic, &[message(0)]);
    let scene = Scene::new(&kafka.bootstrap, &topic);
    let running = tallow::start(&scene.command(&["up"]));
    let said = running.stderr_file();
    let says = |what: &str| fs::read_to_string(&said).unwrap_or_default().contains(what);
    let mut killed = false;
    let mut resumed = false;
    let ended = running.stop_when(|| {
        if !killed && says("owns its log") {
            kafka.kill();
            killed = true;
        }
        if killed && !resumed && says("no broker answers") {
            kafka.resume();
            resumed = true;
        }
        resumed && says("the brokers answer again")
    });
    let ended = ended.success();
    // A broker takes less than a minute to start.
    assert_eq!(ended.stderr.matches("no broker answers").count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.lines().count() < 20, "{}", ended.stderr);
}

#[test]
fn how_long_a_topic_keeps_its_records_is_known() {
    let test = "how_long_a_topic_keeps_its_records_is_known";
    let Some(kafka) = Kafka::shared(test) else { return };
    for (retention_ms, known) in [("600000", Some(Duration::from_secs(600))), ("-1", None)] {
        let topic = kafka.topic_that_keeps("kept", 1, retention_ms);
        let source = KafkaSource::new(Config {
            brokers: kafka.bootstrap.clone(),
            client: BTreeMap::new(),
            topics: Topics::Names(vec![topic]),
            on_data_loss: OnDataLoss::Halt,
            group_for_lag: None,
            clock: Arc::new(SystemClock::new()),
        });
        assert_eq!(source.unwrap().retention().unwrap(), known, "retention.ms = {retention_ms}");
    }
}

/// A trade a second of one symbol, ids from 0 on.
fn trade(symbol: &str, second: i64) -> String {
    let ms = 1_704_067_200_000 + second * 1000;
    format!(
        r#"{{"e":"trade","E":{ms},"s":"{symbol}","t":{second},"p":"2","q":"3","T":{ms},"m":true,"M":true}}"#
    )
}

#[test]
fn partitions_that_are_empty_or_end_early_hold_nothing_back() {
    let test = "partitions_that_are_empty_or_end_early_hold_nothing_back";
    let Some(kafka) = Kafka::shared(test) else { return };
    // Three partitions: one is empty, one ends a minute and a half before the other.
    let topic = kafka.topic("uneven", 3);
    let on = |partition: i32, symbol: &str, seconds: i64| {
        let messages: Vec<Message> = (0..seconds)
            .map(|second| Message {
                value: Some(trade(symbol, second).into()),
                partition: Some(partition),
                ..Message::default()
            })
            .collect();
        produce(&kafka.bootstrap, &topic, &messages);
    };
    on(1, "AB", 90);
    on(2, "CD", 190);
    let scene = Scene::new(&kafka.bootstrap, &topic);
    let drained = tallow::run(&scene.command(&["up", "--available-now"])).success().stdout;
    assert!(drained.contains("watermark 2024-01-01 00:03:07.000Z"), "{drained}");
    let mut closed: Vec<(String, String)> = lake::table(&scene.lake(), "speed/candles_1m")
        .into_iter()
        .map(|row| (row["symbol"].clone(), row["window_start"].clone()))
        .collect();
    closed.sort();
    let minute = |symbol: &str, minute: i64| (symbol.to_owned(), format!("2024-01-01T00:0{minute}:00Z"));
    let expected = [minute("AB", 0), minute("AB", 1), minute("CD", 0), minute("CD", 1), minute("CD", 2)];
    assert_eq!(closed, expected);
    // Again and again nothing happens to it.
    for _ in 0..2 {
        let again = tallow::run(&scene.command(&["up", "--available-now"])).success().stdout;
        assert!(
            again.contains("0 records") && again.contains("watermark 2024-01-01 00:03:07.000Z"),
            "{again}"
        );
    }
}

#[test]
fn a_pipeline_starts_at_a_time_of_its_topic() {
    let Some(kafka) = Kafka::shared("a_pipeline_starts_at_a_time_of_its_topic") else { return };
    let topic = kafka.topic("from-a-time", 3);
    // Minute by minute from 2024-01-01 on, in turn into two partitions; into the third one older than the time alone.
    let sent = |minute: i64, partition: i32| {
        let at_ms = 1_704_067_200_000 + 60_000 * minute;
        let trade = format!(r#"{{"e":"trade","E":1,"s":"AB","t":{minute},"p":"2","q":"3","T":{at_ms}}}"#);
        let (timestamp_ms, partition) = (Some(at_ms), Some(partition));
        Message { timestamp_ms, partition, value: Some(trade.into()), ..Message::default() }
    };
    let mut messages: Vec<Message> = (0..20).map(|minute| sent(minute, (minute % 2) as i32)).collect();
    messages.push(sent(3, 2));
    produce(&kafka.bootstrap, &topic, &messages);
    let scene = Scene::new(&kafka.bootstrap, &topic);
    let manifest = scene.place.path().join("spin.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let line = format!("topic = \"{topic}\"");
    let time = "starting-offsets = { time = \"2024-01-01T00:12:30Z\" }";
    fs::write(&manifest, text.replace(&line, &format!("{line}\n{time}"))).unwrap();
    scene.start().wait().success();
    // Minutes 13 to 19: one a candle.
    assert_eq!(Ledger::of(&scene.status()).records(), 7);
    let starts = |scene: &Scene| -> Vec<String> {
        let rows = lake::table(&scene.lake(), "speed/candles_1m");
        rows.iter().map(|row| row["window_start"].clone()).collect()
    };
    let mut found = starts(&scene);
    found.sort();
    let minute = |minute: i64| lake::time(1_704_067_200_000_000 + 60_000_000 * minute);
    assert_eq!(found, (13..20).map(minute).collect::<Vec<_>>());
    // From then on the checkpoint counts, whatever time a record bears.
    produce(&kafka.bootstrap, &topic, &[sent(20, 0), sent(4, 2)]);
    let said = scene.start().wait().success();
    assert!(said.stderr.contains("`starting-offsets` is not used"), "{}", said.stderr);
    assert_eq!(Ledger::of(&scene.status()).records(), 9);
}

/// The recordings in a topic, keyed by symbol.
struct Market {
    kafka: &'static Kafka,
    topic: String,
    recorded: Vec<Recorded>,
}

impl Market {
    /// None, after saying why, where there is no Kafka or no recording.
    fn record(test: &str) -> Option<Self> {
        let mut recorded = Vec::new();
        for symbol in SYMBOLS {
            recorded.extend(recordings::trades(test, symbol)?);
        }
        recorded.sort_by_key(|recorded| recorded.received_ns);
        let kafka = Kafka::shared(test)?;
        let topic = kafka.topic("trades", SYMBOLS.len() as i32);
        let messages: Vec<Message> = recorded
            .iter()
            .map(|recorded| Message {
                key: Some(recorded.symbol.clone().into_bytes()),
                timestamp_ms: Some(recorded.received_ns / 1_000_000),
                value: Some(recorded.message.clone().into_bytes()),
                partition: SYMBOLS
                    .iter()
                    .position(|symbol| *symbol == recorded.symbol)
                    .map(|index| index as i32),
                ..Message::default()
            })
            .collect();
        produce(&kafka.bootstrap, &topic, &messages);
        Some(Self { kafka, topic, recorded })
    }

    fn scene(&self) -> Scene {
        Scene::new(&self.kafka.bootstrap, &self.topic)
    }

    fn compare(&self, scene: &Scene) {
        for (table, window_us) in TABLES {
            let messages = self.recorded.iter().map(|recorded| recorded.message.as_str());
            let expected: Vec<Row> =
                reference::candles(messages, window_us).iter().map(|candle| candle.row()).collect();
            let rows = lake::table(&scene.lake(), table);
            lake::assert_same_rows(table, &expected, &rows);
            lake::assert_no_duplicates(&rows, &["symbol"]);
        }
    }

    /// The ledger accounts for every message that was produced.
    fn balance(&self, scene: &Scene) {
        let ledger = Ledger::of(&scene.status());
        ledger.assert_balanced();
        let trades =
            self.recorded.iter().filter(|recorded| recorded.message.contains(r#""e":"trade""#)).count();
        assert_eq!(ledger.records(), self.recorded.len() as u64, "records");
        assert_eq!(ledger.with_rows(), trades as u64, "records with rows");
        for (table, _) in TABLES {
            let window = table.rsplit('_').next().unwrap();
            assert_eq!(ledger.assignments(window), trades as u64, "assignments of {window}");
        }
    }
}

/// One lake, and the runs that fill it.
struct Scene {
    place: TempDir,
    brokers: String,
}

impl Scene {
    /// The checkout's manifest, with that topic and smaller epochs.
    fn new(brokers: &str, topic: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut manifest = fs::read_to_string(paths::root().join("spin.toml")).unwrap();
        let functions = format!("\"{}/", paths::functions().display());
        for (from, to) in [
            ("topic = \"trades\"", format!("topic = \"{topic}\"")),
            ("max-records = 1_000_000", format!("max-records = {EPOCH_RECORDS}")),
            ("golden = \"functions/", format!("golden = \"{}/functions/", paths::root().display())),
            ("\"target/functions/", functions),
        ] {
            assert!(manifest.contains(from), "spin.toml has no `{from}`");
            manifest = manifest.replace(from, &to);
        }
        fs::write(place.path().join("spin.toml"), manifest).unwrap();
        Self { place, brokers: brokers.to_owned() }
    }

    fn lake(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    fn command<'a>(&'a self, first: &[&'a str]) -> Vec<String> {
        let manifest = self.place.path().join("spin.toml").display().to_string();
        let lake = self.lake().display().to_string();
        let rest = ["-f", &manifest, "--lake", &lake, "--brokers", &self.brokers, "--only", "candles"];
        first.iter().copied().chain(rest).map(str::to_owned).collect()
    }

    fn start(&self) -> tallow::Running {
        tallow::start(&self.command(&["up", "--available-now", "--close-all"]))
    }

    fn status(&self) -> String {
        tallow::run(&self.command(&["status", "--json"])).success().stdout
    }

    /// Starts runs and kills each, some commits and a moment after its start, until one ends by itself.
    fn kill_at_random(&self, random: &dyn Random) -> usize {
        const MOST_KILLS: usize = 12;
        let clock = SystemClock::new();
        for kills in 0..MOST_KILLS {
            let seen = tallow::log_records(&self.lake());
            let records = seen + random.below(4) as usize;
            let moment = Duration::from_micros(random.below(60_000));
            let killed = self.start().kill_when(|| {
                let reached = tallow::log_records(&self.lake()) >= records;
                if reached {
                    clock.sleep(moment);
                }
                reached
            });
            if !killed {
                return kills;
            }
        }
        MOST_KILLS
    }
}
