//! Functions behind a gateway, in a whole run: what comes out is what comes out with functions here, also where the host
//! or the gateway is killed on the way.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tallow_env::{Clock, SystemClock};
use tallow_tests::gateway::{COMPOSED, Gateway};
use tallow_tests::remote::{self, Market, Scene};
use tallow_tests::{paths, tallow};

const TRADES: i64 = 6_000;

/// What the pipeline makes with its functions here.
fn expected(market: &Market) -> Scene {
    let scene = market.scene(&remote::local());
    scene.start().wait().success();
    for (table, rows) in scene.rows() {
        assert!(rows.len() > 5, "{table} has {} rows", rows.len());
    }
    scene
}

/// The names of the files of candles, without that of the chain of commits, which is another one in each lake.
fn candles(scene: &Scene) -> BTreeSet<String> {
    let nameless = |path: &PathBuf| {
        let (folder, name) = (path.parent().unwrap().display(), path.file_name().unwrap().to_str().unwrap());
        format!("{folder}/{}", name.split_once('-').unwrap().1)
    };
    scene.files("speed").keys().map(nameless).collect()
}

/// Waits until the log of a lake has that many records.
fn until_committed(scene: &Scene, records: usize) {
    let clock = SystemClock::new();
    let start = clock.ticks();
    while tallow::log_records(&scene.lake()) < records {
        assert!(
            clock.ticks().since(start) < Duration::from_secs(120),
            "waited in vain for {records} records"
        );
        clock.sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_gateway_gives_the_rows_that_functions_here_give() {
    let market = Market::trades(TRADES);
    let here = expected(&market);
    for name in COMPOSED {
        let gateway = Gateway::start(name);
        let scene = market.scene(&remote::behind(&gateway.url()));
        scene.start().wait().success();
        scene.assert_same_rows(name, &here);
        // To the order of the rows in their files, and of the files.
        assert_eq!(candles(&scene), candles(&here), "{name}");
        for table in ["speed/trades_1m", "speed/trades_session"] {
            assert!(scene.rows()[table] == here.rows()[table], "{name}: other rows in {table}");
        }
    }
}

#[test]
fn one_function_may_be_behind_a_gateway_and_the_other_here() {
    let market = Market::trades(2_500);
    let here = expected(&market);
    let gateway = Gateway::start(COMPOSED[0]);
    let function = format!("{{ remote = \"{}\" }}", gateway.url());
    for (parse, window) in [(function.as_str(), "\"window\""), ("\"parse-market\"", function.as_str())] {
        let scene = market.scene(&remote::manifest(parse, window));
        scene.start().wait().success();
        scene.assert_same_rows(&format!("parse {parse}, window {window}"), &here);
    }
}

#[test]
fn a_killed_host_continues_from_the_gateways_state() {
    let market = Market::trades(TRADES);
    let here = expected(&market);
    let gateway = Gateway::start(COMPOSED[0]);
    let scene = market.scene(&remote::behind(&gateway.url()));
    let kills = (2..=4).filter(|commits| {
        let seen = tallow::log_records(&scene.lake());
        scene.start().kill_when(|| tallow::log_records(&scene.lake()) >= seen + commits)
    });
    assert!(kills.count() > 1, "no run lived long enough to be killed");
    scene.start().wait().success();
    scene.assert_same_rows("killed and resumed", &here);

    let verified = tallow::run(&scene.command(&["verify", "--json"])).success();
    let said: Value = serde_json::from_str(verified.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(said["verdict"], "proved", "{said:#}");
    assert_eq!(said["report"]["records"], TRADES, "{said:#}");
}

#[test]
fn a_gateway_that_is_killed_and_comes_back_is_waited_for() {
    let market = Market::trades(TRADES);
    let here = expected(&market);
    let component: PathBuf = paths::functions().join(format!("{}.wasm", COMPOSED[0]));
    let mut gateway = Gateway::serve(&component, "127.0.0.1:0");
    let address = gateway.address.clone();
    let scene = market.scene(&remote::behind(&gateway.url()));
    let running = scene.start();
    for records in [3, 6] {
        until_committed(&scene, records);
        drop(gateway);
        gateway = Gateway::serve(&component, &address);
    }
    let finished = running.wait().success();
    assert!(finished.stderr.contains("trying again"), "the gateway was never missed: {}", finished.stderr);
    scene.assert_same_rows("the gateway came back", &here);
}
