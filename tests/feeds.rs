//! Feeds through the built program: an exchange that misbehaves on one side, Kafka on the other. The topic holds the
//! exchange's ids, each once and in order, and what cannot be had is written down.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use tallow_env::{Clock, SystemClock};
use tallow_tests::lake;
use tallow_tests::lake::Row;
use tallow_tests::market::{Fault, Plan, Trade};
use tallow_tests::messages::consume;
use tallow_tests::tallow::{self, Finished};
use tallow_tests::{paths, reference, results};

#[path = "feeds/scene.rs"]
mod scene;
use scene::{SYMBOLS, Scene, coinbase_trades, made_up, now_and_then, spot, trades};

/// True from so long after this call on.
fn after(time: Duration) -> impl FnMut() -> bool {
    let clock = SystemClock::new();
    let begun = clock.ticks();
    move || clock.ticks().since(begun) >= time
}

/// The last line that the program printed.
fn counts(finished: &Finished) -> Value {
    let last = finished.stdout.lines().last().unwrap_or_else(|| panic!("{}", finished.stderr));
    let summary: Value = serde_json::from_str(last).unwrap();
    summary["counts"].clone()
}

fn expected(trades: &[Trade]) -> Vec<Row> {
    let messages = trades.iter().map(|trade| trade.message.as_str());
    reference::candles(messages, 60_000_000).iter().map(|candle| candle.row()).collect()
}

#[test]
fn a_disturbed_feed_gives_the_recordings_candles() {
    let test = "a_disturbed_feed_gives_the_recordings_candles";
    let trades = trades(test, 20_000);
    let plan = Plan {
        trades: trades.clone(),
        per_second: 2000,
        faults: vec![
            vec![Fault::CutInMessage { after: 1500 }],
            vec![Fault::Twice, Fault::Swapped, Fault::Close { after: 1500, code: 1008 }],
            vec![
                Fault::Drop { after: 300, count: 7 },
                Fault::Slow { after: 700 },
                Fault::Shutdown { after: 1500 },
            ],
            vec![
                Fault::Swapped,
                Fault::Drop { after: 500, count: 1 },
                Fault::Close { after: 1500, code: 1012 },
            ],
        ],
        refusals: vec![(429, 1), (418, 1), (500, 0)],
        ..Plan::default()
    };
    let scene = Scene::binance(test, plan);
    let finished = scene.run();
    scene.compare_ids();
    assert!(scene.market.connections() >= 5, "{} connections", scene.market.connections());
    let counts = counts(&finished);
    for (count, at_least) in
        [("refetched", 8), ("duplicates", 1000), ("waited", 100), ("interruptions", 3), ("retries", 3)]
    {
        assert!(counts[count].as_u64() >= Some(at_least), "{count}: {counts}");
    }
    assert_eq!((&counts["missing_ids"], &counts["records"]), (&0.into(), &trades.len().into()), "{counts}");
    lake::assert_same_rows("candles of the disturbed feed", &expected(&trades), &scene.candles());
}

#[test]
fn a_feed_that_is_killed_continues_after_the_topics_end() {
    let test = "a_feed_that_is_killed_continues_after_the_topics_end";
    let trades = trades(test, 12_000);
    let plan = Plan { trades: trades.clone(), per_second: 1000, until: Some(1000), ..Plan::default() };
    let scene = Scene::binance(test, plan);
    let market = &scene.market;
    // What was traded before a symbol's first record is not promised.
    assert!(scene.start().kill_when(now_and_then(|| scene.held().len() == 2)));
    for round in 1..6 {
        let (before, after) = (round * 2000, round * 2000 + 1000);
        let connections = market.connections();
        market.trade_until(before);
        market.wait_for(before);
        let running = scene.start();
        market.wait_for_connection(connections);
        if round == 5 {
            market.trade_until(trades.len());
            scene.finish(running);
        } else {
            market.trade_until(after);
            assert!(running.kill_when(|| market.happened() >= after - 500));
        }
    }
    scene.compare_ids();
    let asked = scene.market.asked();
    assert!(
        asked.iter().any(|it| it.contains("fromId=")),
        "what was traded meanwhile is requested: {asked:?}"
    );
    lake::assert_same_rows("candles of the killed feed", &expected(&trades), &scene.candles());
}

#[test]
fn ids_that_cannot_be_had_are_written_down() {
    let test = "ids_that_cannot_be_had_are_written_down";
    let trades = trades(test, 2000);
    let of_btc: Vec<i64> = trades.iter().filter(|it| it.symbol == "BTCUSDT").map(|it| it.id).collect();
    let lost = [of_btc[400], of_btc[401], of_btc[402]];
    let gone: BTreeSet<(String, i64)> = lost.iter().map(|id| ("BTCUSDT".to_owned(), *id)).collect();
    // What the socket does not bring, wherever the other symbol's trades are.
    let at = trades.iter().position(|it| it.symbol == "BTCUSDT" && it.id == lost[0]).unwrap();
    let until = trades.iter().position(|it| it.symbol == "BTCUSDT" && it.id == lost[2]).unwrap();
    let plan = Plan {
        trades: trades.clone(),
        per_second: 1000,
        faults: vec![vec![Fault::Drop { after: at, count: until - at + 1 }]],
        gone,
        ..Plan::default()
    };
    let scene = Scene::binance(test, plan);
    let finished = scene.run();
    let counts = counts(&finished);
    assert_eq!((&counts["missing_ids"], &counts["holes"]), (&3.into(), &1.into()), "{counts}");
    let held = &scene.held()["BTCUSDT"];
    let hole = held.iter().position(|it| *it == format!("{}-{}", lost[0], lost[2])).unwrap();
    assert_eq!(held[hole - 1], (lost[0] - 1).to_string());
    assert_eq!(held[hole + 1], (lost[2] + 1).to_string());
    assert_eq!(held.len(), of_btc.len() - 3 + 1);

    let rows = scene.candles();
    let missing: u64 = rows.iter().map(|row| row["missing"].parse::<u64>().unwrap()).sum();
    assert_eq!(missing, 3, "{rows:?}");
    let dead = scene.lake().join("dead-letter");
    assert!(!dead.exists(), "a hole is no dead letter");

    // A start after that does not ask for them again.
    let asked = scene.market.asked().len();
    scene.run();
    assert_eq!(scene.held()["BTCUSDT"].len(), held.len());
    let again: Vec<String> = scene.market.asked().split_off(asked);
    assert!(again.iter().all(|it| !it.contains(&format!("fromId={}", lost[0]))), "{again:?}");
}

#[test]
fn a_silent_connection_is_found_out_and_replaced() {
    let test = "a_silent_connection_is_found_out_and_replaced";
    let plan = |fault| {
        let (trades, faults) = (trades(test, 3000), vec![vec![fault]]);
        Plan { trades, per_second: 500, faults, ..Plan::default() }
    };
    let scene = |fault| Scene::new(test, plan(fault), ("feed-binance", "trade"), "quiet-after = \"1s\"");
    let scene_of_silence = scene(Fault::Silent { after: 500 });
    let finished = scene_of_silence.run();
    assert!(finished.stderr.contains("the connection is silent about ids"), "{}", finished.stderr);
    scene_of_silence.compare_ids();

    // An answer to a subscription proves nothing. What was traded before the first look is not missed.
    let scene = scene(Fault::AnswerOnly);
    let finished = scene.run();
    assert!(finished.stderr.contains("the connection is silent about ids"), "{}", finished.stderr);
    for (symbol, held) in scene.held() {
        let ids = scene.market.ids().remove(&symbol).unwrap();
        let ids: Vec<String> = ids[ids.len() - held.len()..].iter().map(i64::to_string).collect();
        assert_eq!(held, ids, "{symbol}");
    }
}

#[test]
fn coinbase_tells_by_heartbeats_what_it_dropped() {
    let test = "coinbase_tells_by_heartbeats_what_it_dropped";
    let trades = coinbase_trades(3000);
    // The last ones are dropped: only a heartbeat tells.
    let faults = vec![
        vec![Fault::Drop { after: 200, count: 9 }, Fault::Close { after: 1500, code: 1012 }],
        vec![Fault::Drop { after: 800, count: 100_000 }],
    ];
    let plan = Plan { trades, per_second: 1000, faults, refusals: vec![(429, 1)], ..Plan::default() };
    let scene = Scene::new(test, plan, ("feed-coinbase", "matches"), "");
    scene.run();
    scene.compare_ids();
    assert!(
        scene.market.asked().iter().any(|it| it.starts_with("/products/BTC-USD/trades?limit=1000&after="))
    );
}

#[test]
fn tickers_are_polled_and_sent_once_each() {
    let test = "tickers_are_polled_and_sent_once_each";
    let plan = Plan { trades: made_up(200, spot, SYMBOLS), per_second: 50, ..Plan::default() };
    let scene = Scene::new(test, plan, ("feed-binance", "ticker-rest"), "");
    // There is no subscription that would.
    scene.market.begin();
    let running = scene.start();
    let finished =
        running.stop_when(now_and_then(|| scene.market.is_over() && scene.market.asked().len() >= 6));
    finished.success();
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for (key, value) in consume(&scene.brokers(), &scene.topic) {
        let value: Value = serde_json::from_str(&value).unwrap();
        assert_eq!((value["e"].as_str(), value["s"].as_str()), (Some("24hrTicker"), Some(key.as_str())));
        let time = value["E"].as_i64().unwrap();
        assert!(last.insert(key, time) < Some(time), "a ticker that did not change comes once");
    }
    assert_eq!(last.len(), 2, "{last:?}");
}

#[test]
fn one_command_goes_from_the_exchange_to_candles() {
    let test = "one_command_goes_from_the_exchange_to_candles";
    let trades = trades(test, 8000);
    let faults = vec![vec![Fault::CutInMessage { after: 3000 }]];
    let plan = Plan { trades: trades.clone(), per_second: 1500, faults, ..Plan::default() };
    let scene = Scene::new(test, plan, ("feed-binance", "trade"), "run = true");
    let lake = scene.lake().display().to_string();
    let finished = scene.start_up().stop_when(now_and_then(|| scene.is_complete())).success();
    let said =
        finished.stdout.contains("feed `exchange`: 8") && finished.stdout.contains("000 messages into topic");
    assert!(said, "{}{}", finished.stdout, finished.stderr);
    lake::assert_same_rows("candles of one command", &expected(&trades), &scene.candles());
    // What the topic holds is read without the feed.
    let drained = tallow::run(&tallow::drain(&scene.manifest(), &lake, &scene.brokers())).success();
    assert!(
        drained.stderr.contains("`--available-now`: the feed `exchange` is not run"),
        "{}",
        drained.stderr
    );
}

#[test]
fn candles_of_a_feed_that_is_killed_twenty_times_are_right() {
    let test = "candles_of_a_feed_that_is_killed_twenty_times_are_right";
    let trades = trades(test, 20_000);
    let faults = vec![
        vec![Fault::CutInMessage { after: 900 }],
        vec![Fault::Swapped, Fault::Drop { after: 300, count: 7 }],
        vec![Fault::Twice, Fault::Close { after: 700, code: 1008 }],
        vec![Fault::Slow { after: 700 }],
    ];
    let plan = Plan { trades: trades.clone(), per_second: 250, faults, ..Plan::default() };
    let scene = Scene::new(test, plan, ("feed-binance", "trade"), "run = true");
    let Some(topic) = scene.send_candles() else {
        return tallow_tests::skip_unless_ci(test, "no real Kafka");
    };
    // The market is open for 80 s: all kills are within that.
    assert!(scene.start_up().kill_when(now_and_then(|| scene.held().len() == 2)));
    for round in 1..20 {
        assert!(scene.start_up().kill_when(after(Duration::from_millis(2000 + round * 613 % 2000))));
    }
    scene.start_up().stop_when(now_and_then(|| scene.is_complete())).success();
    let expected = expected(&trades);
    lake::assert_same_rows("candles in the lake", &expected, &scene.candles());
    let records = results::records(&scene.brokers(), &topic);
    lake::assert_same_rows("candles in the topic", &expected, &results::rows(&records));
    lake::assert_no_duplicates(&results::rows(&records), &["symbol"]);
}

#[test]
fn mistakes_are_named_before_anything_is_sent() {
    let test = "mistakes_are_named_before_anything_is_sent";
    let scene = Scene::binance(test, Plan { trades: trades(test, 10), per_second: 1, ..Plan::default() });
    let (brokers, functions, ws) =
        (scene.brokers(), paths::functions().display().to_string(), scene.market.ws_url());
    let first = [
        "produce",
        "--source",
        "feed",
        "--brokers",
        &brokers,
        "--topic",
        &scene.topic,
        "--functions",
        &functions,
    ];
    for (options, code, word) in [
        (&["--feed", "feed-binance", "--symbols", "btcusdt", "--streams", "trade"][..], 2, "BTCUSDT"),
        (&["--feed", "feed-binance", "--symbols", "BTCUSDT", "--streams", "trades"], 2, "no stream `trades`"),
        (&["--feed", "feed-binance", "--symbols", "BTCUSDT"], 2, "name the streams with --streams"),
        (&["--feed", "feed-nobody", "--symbols", "A", "--streams", "b"], 2, "feed-nobody.wasm"),
        (&["--feed", "window", "--symbols", "A", "--streams", "b"], 2, "it is not a feed function"),
        (
            &["--feed", "feed-binance", "--symbols", "A", "--streams", "trade", "--ws-url", &ws],
            2,
            "this machine; nothing was sent",
        ),
        (
            &["--feed", "feed-binance", "--symbols", "A", "--streams", "trade", "--setting", "market=coin"],
            2,
            "spot or usd-m",
        ),
    ] {
        let arguments: Vec<&str> = first.iter().chain(options).copied().collect();
        let finished = tallow::run(&arguments);
        assert_eq!(finished.status.code(), Some(code), "{options:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(word), "{options:?}: {}", finished.stderr);
    }
    assert_eq!(scene.market.connections(), 0);
    assert!(consume(&brokers, &scene.topic).is_empty());
}
