//! Candles in a real InfluxDB 1.6, by the built program: each is there once, with the lake's values, whatever is killed or
//! away.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use tallow_env::{Clock, Random, SeededRandom, SystemClock};
use tallow_test_support::http::Answer;
use tallow_test_support::http::local::Server;
use tallow_test_support::influx::{Api, Fault, Field, Influx};
use tallow_tests::influxdb::InfluxDb;
use tallow_tests::{lake, skip_unless_ci, tallow};

#[path = "influxdb/dashboard.rs"]
mod dashboard;
#[path = "influxdb/scene.rs"]
mod scene;
#[path = "influxdb/symbols.rs"]
mod symbols;

use scene::Scene;

/// A server for one test; `None`, and a line that says so, where this machine has none.
fn server(test: &str, http: &str) -> Option<InfluxDb> {
    InfluxDb::start_with(http).map_err(|why| skip_unless_ci(test, &why)).ok()
}

#[test]
fn candles_in_influxdb_are_those_of_the_lake() {
    let Some(server) = server("candles_in_influxdb_are_those_of_the_lake", "") else { return };
    let scene = Scene::new(&server, "");
    scene.start().wait().success();
    scene.compare("straight", &server);
    let verified = tallow::run(&scene.arguments(&["verify"], &[])).success();
    let points = format!("points   {} points", scene.stream.expected().len());
    assert!(verified.stdout.contains(&points), "{}", verified.stdout);
}

#[test]
fn every_candle_is_in_influxdb_after_kills() {
    let Some(server) = server("every_candle_is_in_influxdb_after_kills", "") else { return };
    for mode in ["append", "update"] {
        let scene = Scene::new(&server, &format!("mode = \"{mode}\"\nmeasurement = \"{mode}\"\n"));
        let (random, clock) = (SeededRandom::new(7), SystemClock::new());
        let mut kills = 0;
        while scene.start().kill_when(|| {
            let reached = scene.stream.commits() > 2 + 3 * kills;
            if reached {
                clock.sleep(Duration::from_micros(random.below(40_000)));
            }
            reached
        }) {
            kills += 1;
        }
        assert!(kills >= 3, "{kills} kills");
        scene.compare_in(mode, &format!("{mode}, {kills} kills"), &server);
    }
}

#[test]
fn a_server_that_is_away_is_waited_for_at_the_end_alone() {
    let test = "a_server_that_is_away_is_waited_for_at_the_end_alone";
    let Some(mut server) = server(test, "") else { return };
    let scene = Scene::new(&server, "");
    server.kill();
    let running = scene.start();
    // Every candle is in the lake, and none in the database.
    let clock = SystemClock::new();
    let begun = clock.ticks();
    while scene.stream.commits() < 30 {
        assert!(clock.ticks().since(begun) < Duration::from_secs(60), "{}", running.stderr());
        clock.sleep(Duration::from_millis(10));
    }
    server.resume().unwrap();
    let ended = running.wait().success();
    assert!(ended.stderr.contains("takes results again"), "{}", ended.stderr);
    for said in ["the pipeline goes on until it is 1000 commits ahead", "nothing more is read meanwhile"] {
        assert_eq!(ended.stderr.matches(said).count(), 1, "{}", ended.stderr);
    }
    scene.compare("away at the start", &server);
}

#[test]
fn what_waits_when_a_run_is_stopped_is_written_by_the_next() {
    let test = "what_waits_when_a_run_is_stopped_is_written_by_the_next";
    let Some(mut server) = server(test, "") else { return };
    let scene = Scene::new(&server, "");
    server.kill();
    assert!(scene.start().kill_when(|| scene.stream.commits() > 20));
    let waiting =
        || tallow::run(&scene.arguments(&["status"], &[])).success().stdout.contains("waits      influxdb");
    assert!(waiting());
    server.resume().unwrap();
    scene.start().wait().success();
    assert!(!waiting());
    scene.compare("killed while the server was away", &server);
}

#[test]
fn a_pipeline_is_no_further_ahead_than_its_backlog() {
    let test = "a_pipeline_is_no_further_ahead_than_its_backlog";
    let Some(mut server) = server(test, "") else { return };
    for backlog in [0, 5] {
        let scene = Scene::new(&server, &format!("backlog = {backlog}\nmeasurement = \"of {backlog}\"\n"));
        server.kill();
        let running = scene.start();
        let said = "nothing more is read meanwhile";
        tallow_tests::wait::wait_until("it says that it waits", || running.stderr().contains(said));
        let commits = scene.stream.commits();
        SystemClock::new().sleep(Duration::from_secs(1));
        assert_eq!(scene.stream.commits(), commits);
        assert!(commits < backlog + 10, "{commits} commits of 30");
        server.resume().unwrap();
        running.wait().success();
        scene.compare_in(&format!("of {backlog}"), "a backlog", &server);
    }
}

#[test]
fn versions_2_and_3_get_every_candle_through_lost_answers() {
    for (api, keys) in [
        (Api::V2, "version = \"2\"\norg = \"tallow\"\nbucket = \"market\"\ntoken = \"a token\""),
        (Api::V3, "version = \"3\"\ndatabase = \"market\"\ntoken = \"a token\"\nmode = \"update\""),
    ] {
        let influx = Influx::new(api);
        let busy = Answer::new(429, "").with_header("Retry-After", "1");
        let failed = Fault::WrittenBut(Answer::new(503, ""));
        influx.then([Fault::Lost, failed, Fault::Answer(busy), Fault::Lost]);
        let server = Server::start(influx.handler()).unwrap();
        let scene = Scene::on(&server.url(), keys);
        scene.start().wait().success();
        scene.stream.compare();
        let points = influx.points();
        let closes: BTreeMap<String, String> = points
            .into_iter()
            .map(|((_, tags, time), fields)| {
                assert_eq!((tags["symbol"].as_str(), &fields["closed"]), ("AB", &Field::Boolean(true)));
                let Field::Float(close) = fields["close"] else { panic!("{fields:?}") };
                (lake::time(time), close.to_string())
            })
            .collect();
        let expected = scene.stream.expected();
        let expected = expected.iter().map(|row| (row["window_start"].clone(), row["close"].clone()));
        assert_eq!(closes, expected.collect(), "{api:?}");
    }
}

#[test]
fn a_wrong_password_is_said_at_the_start_and_never_shown() {
    let test = "a_wrong_password_is_said_at_the_start_and_never_shown";
    let Some(server) = server(test, "") else { return };
    server.command("CREATE USER writer WITH PASSWORD 'the-real-one' WITH ALL PRIVILEGES");
    let Some(server) = server.with_users() else { return };
    let scene = Scene::new(&server, "user = \"writer\"\npassword = \"{{ influx_password }}\"\n");
    scene.stream.edit("[variables]", "[variables]\ninflux_password = { required = true, secret = true }");
    let start = |password: &str| {
        let variables = [("SPIN_VARIABLE_INFLUX_PASSWORD", password)];
        tallow::run_with(&variables, &scene.arguments(&["up"], &["--available-now", "--close-all"]))
    };
    let refused = start("not-that-one");
    assert_eq!(refused.status.code(), Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("401") && refused.stderr.contains("influxdb"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("not-that-one"), "{}", refused.stderr);
    start("the-real-one").success();
    assert_eq!(server.rows_as("candles_1m", ("writer", "the-real-one")).len(), scene.stream.expected().len());
}
