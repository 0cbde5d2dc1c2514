//! Runs `golden/*.json` natively: specs, steps, and what each step must give, written by hand.
//!
//! A step is `update` with rows, `advance` to a watermark in µs, `close_all`, `changed` or `snapshot_restore`. For each
//! spec, `expect` has the report (counts and rows that are left out are 0 and none) or the candles.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use serde::Deserialize;
use serde_json::{Value, json};
use tallow_contract::json::{ColumnInfo, Row, Spec, Times, rows_with_places, to_rows};
use window::{Output, Report, Windows, spec};

#[test]
fn every_golden_file_gives_what_it_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let golden: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        run(&golden, &file.file_name().unwrap().to_string_lossy());
    }
}

fn run(golden: &Value, file: &str) {
    let specs = Vec::<Spec>::deserialize(&golden["specs"]).unwrap();
    let specs: Vec<spec::Spec> = specs.into_iter().map(Into::into).collect();
    let columns = Vec::<ColumnInfo>::deserialize(&golden["columns"]).unwrap();
    let mut windows = Windows::open(specs.clone()).unwrap();
    let mut watermark_us = i64::MIN;
    for (index, step) in golden["steps"].as_array().unwrap().iter().enumerate() {
        let place = format!("{file}, step {index}");
        let outputs = if let Some(update) = step.get("update") {
            let rows = Vec::<Row>::deserialize(&update["rows"]).unwrap();
            let reports = windows.update(&rows_with_places(&columns, &rows, 0).unwrap()).unwrap();
            let expected: Vec<Value> = step["expect"].as_array().unwrap().iter().map(full_report).collect();
            assert_eq!(json!(reports), json!(expected), "{place}");
            continue;
        } else if let Some(to_us) = step.get("advance") {
            watermark_us = watermark_us.max(to_us.as_i64().unwrap());
            windows.advance(watermark_us)
        } else if step.get("close_all").is_some() {
            windows.close_all()
        } else if step.get("changed").is_some() {
            windows.changed()
        } else {
            assert!(step.get("snapshot_restore").is_some(), "{place}: unknown step");
            let parts = windows.snapshot(0).parts;
            windows = Windows::restore(specs.clone(), watermark_us, &parts).unwrap();
            assert_eq!(windows.snapshot(0).parts, parts, "{place}");
            continue;
        };
        assert_eq!(json!(by_spec(&outputs, specs.len())), step["expect"], "{place}");
    }
}

/// The rows of each of `specs` specs.
fn by_spec(outputs: &[Output], specs: usize) -> Vec<Vec<Row>> {
    let mut rows = vec![Vec::new(); specs];
    for output in outputs {
        rows[output.spec as usize].extend(to_rows(&output.table, Times::Micros).unwrap());
    }
    rows
}

/// An expected report with what was left out.
fn full_report(expected: &Value) -> Value {
    let mut full = json!(Report::default());
    for (name, value) in expected.as_object().unwrap() {
        *full.get_mut(name).unwrap_or_else(|| panic!("a report has no `{name}`")) = value.clone();
    }
    full
}
