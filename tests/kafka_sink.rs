//! Results into topics of a real Kafka, by the built program: a reader of committed records sees each once, whatever is
//! killed, cut or fenced.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tallow_env::{Clock, SeededRandom, SystemClock};
use tallow_sink_kafka::transactions::Transactions;
use tallow_sink_kafka::{Brokers, Config, Record};
use tallow_test_support::transactions::conformance;
use tallow_tests::kafka::Kafka;
use tallow_tests::proxy::{Cut, Proxy};
use tallow_tests::{results, tallow};

#[path = "kafka_sink/probation.rs"]
mod probation;
#[path = "kafka_sink/refused.rs"]
mod refused;
#[path = "kafka_sink/scene.rs"]
mod scene;

use scene::Scene;

const WAITS: &str = "wait to be published";

struct RealBroker {
    kafka: &'static Kafka,
    topic: String,
    brokers: Brokers,
}

impl conformance::Bench for RealBroker {
    fn transactions(&self) -> &dyn Transactions {
        &self.brokers
    }

    fn topic(&self) -> String {
        self.topic.clone()
    }

    fn visible(&self) -> Vec<Record> {
        results::records(&self.kafka.bootstrap, &self.topic)
    }
}

#[test]
fn a_real_broker_keeps_the_promises_of_transactions() {
    let Some(kafka) = Kafka::shared("a_real_broker_keeps_the_promises_of_transactions") else { return };
    conformance::check(|| {
        let topic = kafka.topic("results", 1);
        let brokers = Brokers::new(Config {
            brokers: kafka.bootstrap.clone(),
            client: BTreeMap::new(),
            pipeline: "candles".to_owned(),
            topics: [(topic.clone(), "`topic`".to_owned())].into(),
            marker_topic: format!("markers-of-{topic}"),
            clock: Arc::new(SystemClock::new()),
        });
        brokers.check().unwrap();
        RealBroker { kafka, topic, brokers }
    });
}

#[test]
fn a_reader_sees_each_candle_once_through_kills() {
    let Some(kafka) = Kafka::shared("a_reader_sees_each_candle_once_through_kills") else { return };
    for workers in [1, 4] {
        let scene = Scene::new(kafka, &kafka.bootstrap, "");
        scene.stream.edit("delay = \"2s\"", &format!("delay = \"2s\"\nparse-workers = {workers}"));
        let kills = scene.kill_at_random(&SeededRandom::new(workers));
        assert!(kills >= 5, "{kills} kills");
        scene.start().wait().success();
        scene.compare(&format!("{kills} kills, {workers} workers"));
    }
}

#[test]
fn a_straight_run_gives_json_and_says_where_it_comes_from() {
    let Some(kafka) = Kafka::shared("a_straight_run_gives_json_and_says_where_it_comes_from") else { return };
    let scene = Scene::new(kafka, &kafka.bootstrap, "");
    let table = format!("topic = \"{}\"", scene.topic);
    let style = "decimals = \"number\"\ntimes = \"epoch-ms\"";
    scene.stream.edit(&table, &format!("{table}\n{style}"));
    scene.start().wait().success();
    let records = scene.records();
    let first = String::from_utf8(records[0].value.clone().unwrap()).unwrap();
    let start =
        r#"{"symbol":"AB","window_start":1704067200000,"window_end":1704067260000,"open":100.00000000,"#;
    assert!(first.starts_with(start), "{first}");
    assert_eq!(records[0].header("tallow.window-start"), Some("2024-01-01T00:00:00Z"));
    assert!(records[0].header("tallow.commit").unwrap().contains("/0/"), "{:?}", records[0]);
    let expected = scene.stream.expected().len();
    assert_eq!(records.len(), expected);
}

#[test]
fn a_broker_that_is_killed_meanwhile_is_waited_for() {
    let test = "a_broker_that_is_killed_meanwhile_is_waited_for";
    let mut kafka = match Kafka::start() {
        Ok(kafka) => kafka,
        Err(why) => return tallow_tests::skip_unless_ci(test, &why),
    };
    let scene = Scene::new(&kafka, &kafka.bootstrap, "");
    let running = scene.start();
    let clock = SystemClock::new();
    let begun = clock.ticks();
    while scene.stream.commits() < 6 && clock.ticks().since(begun) < Duration::from_secs(60) {
        clock.sleep(Duration::from_millis(2));
    }
    kafka.kill();
    kafka.resume();
    running.wait().success();
    scene.compare("a broker was killed");
}

/// Cuts the connection at a transaction's end, and looks what becomes of it.
fn cut(test: &str, cut: Cut, kill: bool) {
    let proxy = Proxy::start();
    let kafka = match Kafka::start_behind(Some(proxy.port)) {
        Ok(kafka) => kafka,
        Err(why) => return tallow_tests::skip_unless_ci(test, &why),
    };
    proxy.forward_to(&kafka.bootstrap);
    let scene = Scene::new(&kafka, &format!("127.0.0.1:{}", proxy.port), "");
    proxy.arm(cut);
    let running = scene.start();
    let clock = SystemClock::new();
    let begun = clock.ticks();
    while !(proxy.has_cut() && (kill || running.stderr().contains(WAITS))) {
        assert!(clock.ticks().since(begun) < Duration::from_secs(120), "{}", running.stderr());
        clock.sleep(Duration::from_millis(10));
    }
    // The commit stands in the log, and the topic holds its records or not; nobody has said which.
    if kill {
        assert!(running.kill_when(|| true));
        proxy.open();
        scene.start().wait().success();
    } else {
        proxy.open();
        let ended = running.wait().success();
        assert!(ended.stderr.contains("takes results again"), "{}", ended.stderr);
        assert_eq!(ended.stderr.matches(WAITS).count(), 1, "{}", ended.stderr);
    }
    scene.compare(&format!("{cut:?}, killed: {kill}"));
}

#[test]
fn a_commit_that_the_broker_never_heard_of_is_sent_again() {
    cut("a_commit_that_the_broker_never_heard_of_is_sent_again", Cut::Request, false);
}

#[test]
fn a_commit_whose_answer_was_lost_is_not_sent_again() {
    cut("a_commit_whose_answer_was_lost_is_not_sent_again", Cut::Answer, false);
}

#[test]
fn a_kill_before_the_broker_heard_leaves_nothing_out() {
    cut("a_kill_before_the_broker_heard_leaves_nothing_out", Cut::Request, true);
}

#[test]
fn a_kill_before_the_answer_came_sends_nothing_twice() {
    cut("a_kill_before_the_answer_came_sends_nothing_twice", Cut::Answer, true);
}

#[test]
fn a_zombie_is_fenced_and_publishes_nothing() {
    let Some(kafka) = Kafka::shared("a_zombie_is_fenced_and_publishes_nothing") else { return };
    let mut scene = Scene::new(kafka, &kafka.bootstrap, "");
    // Enough for it to be in the middle when it is stopped.
    scene.stream.trade(5_000);
    let zombie = scene.start();
    let clock = SystemClock::new();
    let begun = clock.ticks();
    while scene.records().is_empty() {
        assert!(clock.ticks().since(begun) < Duration::from_secs(60), "{}", zombie.stderr());
        clock.sleep(Duration::from_millis(5));
    }
    let signal = |signal: &str, id: u32| {
        let sent = std::process::Command::new("kill").args([signal, &id.to_string()]).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP", zombie.id());
    let owner = scene.arguments(&["up"], &["--available-now", "--close-all", "--take-over"]);
    tallow::run(&owner).success();
    signal("-CONT", zombie.id());
    let ended = zombie.wait();
    assert_eq!(ended.status.code(), Some(78), "{}", ended.stderr);
    scene.compare("a zombie woke up");
}

#[test]
fn a_topic_that_was_tampered_with_is_found() {
    let Some(kafka) = Kafka::shared("a_topic_that_was_tampered_with_is_found") else { return };
    let scene = Scene::new(kafka, &kafka.bootstrap, "");
    scene.start().wait().success();
    scene.compare("untouched");
    // The same again, under the same commit: what a reader would take twice.
    let sent = scene.records().remove(3);
    let headers = sent
        .headers
        .iter()
        .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: value.as_deref() }));
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &kafka.bootstrap).create().unwrap();
    let mut record = BaseRecord::<[u8], [u8]>::to(&scene.topic).headers(headers);
    (record.key, record.payload) = (sent.key.as_deref(), sent.value.as_deref());
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(30)).unwrap();
    let verified = tallow::run(&scene.arguments(&["verify"], &[]));
    assert_eq!(verified.status.code(), Some(65), "{}", verified.stdout);
    let seq = sent.header("tallow.commit").unwrap().rsplit('/').next().unwrap();
    let wrong = format!("WRONG    commit {seq}, topics: topic `{}`: 1 records under its name", scene.topic);
    assert!(verified.stdout.contains(&wrong), "{}", verified.stdout);
}

#[test]
fn a_topic_or_a_marker_that_is_missing_stops_before_anything() {
    let Some(kafka) = Kafka::shared("a_topic_or_a_marker_that_is_missing_stops_before_anything") else {
        return;
    };
    let scene = Scene::new(kafka, &kafka.bootstrap, "");
    let table = format!("topic = \"{}\"", scene.topic);
    let line = |text: &str| {
        let manifest = fs::read_to_string(scene.stream.manifest()).unwrap();
        manifest.lines().position(|line| line == text).unwrap() + 1
    };
    scene.stream.edit(&table, "topic = \"nowhere\"");
    let ended = scene.start().wait();
    let place = format!(
        "`trigger.kafka[candles].windows[1m].kafka.topic` ({}:{})",
        scene.stream.manifest().display(),
        line("topic = \"nowhere\"")
    );
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("topic `nowhere` does not exist") && ended.stderr.contains(&place),
        "{}",
        ended.stderr
    );
    assert_eq!(scene.stream.commits(), 0);

    scene.stream.edit("topic = \"nowhere\"", &table);
    scene.start().wait().success();
    // Another marker topic holds no marker, and records were sent.
    scene.stream.edit("delay = \"2s\"", "delay = \"2s\"\nmarker-topic = \"other-markers\"");
    let ended = scene.start().wait();
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("there is no marker") && ended.stderr.contains("write the marker again"),
        "{}",
        ended.stderr
    );
    scene.stream.edit("marker-topic = \"other-markers\"", "");
    scene.start().wait().success();
    scene.compare("put right");
}
