//! Results of a function on probation, and the topics that wait for its end.

use std::time::Duration;

use serde_json::Value;
use tallow_env::{Clock, SystemClock};
use tallow_tests::kafka::Kafka;
use tallow_tests::{components, tallow};

use crate::scene::Scene;

fn wait_until(what: &str, running: &tallow::Running, mut holds: impl FnMut() -> bool) {
    let clock = SystemClock::new();
    let begun = clock.ticks();
    while !holds() {
        assert!(clock.ticks().since(begun) < Duration::from_secs(60), "{what}: {}", running.stderr());
        clock.sleep(Duration::from_millis(50));
    }
}

#[test]
fn results_of_a_probation_reach_topics_after_its_end() {
    let Some(kafka) = Kafka::shared("results_of_a_probation_reach_topics_after_its_end") else { return };
    for mode in ["append", "update"] {
        let mut scene = Scene::new(kafka, &kafka.bootstrap, "");
        let topic = format!("topic = \"{}\"", scene.topic);
        scene.stream.edit(&topic, &format!("{topic}\nmode = \"{mode}\""));
        let socket = scene.stream.folder().join("control.sock").display().to_string();
        let functions = |command: &[&str]| {
            let all = [&["functions"], command, &["--control", &socket, "--json"]].concat();
            let answer = tallow::run(&all).success().stdout;
            let last: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
            last["is"].as_str().unwrap().to_owned()
        };
        let running = tallow::start(&scene.arguments(&["up"], &["--control", &socket]));
        let closed = |scene: &Scene| {
            let records = scene.records();
            let closed = records.iter().filter(|record| record.header("tallow.state") == Some("closed"));
            (records.len(), closed.count())
        };
        wait_until("the first candles are in the topic", &running, || closed(&scene).1 == 49);

        let candidate = components::noted(scene.stream.folder(), "parse-market", "v2").display().to_string();
        let swap = ["swap", "parse-market", &candidate, "--mode", "hold", "--probation", "9999"];
        assert_eq!(functions(&swap), "swapped");
        let (before, commits) = (scene.records().len(), scene.stream.commits());
        scene.stream.trade(600);
        wait_until("what came is committed", &running, || scene.stream.commits() >= commits + 6);
        assert_eq!(scene.records().len(), before, "{mode}: nothing of it is in the topic");
        assert_eq!(functions(&["rollback", "--why", "a test"]), "rolled-back");
        wait_until("the function before makes it", &running, || closed(&scene).1 == 59);

        let swap = ["swap", "parse-market", &candidate, "--mode", "hold", "--probation", "2"];
        assert_eq!(functions(&swap), "swapped");
        scene.stream.trade(600);
        wait_until("the probation has ended", &running, || closed(&scene).1 == 69);
        running.stop_when(|| true).success();
        scene.start().wait().success();
        match mode {
            "append" => scene.compare("after a rollback and a release"),
            _ => scene.compare_closed("after a rollback and a release"),
        }
    }
}
