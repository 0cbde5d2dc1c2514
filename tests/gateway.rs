//! The built gateways over a real socket: what is there, what is refused and how, what is too much, and that requests
//! at the same time do not mix. Each request goes to both; they must answer alike, and say the length of what they say.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::thread;

use serde_json::{Value, json};
use tallow_contract::messages::{About, CONTENT_TYPE, MAX_BODY_BYTES};
use tallow_env::{Random, SeededRandom};
use tallow_tests::gateways::Gateways;

static GATEWAYS: LazyLock<Gateways> = LazyLock::new(Gateways::start);

const MINUTE_US: i64 = 60_000_000;

fn specs() -> Value {
    let aggregate = |name: &str, operation: &str, column: &str| json!({ "name": name, "operation": operation, "column": column });
    json!([{
        "name": "1m", "kinds": ["trade"], "keys": ["symbol"], "ids": { "first": "id" },
        "shape": { "tumbling_us": MINUTE_US },
        "aggregates": [
            aggregate("open", "first", "price"), aggregate("high", "max", "price"),
            aggregate("low", "min", "price"), aggregate("close", "last", "price"),
            aggregate("volume", "sum", "quantity"),
        ],
    }])
}

fn columns() -> Value {
    json!([
        { "name": "symbol", "type": "text" }, { "name": "event_time", "type": "timestamp-us" },
        { "name": "id", "type": "int64" }, { "name": "price", "type": "decimal", "scale": 8 },
        { "name": "quantity", "type": "decimal", "scale": 8 },
    ])
}

/// Trades of some minutes, in order.
fn trades(seed: u64, count: i64) -> Vec<Value> {
    let random = SeededRandom::new(seed);
    let trade = |id: i64| {
        let price = format!("{}.{:08}", 60_000 + random.below(500), random.below(100_000_000));
        json!({
            "kind": "trade", "symbol": (if id % 3 == 0 { "ETHUSDT" } else { "BTCUSDT" }), "id": id,
            "event_time": id * 700_000, "price": price, "quantity": format!("0.{:03}", random.below(1000)),
        })
    };
    (0..count).map(trade).collect()
}

fn window(rows: &[Value], watermark_us: i64, state: &Value) -> Value {
    let body = json!({
        "specs": specs(), "columns": columns(), "rows": rows, "watermark": watermark_us, "state": state,
    });
    GATEWAYS.json("/window", &body).ok()
}

#[test]
fn many_calls_that_hand_on_state_give_the_candles_of_one() {
    let trades = trades(1, 900);
    let end_us = 900 * 700_000 + MINUTE_US;
    let whole = window(&trades, end_us, &Value::Null);
    let (mut state, mut closed) = (Value::Null, Vec::new());
    for part in trades.chunks(70) {
        let reached_us = part.last().unwrap()["event_time"].as_i64().unwrap();
        let answer = window(part, reached_us, &state);
        assert_eq!(answer["reports"][0]["accepted"], part.len());
        closed.extend(
            answer["closed"].as_array().unwrap().iter().flat_map(|it| it["rows"].as_array().unwrap().clone()),
        );
        state = answer["state"].clone();
    }
    let last = window(&[], end_us, &state);
    closed.extend(last["closed"][0]["rows"].as_array().unwrap().clone());
    assert_eq!(Value::from(closed), whole["closed"][0]["rows"]);
    assert!(last["open"].as_array().unwrap().is_empty() && whole["open"].as_array().unwrap().is_empty());
}

#[test]
fn the_page_and_the_description_list_all_paths() {
    let page = GATEWAYS.get("/").ok();
    let about: About = serde_json::from_value(page.clone()).unwrap();
    let names: Vec<&str> = about.functions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["parse-market", "window", "merge", "backfill-binance"]);
    assert_eq!(GATEWAYS.get("/healthz").body, b"ok\n");
    let openapi = GATEWAYS.get("/openapi.json").ok();
    assert!(openapi["openapi"].as_str().unwrap().starts_with("3."));
    let described: BTreeSet<String> = openapi["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let paths: BTreeSet<String> = serde_json::from_value(page["paths"].clone()).unwrap();
    assert_eq!(described, paths);
    for path in &paths {
        let (method, path) = path.split_once(' ').unwrap();
        let status = GATEWAYS.send(method, path, &[], &[]).status;
        assert!(status == if method == "GET" { 200 } else { 400 }, "{method} {path}: {status}");
    }
    assert_eq!(GATEWAYS.send("HEAD", "/", &[], &[]).status, 200);
    assert_eq!(GATEWAYS.get("/healthz?from=here").status, 200);
}

#[test]
fn a_wrong_path_method_or_type_is_refused_with_the_right_one() {
    let missing = GATEWAYS.get("/candles");
    assert_eq!(missing.status, 404);
    assert!(missing.error().contains("GET /"), "{}", missing.error());
    for (method, path, allow) in [
        ("PUT", "/parse", "POST"),
        ("GET", "/window", "POST"),
        ("DELETE", "/", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
    ] {
        let refused = GATEWAYS.send(method, path, &[], &[]);
        assert_eq!((refused.status, refused.header("allow")), (405, allow), "{method} {path}");
    }
    let refused = GATEWAYS.post("/parse", "text/csv", b"a,b");
    assert_eq!(refused.status, 415);
    assert!(refused.error().contains("application/json"), "{}", refused.error());
    let plain = GATEWAYS.post("/parse", "Application/JSON; charset=utf-8", br#"{"records": []}"#);
    assert_eq!(plain.status, 200);
}

#[test]
fn a_body_that_cannot_be_read_is_refused_with_what_is_wrong() {
    for (path, body, part) in [
        ("/parse", json!({ "records": [], "recrods": [] }), "recrods"),
        ("/parse", json!({ "kinds": [] }), "records"),
        ("/window", json!({ "specs": specs(), "watermrak": 1 }), "watermrak"),
        ("/window", json!({ "specs": specs(), "columns": columns(), "rows": [{ "prize": 1 }] }), "prize"),
        ("/window", json!({ "specs": specs(), "state": "bm90aGluZw==" }), "state"),
        ("/window", json!({ "specs": specs(), "watermark": "yesterday" }), "yesterday"),
        ("/merge", json!({ "inputs": [], "settings": { "keys": [], "step_us": 1, "fil": true } }), "fil"),
        ("/backfill/plan", json!({ "options": { "symbl": "A" }, "wanted": [] }), "symbl"),
        ("/backfill/decode", json!({ "options": {} }), "symbol"),
    ] {
        let refused = GATEWAYS.json(path, &body);
        assert_eq!(refused.status, 400, "{path} {body}");
        assert!(refused.error().contains(part), "{path}: {}", refused.error());
    }
    assert_eq!(GATEWAYS.post("/parse", "application/json", b"{").status, 400);
    assert_eq!(GATEWAYS.post("/parse", "application/json", b"\xff").status, 400);
    assert_eq!(GATEWAYS.post("/parse", CONTENT_TYPE, b"").status, 400);
}

#[test]
fn what_a_function_does_not_do_is_refused_in_its_words() {
    let mut none = specs();
    none[0]["shape"] = json!({ "tumbling_us": 0 });
    for (path, body, part) in [
        ("/parse", json!({ "records": [], "kinds": ["trades"] }), "trades"),
        ("/parse", json!({ "records": [], "kinds": ["trade"], "columns": [{ "name": "prize" }] }), "prize"),
        ("/window", json!({ "specs": none }), "1m"),
        (
            "/backfill/plan",
            json!({ "options": { "symbol": "A", "interval_us": 7_000_000 }, "wanted": [] }),
            "7",
        ),
    ] {
        let refused = GATEWAYS.json(path, &body);
        assert_eq!(refused.status, 422, "{path}: {}", String::from_utf8_lossy(&refused.body));
        assert!(refused.error().contains(part), "{path}: {}", refused.error());
    }
}

#[test]
fn a_request_that_is_too_large_is_refused_before_computing() {
    let long = GATEWAYS.post("/parse", "application/json", &vec![b' '; MAX_BODY_BYTES + 1]);
    assert_eq!((long.status, long.error().contains("10485760")), (413, true), "{}", long.error());
    assert_eq!(GATEWAYS.post("/parse", "application/json", &vec![b' '; MAX_BODY_BYTES]).status, 400);

    let mut sliding = specs();
    sliding[0]["shape"] = json!({ "sliding": { "size_us": 86_400_000_000_u64, "slide_us": 1 } });
    let body = json!({ "specs": sliding, "columns": columns(), "rows": trades(2, 1) });
    let wide = GATEWAYS.json("/window", &body);
    assert_eq!((wide.status, wide.error().contains("assignments")), (413, true), "{}", wide.error());

    let columns =
        json!([{ "name": "symbol", "type": "text" }, { "name": "window_start", "type": "timestamp-us" }]);
    let ages = json!([{ "symbol": "A", "window_start": "0001-01-01" }, { "symbol": "A", "window_start": "2024-01-01" }]);
    let body = json!({
        "inputs": [{ "source": "batch", "columns": columns, "rows": ages }],
        "settings": { "keys": ["symbol"], "step_us": MINUTE_US, "fill": true },
    });
    let age = GATEWAYS.json("/merge", &body);
    assert_eq!((age.status, age.error().contains("windows")), (413, true), "{}", age.error());

    let body = json!({
        "options": { "symbol": "A", "interval_us": MINUTE_US },
        "wanted": [{ "from": "0001-01-01", "to": "2024-01-01" }],
    });
    assert_eq!(GATEWAYS.json("/backfill/plan", &body).status, 413);
    assert_eq!(GATEWAYS.json("/parse", &json!({ "records": vec![1; 100_001] })).status, 413);
}

#[test]
fn requests_at_the_same_time_are_answered_each_with_its_own() {
    thread::scope(|scope| {
        for seed in 0..8 {
            scope.spawn(move || {
                let trades = trades(seed, 100 + seed as i64);
                let alone = window(&trades, i64::from(u16::MAX) * MINUTE_US, &Value::Null);
                assert_eq!(alone["reports"][0]["accepted"], trades.len());
                for _ in 0..5 {
                    assert_eq!(window(&trades, i64::from(u16::MAX) * MINUTE_US, &Value::Null), alone);
                    let records: Vec<String> =
                        (0..=seed).map(|id| format!("{{\"e\":\"other\",\"t\":{id}}}")).collect();
                    let answer = GATEWAYS.json("/parse", &json!({ "records": records })).ok();
                    let marked = answer["ignored"].as_array().unwrap().len()
                        + answer["rejected"].as_array().unwrap().len();
                    assert_eq!(marked as u64, seed + 1);
                }
            });
        }
    });
}
