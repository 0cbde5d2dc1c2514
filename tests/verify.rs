//! `tallow verify` as it is typed, on what the built program made of a real Kafka's topic: proved, forged, and gone.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tallow_tests::kafka::Kafka;
use tallow_tests::messages::{Message, produce};
use tallow_tests::{paths, tallow};
use tempfile::TempDir;

const SYMBOLS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
const TRADES: i64 = 6_000;

/// Ten trades a second of each symbol, on a partition of its own; one in a thousand is broken.
fn trades() -> Vec<Message> {
    let trade = |id: i64, partition: i32| {
        let (symbol, ms) = (SYMBOLS[partition as usize], 1_723_161_600_000 + id * 100);
        let price = format!("{}.{:02}", 60_000 + id % 97, id % 100);
        let value = match id % 1000 {
            999 => format!(r#"{{"e":"trade","t":{id}"#),
            _ => format!(
                r#"{{"e":"trade","E":{ms},"s":"{symbol}","t":{id},"p":"{price}","q":"0.015","T":{ms},"m":true,"M":true}}"#
            ),
        };
        Message { partition: Some(partition), value: Some(value.into_bytes()), ..Message::default() }
    };
    (0..TRADES).flat_map(|id| (0..SYMBOLS.len() as i32).map(move |partition| trade(id, partition))).collect()
}

/// A lake, and the manifest that fills it from a topic.
struct Scene {
    place: TempDir,
    brokers: String,
}

impl Scene {
    fn new(kafka: &Kafka, topic: &str, archive: bool) -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut manifest = fs::read_to_string(paths::root().join("spin.toml")).unwrap();
        for (from, to) in [
            ("topic = \"trades\"", format!("topic = \"{topic}\"\narchive = {archive}")),
            ("max-records = 1_000_000", "max-records = 1000".to_owned()),
            ("golden = \"functions/", format!("golden = \"{}/functions/", paths::root().display())),
            ("\"target/functions/", format!("\"{}/", paths::functions().display())),
        ] {
            assert!(manifest.contains(from), "spin.toml has no `{from}`");
            manifest = manifest.replace(from, &to);
        }
        fs::write(place.path().join("spin.toml"), manifest).unwrap();
        Self { place, brokers: kafka.bootstrap.clone() }
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

    /// Runs until the topic is drained, and is killed on the way.
    fn fill(&self) {
        let drain = self.command(&["up", "--available-now", "--close-all"]);
        tallow::start(&drain).kill_when(|| tallow::log_records(&self.lake()) >= 4);
        tallow::run(&drain).success();
    }

    /// What `tallow verify` says, and its exit code.
    fn verify(&self, more: &[&str]) -> (Value, i32) {
        let arguments: Vec<&str> = ["verify", "--json"].into_iter().chain(more.iter().copied()).collect();
        let finished = tallow::run(&self.command(&arguments));
        let last = finished.stdout.lines().last().unwrap_or_else(|| panic!("{}", finished.stderr));
        (serde_json::from_str(last).unwrap(), finished.status.code().unwrap())
    }
}

fn some_file(folder: &Path) -> PathBuf {
    let mut entries: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let first = entries.remove(0);
    if first.is_dir() { some_file(&first) } else { first }
}

#[test]
fn commits_are_proved_from_the_archive_once_records_are_gone() {
    let test = "commits_are_proved_from_the_archive_once_records_are_gone";
    let mut kafka = match Kafka::start() {
        Ok(kafka) => kafka,
        Err(why) => return tallow_tests::skip_unless_ci(test, &why),
    };
    let topic = kafka.topic("trades", SYMBOLS.len() as i32);
    produce(&kafka.bootstrap, &topic, &trades());
    let [plain, archived] = [false, true].map(|archive| Scene::new(&kafka, &topic, archive));
    for scene in [&plain, &archived] {
        scene.fill();
        let (said, code) = scene.verify(&[]);
        assert_eq!((said["verdict"].as_str(), code), (Some("proved"), 0), "{said:#}");
        assert_eq!(said["report"]["records"], 2 * TRADES, "{said:#}");
        assert!(said["report"]["epochs"].as_u64().unwrap() >= 12, "{said:#}");
    }

    let forged = some_file(&plain.lake().join("speed/candles_1m"));
    let whole = fs::read(&forged).unwrap();
    let mut bytes = whole.clone();
    bytes[whole.len() / 3] ^= 1;
    fs::write(&forged, &bytes).unwrap();
    let (said, code) = plain.verify(&[]);
    assert_eq!((said["verdict"].as_str(), code), (Some("wrong"), 65), "{said:#}");
    let name = forged.strip_prefix(plain.lake()).unwrap().to_str().unwrap();
    assert!(said["report"]["wrong"].as_array().unwrap().iter().all(|it| it["object"] == name), "{said:#}");
    fs::write(&forged, whole).unwrap();

    kafka.delete_before(&topic, 0, 1_500);
    let (said, code) = plain.verify(&[]);
    assert_eq!((said["verdict"].as_str(), code), (Some("proved"), 0), "{said:#}");
    assert_eq!(said["report"]["beyond"].as_array().unwrap().len(), 1, "{said:#}");
    let (said, code) = plain.verify(&["--from", "1"]);
    assert_eq!((said["verdict"].as_str(), code), (Some("not-all-proved"), 66), "{said:#}");
    let gone = said["report"]["unprovable"].as_array().unwrap();
    assert_eq!(gone.len(), 1, "{said:#}");
    let offsets = &gone[0]["offsets"];
    let range = (offsets["partition"].as_i64(), offsets["from"].as_i64(), offsets["to"].as_i64());
    assert_eq!(range, (Some(0), Some(0), Some(1_500)), "{said:#}");
    let (said, code) = plain.verify(&["--last", "3"]);
    assert_eq!(code, 0, "the newest records are there: {said:#}");

    let (said, code) = archived.verify(&[]);
    assert_eq!((said["verdict"].as_str(), code), (Some("proved"), 0), "{said:#}");
    kafka.kill();
    let (said, code) = archived.verify(&[]);
    assert_eq!((said["verdict"].as_str(), code), (Some("proved"), 0), "nobody has to be asked: {said:#}");
    let (said, code) = plain.verify(&["--last", "3"]);
    assert_eq!((said["verdict"].as_str(), code), (Some("unreachable"), 69), "{said:#}");
    assert!(said["report"]["files"].as_u64().unwrap() > 0, "files need no broker: {said:#}");
}
