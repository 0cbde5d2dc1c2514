//! Late rows and dead letters in topics.

use std::collections::BTreeMap;
use std::fs;

use tallow_env::SeededRandom;
use tallow_sink_kafka::Record;
use tallow_tests::kafka::Kafka;
use tallow_tests::messages::{Message, produce};
use tallow_tests::{results, tallow};

use crate::scene::Scene;

/// A trade of the first minute.
fn old(id: i64) -> String {
    format!(r#"{{"e":"trade","E":1,"s":"AB","t":{id},"p":"1","q":"1","T":1704067200007}}"#)
}

fn message(key: &[u8], value: &[u8]) -> Message {
    Message { key: Some(key.to_vec()), value: Some(value.to_vec()), partition: Some(0), ..Message::default() }
}

/// A scene with the topics of late rows and of dead letters.
fn scene(kafka: &Kafka) -> (Scene, String, String) {
    let (late, dead) = (kafka.topic("late", 1), kafka.topic("dead", 1));
    let tables = format!(
        "[trigger.kafka.late-rows]\ntopic = \"{late}\"\n\n[trigger.kafka.dead-letters]\ntopic = \"{dead}\"\n"
    );
    (Scene::new(kafka, &kafka.bootstrap, &tables), late, dead)
}

/// The topic that the pipeline reads.
fn source(scene: &Scene) -> String {
    let manifest = fs::read_to_string(scene.stream.manifest()).unwrap();
    let topic = manifest.lines().find_map(|line| line.strip_prefix("topic = ")).unwrap();
    topic.trim_matches('"').to_owned()
}

/// How often each record of the source is there, by its offset.
fn offsets(records: &[Record]) -> BTreeMap<i64, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        let offset: i64 = record.header("tallow.offset").unwrap().parse().unwrap();
        *counts.entry(offset).or_default() += 1;
    }
    counts
}

#[test]
fn refused_rows_reach_their_topics_once_through_kills() {
    let Some(kafka) = Kafka::shared("refused_rows_reach_their_topics_once_through_kills") else { return };
    for workers in [1, 4] {
        let (mut scene, late, dead) = scene(kafka);
        scene.stream.edit("delay = \"2s\"", &format!("delay = \"2s\"\nparse-workers = {workers}"));
        let topic = source(&scene);
        // Hours behind the watermark, so late wherever epochs are cut.
        for round in 0..8 {
            let refused = (0..4).flat_map(|number| {
                let late = old(9000 + round * 4 + number);
                [message(b"AB", late.as_bytes()), message(b"k\xff", b"\xfe no trade")]
            });
            produce(&kafka.bootstrap, &topic, &refused.collect::<Vec<_>>());
            scene.stream.trade(300);
        }
        let kills = scene.kill_at_random(&SeededRandom::new(70 + workers));
        assert!(kills >= 5, "{kills} kills");
        scene.start().wait().success();
        let of_rounds = |first: i64| {
            let offsets =
                (0..8).flat_map(move |round| (0..4).map(move |it| 3000 + round * 308 + it * 2 + first));
            offsets.map(|offset| (offset, 1)).collect::<BTreeMap<i64, usize>>()
        };
        let what = format!("{kills} kills, {workers} workers");
        assert_eq!(offsets(&results::records(&kafka.bootstrap, &late)), of_rounds(0), "late, {what}");
        assert_eq!(offsets(&results::records(&kafka.bootstrap, &dead)), of_rounds(1), "dead, {what}");
        scene.compare_closed(&what);
    }
}

#[test]
fn late_rows_and_dead_letters_go_to_topics_with_every_byte() {
    let Some(kafka) = Kafka::shared("late_rows_and_dead_letters_go_to_topics_with_every_byte") else {
        return;
    };
    let (scene, late, dead) = scene(kafka);
    scene.start().wait().success();
    let (topic, old) = (source(&scene), old(9007));
    produce(&kafka.bootstrap, &topic, &[message(b"k\xff", b"\xfe no trade"), message(b"AB", old.as_bytes())]);
    for _ in 0..2 {
        scene.start().wait().success();
    }
    let dead = results::records(&kafka.bootstrap, &dead);
    let [letter] = &dead[..] else { panic!("{dead:?}") };
    assert_eq!(
        (letter.key.as_deref(), letter.value.as_deref()),
        (Some(&b"k\xff"[..]), Some(&b"\xfe no trade"[..]))
    );
    assert_eq!(letter.header("tallow.topic"), Some(topic.as_str()));
    assert_eq!(
        (letter.header("tallow.partition"), letter.header("tallow.offset")),
        (Some("0"), Some("3000"))
    );
    assert_eq!(letter.header("tallow.reason-kind"), Some("rejected"));
    assert!(letter.header("tallow.reason").is_some_and(|reason| !reason.is_empty()));
    let late = results::records(&kafka.bootstrap, &late);
    let [row] = &late[..] else { panic!("{late:?}") };
    assert_eq!((row.value.as_deref(), row.header("tallow.window")), (Some(old.as_bytes()), Some("1m")));
    assert_eq!(row.header("tallow.event-time-us"), Some("1704067200007000"));
    let verified = tallow::run(&scene.arguments(&["verify"], &[])).success();
    assert!(verified.stdout.contains("each there once"), "{}", verified.stdout);
}
