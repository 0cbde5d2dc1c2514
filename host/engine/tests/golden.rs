//! The golden vectors of the standard functions, run on their components as they were built.

// Clippy allows these in test functions; here the helpers are part of the tests too.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use tallow_engine::golden::{
    GoldenError, run_backfill, run_feed, run_forecast, run_merge, run_parse, run_window,
};
use tallow_engine::{Component, Contract, Limits, Runtime};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs every vector of a function; fails with all that do not hold.
fn every_vector(
    function: &str,
    contract: Contract,
    run: impl Fn(&Component, Limits, &str) -> Result<(), GoldenError>,
) {
    let runtime = Runtime::new(None).unwrap();
    let file = root().join(format!("target/functions/{function}.wasm"));
    let component = runtime
        .load_file(function, &file, contract)
        .unwrap_or_else(|error| panic!("{error}; run `make functions`"));
    let folder = root().join(format!("functions/{function}/golden"));
    let mut vectors: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    vectors.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    vectors.sort();
    assert!(!vectors.is_empty(), "no vectors in {}", folder.display());
    let failures: Vec<_> = vectors
        .iter()
        .filter_map(|path| {
            let vector = std::fs::read_to_string(path).unwrap();
            let error = run(&component, Limits::default(), &vector).err()?;
            Some(format!("{}: {error}", path.display()))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_golden_vector_holds_in_the_parse_component() {
    every_vector("parse-market", Contract::Parse, run_parse);
    every_vector("parse-json", Contract::Parse, run_parse);
    every_vector("parse-kline", Contract::Parse, run_parse);
}

#[test]
fn every_golden_vector_holds_in_the_window_component() {
    every_vector("window", Contract::Window, run_window);
}

#[test]
fn every_golden_vector_holds_in_the_backfill_components() {
    every_vector("backfill-binance", Contract::Backfill, run_backfill);
    every_vector("backfill-coinbase", Contract::Backfill, run_backfill);
}

#[test]
fn every_golden_vector_holds_in_the_feed_components() {
    every_vector("feed-binance", Contract::Feed, run_feed);
    every_vector("feed-coinbase", Contract::Feed, run_feed);
}

#[test]
fn every_golden_vector_holds_in_the_forecast_components() {
    every_vector("forecast-naive", Contract::Forecast, run_forecast);
    every_vector("forecast-prophet", Contract::Forecast, run_forecast);
    every_vector("forecast-ets", Contract::Forecast, run_forecast);
}

#[test]
fn every_golden_vector_holds_in_the_merge_component() {
    every_vector("merge", Contract::Merge, run_merge);
}

#[test]
fn a_vector_that_does_not_hold_names_row_record_and_column() {
    let runtime = Runtime::new(None).unwrap();
    let file = root().join("target/functions/parse-market.wasm");
    let component = runtime.load_file("parse-market", &file, Contract::Parse).unwrap();
    let path = root().join("functions/parse-market/golden/trade.json");
    let vector = std::fs::read_to_string(path).unwrap();
    let wrong = vector.replacen("\"price\": \"61837.63000000\"", "\"price\": \"61837.64000000\"", 1);
    assert_ne!(vector, wrong);
    let error = run_parse(&component, Limits::default(), &wrong).unwrap_err().to_string();
    let place = "rows[0] (record 0), price";
    assert_eq!(error, format!(r#"{place}: expected "61837.64000000", found "61837.63000000""#));
}

#[test]
fn a_window_that_does_not_hold_names_step_spec_row_and_column() {
    let runtime = Runtime::new(None).unwrap();
    let file = root().join("target/functions/window.wasm");
    let component = runtime.load_file("window", &file, Contract::Window).unwrap();
    let vector =
        std::fs::read_to_string(root().join("functions/window/golden/holes_across_windows.json")).unwrap();
    let wrong = vector.replacen(
        "\"first_id\": 6, \"last_id\": 6, \"missing\": 1",
        "\"first_id\": 6, \"last_id\": 6, \"missing\": 0",
        1,
    );
    assert_ne!(vector, wrong);
    let error = run_window(&component, Limits::default(), &wrong).unwrap_err().to_string();
    assert_eq!(error, "step 1, advance, `1m`[2], missing: expected 0, found 1");
}
