//! Chains on a real Kafka: trades, the same trades under the key of their symbol, minutes of these in a topic, hours of the
//! minutes. They are the hours that come straight from the trades, also where minutes are revised on the way.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tallow_tests::kafka::Kafka;
use tallow_tests::messages::{Message, consume, produce};
use tallow_tests::{lake, paths, results, tallow};
use tempfile::TempDir;

const HOURS: i64 = 3;
/// Columns of an hour that the chain keeps. What ids say, it does not.
const KEPT: [&str; 9] =
    ["symbol", "window_start", "window_end", "open", "high", "low", "close", "volume", "trades"];

/// A trade of each of two symbols every seven seconds, for three hours and five minutes more, without a key.
fn trades() -> Vec<Message> {
    let trade = |id: i64, symbol: &str, shift: i64| {
        let ms = 1_704_067_200_000 + id * 7000;
        let (price, quantity) = (100 + id * id % 37 + shift, 1 + id % 11);
        let value = format!(
            r#"{{"e":"trade","E":{ms},"s":"{symbol}","t":{id},"p":"{price}.{:02}","q":"0.{quantity:02}","T":{ms},"m":true,"M":true}}"#,
            id % 100
        );
        Message { partition: Some(1), value: Some(value.into_bytes()), ..Message::default() }
    };
    (0..(HOURS * 3600 + 300) / 7).flat_map(|id| [trade(id, "AB", 0), trade(id, "CD", 1)]).collect()
}

struct Scene {
    place: TempDir,
    brokers: String,
    trades: String,
    keyed: String,
}

impl Scene {
    fn new(kafka: &Kafka, mode: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let (trades, keyed) = (kafka.topic("trades", 4), kafka.topic("keyed", 2));
        let manifest = include_str!("chains/spin.toml")
            .replace("{functions}", &paths::functions().display().to_string())
            .replace("trades-in", &trades)
            .replace("trades-keyed", &keyed)
            .replace("minutes-out", &kafka.topic("minutes", 2))
            .replace("mode = \"append\"", &format!("mode = \"{mode}\""));
        fs::write(place.path().join("spin.toml"), manifest).unwrap();
        Self { place, brokers: kafka.bootstrap.clone(), trades, keyed }
    }

    fn lake(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    fn arguments(&self, command: &[&str], more: &[&str]) -> Vec<String> {
        let (manifest, lake) = (self.place.path().join("spin.toml"), self.lake());
        let [manifest, lake] = [manifest, lake].map(|path| path.display().to_string());
        let place = ["-f", &manifest, "--lake", &lake, "--brokers", &self.brokers];
        command.iter().chain(&place).chain(more).map(|text| (*text).to_owned()).collect()
    }

    fn start(&self, pipeline: &str, more: &[&str]) -> tallow::Running {
        let options = [&["--available-now", "--only", pipeline], more].concat();
        tallow::start(&self.arguments(&["up"], &options))
    }

    /// Runs a pipeline until its topic is drained, killed on the way so many times. How often it was.
    fn drain(&self, pipeline: &str, kills: usize, more: &[&str]) -> usize {
        let killed = (0..kills).filter(|_| {
            let seen = tallow::log_records(&self.lake());
            self.start(pipeline, more).kill_when(|| tallow::log_records(&self.lake()) >= seen + 3)
        });
        let killed = killed.count();
        self.start(pipeline, more).wait().success();
        killed
    }

    /// Runs the chain's pipelines one after the other.
    fn drain_chain(&self, kills: usize, more: &[&str]) -> usize {
        let killed = self.drain("by-symbol", kills, &[]) + self.drain("minutes", kills, more);
        killed + self.drain("hours", kills, &[])
    }

    fn hours(&self, table: &str) -> Vec<lake::Row> {
        let mut rows = lake::table(&self.lake(), table);
        rows.iter_mut().for_each(|row| row.retain(|column, _| KEPT.contains(&column.as_str())));
        rows
    }

    /// Fails unless the chain's hours are those of the trades, and every result of each pipeline is proved.
    fn compare(&self, what: &str) {
        self.drain("direct", 0, &[]);
        let expected = self.hours("speed/direct_1h");
        assert_eq!(expected.len() as i64, 2 * HOURS, "the hours that have closed");
        lake::assert_same_rows(what, &expected, &self.hours("speed/hours_1h"));
        lake::assert_no_duplicates(&lake::table(&self.lake(), "speed/hours_1h"), &["symbol"]);
        let verified = tallow::run(&self.arguments(&["verify"], &[])).success();
        assert_eq!(verified.stdout.matches("proved").count(), 4, "{what}: {}", verified.stdout);
    }
}

/// The ids of the trades under each key.
fn ids(scene: &Scene) -> BTreeMap<String, Vec<i64>> {
    let mut ids: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (key, value) in consume(&scene.brokers, &scene.keyed) {
        let trade: Value = serde_json::from_str(&value).unwrap();
        assert_eq!(trade["s"].as_str(), Some(key.as_str()));
        ids.entry(key).or_default().push(trade["t"].as_i64().unwrap());
    }
    ids
}

#[test]
fn hours_of_a_chain_are_those_of_the_trades() {
    let Some(kafka) = Kafka::shared("hours_of_a_chain_are_those_of_the_trades") else { return };
    for (kills, mode) in [(0, "append"), (3, "append"), (2, "update")] {
        let scene = Scene::new(kafka, mode);
        produce(&kafka.bootstrap, &scene.trades, &trades());
        let killed = scene.drain_chain(kills, &[]);
        assert!(killed >= kills, "{killed} kills");
        scene.compare(&format!("mode {mode}, killed {killed} times"));
        let ids = ids(&scene);
        assert_eq!(ids.values().map(Vec::len).sum::<usize>(), trades().len(), "each trade is there once");
        assert!(ids.values().all(|ids| ids.is_sorted()), "a partition's records stay in order");
    }
}

#[test]
fn minutes_that_are_revised_count_once_in_their_hour() {
    let Some(kafka) = Kafka::shared("minutes_that_are_revised_count_once_in_their_hour") else { return };
    let scene = Scene::new(kafka, "append");
    let trades = trades();
    let mut revised = 0;
    for part in trades.chunks(trades.len() / 5) {
        produce(&kafka.bootstrap, &scene.trades, part);
        // Open minutes go out as they are, and again once they have closed.
        scene.drain_chain(1, &["--close-all"]);
        let minutes = lake::table(&scene.lake(), "speed/minutes_1m");
        revised = minutes.iter().filter(|row| row["revision"] != "0").count();
    }
    assert!(revised >= 8, "{revised} revisions");
    scene.compare("with revisions");
}

#[test]
fn records_without_their_key_are_dead_letters() {
    let Some(kafka) = Kafka::shared("records_without_their_key_are_dead_letters") else { return };
    let scene = Scene::new(kafka, "append");
    let manifest = fs::read_to_string(scene.place.path().join("spin.toml")).unwrap();
    let start = manifest.find("[[trigger.kafka]]\nid = \"by-symbol\"").unwrap();
    let end = manifest.find("[[trigger.kafka]]\nid = \"minutes\"").unwrap();
    let pipeline = format!(
        "[[trigger.kafka]]\nid = \"by-user\"\ntopic = \"{}\"\nparse = \"parse-json\"\nrekey = {{ topic = \"{}\", keys = \
         [\"user\", \"side\"], kinds = [\"json\"] }}\n\n[trigger.kafka.schema]\nevent-time = \"at\"\n\n\
         [trigger.kafka.schema.columns]\nuser = {{ type = \"text\", path = \"orders[].user\" }}\nside = {{ type = \"text\", \
         path = \"orders[].side\" }}\nat = {{ type = \"timestamp\", unit = \"ms\" }}\n\n",
        scene.trades, scene.keyed
    );
    let manifest = format!("{}{pipeline}{}", &manifest[..start], &manifest[end..]);
    fs::write(scene.place.path().join("spin.toml"), manifest).unwrap();
    let record = |value: &str, header: &str| Message {
        key: Some("its own".into()),
        partition: Some(0),
        value: Some(value.as_bytes().to_vec()),
        headers: vec![("trace".to_owned(), Some(header.as_bytes().to_vec()))],
        ..Message::default()
    };
    let several = r#"{"at":1704067200000,"orders":[{"user":"ann","side":"b"},{"user":"bob","side":"s"},{"user":"ann","side":"b"}]}"#;
    let keyless = r#"{"at":1704067201000,"orders":[{"user":"ann"},{"user":"eve","side":"s"}]}"#;
    produce(
        &kafka.bootstrap,
        &scene.trades,
        &[record(several, "one"), record(keyless, "two"), record("{}", "three")],
    );
    let finished = scene.start("by-user", &[]).wait().success();
    let said = "by-user: 3 records, 3 under another key, 0 candles";
    assert!(finished.stdout.contains(said), "{}", finished.stdout);
    assert!(finished.stdout.contains("it lacks the key `side`"), "{}", finished.stdout);
    let mut keyed = consume(&scene.brokers, &scene.keyed);
    keyed.sort();
    let key = |user: &str, side: &str| format!(r#"{{"side":"{side}","user":"{user}"}}"#);
    let expected = [
        (key("ann", "b"), several.to_owned()),
        (key("bob", "s"), several.to_owned()),
        (key("eve", "s"), keyless.to_owned()),
    ];
    assert_eq!(keyed, expected);
    let records = results::records(&scene.brokers, &scene.keyed);
    let traces: Vec<_> = records.iter().map(|record| record.header("trace").unwrap()).collect();
    assert_eq!((traces.len(), traces.contains(&"one"), traces.contains(&"two")), (3, true, true));
    assert_eq!(lake::objects(&scene.lake().join("dead-letter")), 1);
    let verified = tallow::run(&scene.arguments(&["verify"], &["--pipeline", "by-user"]));
    assert!(verified.stdout.contains("proved"), "{}{}", verified.stdout, verified.stderr);
}
