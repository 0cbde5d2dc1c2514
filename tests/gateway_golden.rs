//! The golden vectors of the functions through the built gateways, in the form for people, call by call: what a
//! function answers to a host it answers to anybody, and both gateways answer alike.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::LazyLock;

use chrono::DateTime;
use serde_json::{Map, Value, json};
use tallow_tests::gateways::Gateways;
use tallow_tests::paths;

static GATEWAYS: LazyLock<Gateways> = LazyLock::new(Gateways::start);

/// The vectors of a function, by the names of their files.
fn golden(function: &str) -> Vec<(String, Value)> {
    let folder = paths::root().join("functions").join(function).join("golden");
    let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.display().to_string(), serde_json::from_str(&text).unwrap())
    };
    let vectors: Vec<(String, Value)> = files.map(read).collect();
    assert!(!vectors.is_empty(), "{function} has no golden vectors");
    vectors
}

/// Rows of an answer with their times as golden vectors write them: in microseconds.
fn rows(answer: &Value) -> Value {
    let times: Vec<&str> = list(&answer["columns"])
        .iter()
        .filter(|column| column["type"] == "timestamp-us")
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    let mut rows = answer["rows"].clone();
    for row in rows.as_array_mut().unwrap() {
        for time in &times {
            row[*time] = micros(&row[*time]);
        }
    }
    rows
}

fn micros(time: &Value) -> Value {
    match time.as_str() {
        Some(text) => DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros().into(),
        None => time.clone(),
    }
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

fn span(span: &Value) -> Value {
    json!({ "from": span[0], "to": span[1] })
}

fn spans(from: &Value) -> Value {
    list(from).iter().map(span).collect()
}

/// What a golden vector's request or span of an answer is, in microseconds.
fn pairs(from: &Value) -> Value {
    list(from).iter().map(|span| json!([micros(&span["from"]), micros(&span["to"])])).collect()
}

#[test]
fn parse_answers_as_its_golden_vectors_say() {
    let mut told = 0;
    for (name, vector) in golden("parse-market") {
        // The form for people has no keys of records, and no records that are not text.
        let sayable = |record: &Value| record["key"].is_null() && !record["value"].is_object();
        if !list(&vector["records"]).iter().all(sayable) {
            continue;
        }
        told += 1;
        let records: Vec<&Value> = list(&vector["records"]).iter().map(|record| &record["value"]).collect();
        let mut body = vector["options"].clone();
        body["records"] = json!(records);
        let answer = GATEWAYS.json("/parse", &body).ok();
        let expected = &vector["expected"];
        assert_eq!(rows(&answer), expected["rows"], "{name}");
        for part in ["ignored", "rejected", "rounded"] {
            assert_eq!(answer[part], expected[part], "{name}: {part}");
        }
    }
    assert!(told >= 6, "of {told} vectors alone it is known");
}

#[test]
fn a_record_may_be_json_text_or_nothing() {
    let trade =
        json!({"e": "trade", "E": 1, "s": "AB", "t": 7, "p": "2", "q": "3", "T": 1_704_067_200_000_i64});
    let body = json!({ "records": [trade, trade.to_string(), null], "kinds": ["trade"] });
    let answer = GATEWAYS.json("/parse", &body).ok();
    let mut rows = list(&answer["rows"]).clone();
    assert_eq!((rows[0]["record"].take(), rows[1]["record"].take()), (json!(0), json!(1)));
    assert_eq!(rows[0], rows[1]);
    assert_eq!(
        (&rows[0]["event_time"], &rows[0]["price"]),
        (&json!("2024-01-01T00:00:00Z"), &json!("2.00000000"))
    );
    assert_eq!(rows.len() + list(&answer["ignored"]).len() + list(&answer["rejected"]).len(), 3, "{answer}");
}

#[test]
fn window_answers_as_its_golden_vectors_say() {
    for (name, vector) in golden("window") {
        let mut state = Value::Null;
        for (index, step) in list(&vector["steps"]).iter().enumerate() {
            let mut body = json!({ "specs": vector["specs"], "columns": vector["columns"], "state": state });
            let (key, value) = step.as_object().unwrap().iter().find(|(key, _)| *key != "expect").unwrap();
            match key.as_str() {
                "update" => body["rows"] = value["rows"].clone(),
                "advance" => body["watermark"] = value.clone(),
                "close_all" => body["close_all"] = true.into(),
                // What every call does; and of what an instance has seen before, none knows.
                "snapshot_restore" | "changed" => continue,
                other => panic!("{name}: `{other}` is no step that a gateway takes"),
            }
            let answer = GATEWAYS.json("/window", &body).ok();
            let place = format!("{name}, step {index}");
            match key.as_str() {
                "update" => assert_reports(&answer["reports"], &step["expect"], &place),
                _ => assert_closed(&answer["closed"], &vector["specs"], &step["expect"], &place),
            }
            state = answer["state"].clone();
        }
    }
}

fn assert_reports(reports: &Value, expected: &Value, place: &str) {
    assert_eq!(list(reports).len(), list(expected).len(), "{place}");
    for (report, expected) in list(reports).iter().zip(list(expected)) {
        for (key, value) in report.as_object().unwrap().iter().filter(|(key, _)| *key != "spec") {
            let nothing = if value.is_array() { json!([]) } else { json!(0) };
            let expected = expected.get(key).unwrap_or(&nothing);
            assert_eq!(value, expected, "{place}: {key}");
        }
    }
}

/// Golden vectors have a list of rows a spec; an answer names the specs that have any.
fn assert_closed(closed: &Value, specs: &Value, expected: &Value, place: &str) {
    let mut by_spec: Map<String, Value> = Map::new();
    for windows in list(closed) {
        by_spec.insert(windows["spec"].as_str().unwrap().to_owned(), rows(windows));
    }
    let expected: Map<String, Value> = list(specs)
        .iter()
        .zip(list(expected))
        .filter(|(_, rows)| !list(rows).is_empty())
        .map(|(spec, rows)| (spec["name"].as_str().unwrap().to_owned(), rows.clone()))
        .collect();
    assert_eq!(by_spec, expected, "{place}");
}

#[test]
fn merge_answers_as_its_golden_vectors_say() {
    for (name, vector) in golden("merge") {
        let mut settings = vector["settings"].clone();
        let averages = list(&settings["averages"]).iter();
        settings["averages"] =
            averages.map(|it| json!({ "name": it[0], "column": it[1], "length": it[2] })).collect();
        if let Some(until_us) = settings.as_object_mut().unwrap().remove("until_us") {
            settings["until"] = until_us;
        }
        let input = |input: &Value| {
            let mut input = input.clone();
            let covers = &input["covers"];
            input["covers"] = if covers.is_null() { Value::Null } else { span(covers) };
            if input["columns"].is_null() {
                input["columns"] = vector["columns"].clone();
            }
            input
        };
        let inputs: Value = list(&vector["inputs"]).iter().map(input).collect();
        let body = json!({ "before": vector["before"], "inputs": inputs, "settings": settings });
        let answer = GATEWAYS.json("/merge", &body).ok();
        assert_eq!(rows(&answer), vector["expected"]["rows"], "{name}");
        let gap = |gap: &Value| {
            json!({
                "lack": gap["lack"], "from_us": micros(&gap["from"]), "to_us": micros(&gap["to"]),
                "windows": gap["windows"],
            })
        };
        let gaps: Value = list(&answer["gaps"]).iter().map(gap).collect();
        assert_eq!(gaps, vector["expected"]["gaps"], "{name}");
    }
}

#[test]
fn backfill_answers_as_its_golden_vectors_say() {
    for (name, vector) in golden("backfill-binance") {
        for step in list(&vector["steps"]) {
            if let Some(plan) = step.get("plan") {
                let covered = plan.get("covered").map_or(json!([]), spans);
                let body = json!({
                    "options": vector["options"], "wanted": spans(&plan["wanted"]), "covered": covered,
                });
                let answer = GATEWAYS.json("/backfill/plan", &body).ok();
                let requests: Value = list(&answer["requests"]).iter().map(planned).collect();
                assert_eq!(requests, plan["expect"], "{name}");
            }
            if let Some(decode) = step.get("decode") {
                let body = json!({
                    "options": vector["options"],
                    "request": {
                        "method": "GET", "path": "/api/v3/klines", "weight": 2, "covers": span(&decode["covers"]),
                    },
                    "answer": {
                        "status": decode["status"], "body": decode["body"],
                        "headers": decode.get("headers").cloned().unwrap_or(json!([])),
                    },
                });
                let answer = GATEWAYS.json("/backfill/decode", &body).ok();
                assert_eq!(decoded(&answer), decode["expect"], "{name}");
            }
        }
    }
}

fn planned(request: &Value) -> Value {
    let mut request = request.clone();
    request["covers"] = json!([micros(&request["covers"]["from"]), micros(&request["covers"]["to"])]);
    request
}

/// An answer of `/backfill/decode` as golden vectors write it.
fn decoded(answer: &Value) -> Value {
    let verdict = match answer["verdict"].as_str().unwrap() {
        "data" => {
            let next: Value = list(&answer["next"]).iter().map(planned).collect();
            let (proved, no_data) = (pairs(&answer["proved"]), pairs(&answer["no_data"]));
            json!({ "records": answer["records"], "proved": proved, "no_data": no_data, "next": next })
        }
        other => json!({ other: answer["why"] }),
    };
    let pace = json!({
        "used_weight": answer["used_weight"], "wait_us": answer["wait_us"], "banned": answer["banned"],
    });
    json!({ "verdict": verdict, "pace": pace })
}
