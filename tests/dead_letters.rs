//! `tallow dead-letters`: what a pipeline set aside is counted, shown, and sent again.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;
use tallow_tests::folder::Folder;
use tallow_tests::{lake, paths, tallow};
use tempfile::TempDir;

/// Dead letters of the folder's messages, as its `expected` says: 2 and 11 among them, 5 and 9 not.
const LETTERS: u64 = 10;

struct Scene {
    folder: Folder,
    place: TempDir,
}

impl Scene {
    /// A pipeline that has set broken messages aside.
    fn new() -> Self {
        let (folder, place) = (Folder::open("broken-messages"), tempfile::tempdir().unwrap());
        fs::write(place.path().join("spin.toml"), folder.manifest(1)).unwrap();
        let scene = Self { folder, place };
        scene.up();
        scene
    }

    fn lake(&self) -> String {
        self.place.path().join("lake").display().to_string()
    }

    fn up(&self) {
        let manifest = self.place.path().join("spin.toml");
        tallow::run(&tallow::drain(&manifest, &self.lake(), &self.folder.brokers())).success();
    }

    fn letters(&self, arguments: &[&str]) -> tallow::Finished {
        let manifest = self.place.path().join("spin.toml").display().to_string();
        let (lake, brokers) = (self.lake(), self.folder.brokers());
        let mut all = vec!["dead-letters"];
        all.extend(arguments);
        all.extend(["-f", &manifest, "--lake", &lake, "--brokers", &brokers]);
        tallow::run(&all)
    }

    /// The summary of a replay into the pipeline's own topic: records that were sent, and letters by what became of them.
    fn replay(&self) -> (u64, Value) {
        let done = self.letters(&["replay", "--to", "trades", "--yes", "--json"]).success();
        let summary: Value = serde_json::from_str(done.stdout.lines().last().unwrap()).unwrap();
        (summary["records"].as_u64().unwrap(), summary["letters"].clone())
    }

    fn count(&self) -> u64 {
        let listed = self.letters(&["list", "--json"]).success().stdout;
        serde_json::from_str::<Value>(&listed).unwrap()["pipelines"][0]["letters"].as_u64().unwrap()
    }
}

#[test]
fn dead_letters_are_counted_by_reason_and_shown_with_bytes() {
    let scene = Scene::new();
    let listed = scene.letters(&["list"]).success().stdout;
    assert!(listed.starts_with("trades: 10 dead letters in "), "{listed}");
    assert!(listed.contains("trades/0/1 ") && listed.contains("rejected"), "{listed}");
    let json = scene.letters(&["list", "--json", "--offset", "2-4"]).success().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let reasons = json["pipelines"][0]["reasons"].as_array().unwrap();
    assert_eq!(reasons.iter().map(|it| it["letters"].as_u64().unwrap()).sum::<u64>(), 3);

    let shown = scene.letters(&["show", "--offset", "2"]).success().stdout;
    assert!(shown.starts_with("trades/0/2  ") && shown.contains("  rejected: "), "{shown}");
    assert!(shown.contains("6e 6f 74 20 6a 73 6f 6e  20 61 74 20 61 6c 6c"), "{shown}");
    assert!(shown.contains("|not json at all|"), "{shown}");
    let odd = scene.letters(&["show", "--offset", "3", "--json"]).success().stdout;
    let odd: Value = serde_json::from_str(&odd).unwrap();
    assert_eq!((&odd["value"], odd["value_base64"].as_str()), (&Value::Null, Some("//57ImUiOiJ0cmFkZSJ9")));
    let some = scene.letters(&["show", "--limit", "3", "--json"]).success();
    assert_eq!(some.stdout.lines().count(), 3);
    assert!(some.stderr.contains("3 dead letters shown, and there are more"), "{}", some.stderr);
    assert!(scene.letters(&["show", "--reason", "trap"]).success().stdout.contains("no such dead letter"));
    assert!(scene.letters(&["show", "--since", "tomorrow"]).stderr.contains("write how long ago"));
}

#[test]
fn a_replayed_record_that_dies_again_carries_a_count() {
    let scene = Scene::new();
    let dead = |records: u64, generation: u64| {
        scene.up();
        assert_eq!(scene.count(), LETTERS * generation, "all are still broken");
        assert_eq!(records, LETTERS);
    };
    for generation in 1..=3 {
        let (records, letters) = scene.replay();
        assert_eq!(letters["sent_before"], LETTERS * (generation - 1), "{letters}");
        dead(records, generation + 1);
    }
    // The newest were sent three times, and the others before.
    let (records, letters) = scene.replay();
    assert_eq!((records, &letters["exhausted"]), (0, &Value::from(LETTERS)), "{letters}");
    assert_eq!(letters["sent_before"], LETTERS * 3);
    let said = scene.letters(&["replay", "--to", "trades", "--yes"]).success().stdout;
    assert!(said.contains("0 records of 40 dead letters sent"), "{said}");
    assert!(said.contains("sent 3 times, and died each time (--most-replays)"), "{said}");
    let rows = lake::table(scene.place.path().join("lake").as_path(), "dead-letter/trades");
    assert!(rows.iter().filter(|row| row["value"] == "not json at all").count() == 4, "the bytes stay");
}

#[test]
fn replayed_records_say_where_they_come_from() {
    let scene = Scene::new();
    let sent = scene.letters(&["replay", "--to", "trades", "--yes", "--offset", "2"]).success().stdout;
    assert!(sent.starts_with("trades: 1 record of 1 dead letter sent to the topic `trades`"), "{sent}");
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", scene.folder.brokers())
        .set("group.id", "test")
        .create()
        .unwrap();
    let mut from = TopicPartitionList::new();
    // The folder has 16 messages.
    from.add_partition_offset("trades", 0, Offset::Offset(16)).unwrap();
    consumer.assign(&from).unwrap();
    let record = consumer.poll(Duration::from_secs(20)).unwrap().unwrap();
    assert_eq!(record.payload(), Some(&b"not json at all"[..]));
    let headers = record.headers().unwrap();
    let said = |name: &str| {
        let header = headers.iter().find(|header| header.key == name).unwrap();
        String::from_utf8(header.value.unwrap().to_vec()).unwrap()
    };
    let place = ["tallow.pipeline", "tallow.topic", "tallow.partition", "tallow.offset"].map(said);
    assert_eq!(place, ["trades", "trades", "0", "2"]);
    assert_eq!([said("tallow.reason-kind"), said("tallow.replays")], ["rejected", "1"]);
}

#[test]
fn a_replay_asks_first_and_says_what_it_cannot_do() {
    let scene = Scene::new();
    let asked = scene.letters(&["replay", "--to", "trades"]);
    assert_eq!(asked.status.code(), Some(2));
    assert!(asked.stderr.contains("this would send 10 records"), "{}", asked.stderr);
    assert!(asked.stderr.contains("confirm with --yes"), "{}", asked.stderr);
    let fixed = paths::functions().join("parse-market.wasm").display().to_string();
    let with = scene.letters(&["replay", "--with", &fixed]);
    assert_eq!(with.status.code(), Some(2));
    assert!(
        with.stderr.contains("this would read the topic of `trades` again from commit "),
        "{}",
        with.stderr
    );
    let missing = scene.letters(&["replay", "--with", "nowhere.wasm", "--yes"]);
    assert_eq!(missing.status.code(), Some(2), "{}", missing.stderr);
    assert!(missing.stderr.contains("nowhere.wasm"), "{}", missing.stderr);
    assert_eq!(scene.count(), LETTERS, "nothing was sent");
}
