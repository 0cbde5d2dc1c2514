//! A manifest with nothing but what is required, and ways to change it.

#![allow(dead_code, reason = "each test file uses its part of it")]

pub mod documented;

use std::collections::BTreeMap;
use std::path::Path;

use tallow_manifest::{Errors, Manifest, Overrides, Pipeline, resolve};

pub const MINIMAL: &str = r#"spin_manifest_version = 2

[application]
name = "test"

[variables]

[application.trigger.kafka]
brokers = "localhost:9092"
lake = "lake"

[[trigger.kafka]]
id = "candles"
topic = "trades"
parse = "parse-market"

[[trigger.kafka.windows]]
name = "1m"
kinds = ["trade"]
tumbling = "1m"
keys = ["symbol"]
aggregates = { close = "last(price)" }

[component.parse-market]
source = "parse-market.wasm"

[component.window]
source = "window.wasm"
"#;

/// `MINIMAL` with one part of its text replaced.
pub fn with(part: &str, by: &str) -> String {
    assert_eq!(MINIMAL.matches(part).count(), 1, "{part:?} must stand once in the manifest");
    MINIMAL.replace(part, by)
}

/// `MINIMAL` with a line more after a line.
pub fn with_line(after: &str, line: &str) -> String {
    with(&format!("{after}\n"), &format!("{after}\n{line}\n"))
}

/// `MINIMAL` with a backfill `history` of its pipeline, and more lines in its table.
pub fn with_backfill(lines: &str) -> String {
    format!(
        r#"{MINIMAL}
[application.trigger.kafka.backfill.history]
pipeline = "candles"
function = "backfill-binance"
base-url = "https://api.example.com"
aggregates = {{ close = "last(close)" }}
{lines}
[component.backfill-binance]
source = "backfill-binance.wasm"
"#
    )
}

/// A manifest with a table of each kind, jobs called `name`.
pub fn with_every_table(name: &str) -> String {
    let schema = format!(
        r#"
[trigger.kafka.schema]
kind = "trade"
[trigger.kafka.schema.columns]
event_time = "timestamp"
symbol = "text"
price = "decimal"
[trigger.kafka.schema.columns.{name}]
type = "int64"

[[trigger.kafka.windows]]"#
    );
    let backfill = with_backfill("")
        .replace("backfill.history", &format!("backfill.{name}"))
        .replace("\n[[trigger.kafka.windows]]", &schema);
    format!(
        r#"{backfill}
[component.merge]
source = "merge.wasm"
[component.parse-kline]
source = "parse-kline.wasm"
[component.feed]
source = "feed.wasm"
[application.trigger.kafka.feed.{name}]
function = "feed"
topic = "fed"
symbols = ["A"]
streams = ["trade"]
[application.trigger.kafka.batch.{name}]
input = "*.csv"
[application.trigger.kafka.merge.{name}]
batch = "history"
[application.trigger.kafka.forecast.{name}]
horizon = 30
[component.forecast-prophet]
source = "forecast-prophet.wasm"
[component.forecast-naive]
source = "forecast-naive.wasm"
[trigger.kafka.windows.kafka]
topic = "results"
[trigger.kafka.windows.influxdb]
url = "http://localhost:8086"
version = "1"
database = "market"
[trigger.kafka.rekey]
topic = "rekeyed"
keys = ["symbol"]
kinds = ["trade"]
[trigger.kafka.late-rows]
topic = "late"
[trigger.kafka.dead-letters]
topic = "dead"
"#
    )
}

pub fn read(text: &str) -> Result<Manifest, Errors> {
    read_with(text, &[], &Overrides::default())
}

pub fn read_with(text: &str, env: &[(&str, &str)], overrides: &Overrides) -> Result<Manifest, Errors> {
    let env: BTreeMap<String, String> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    resolve(text, Path::new("spin.toml"), Path::new("/srv/app"), &env, overrides)
}

pub fn pipeline(text: &str) -> Pipeline {
    match read(text) {
        Ok(mut manifest) => manifest.pipelines.remove(0),
        Err(errors) => panic!("{errors}"),
    }
}

/// Every error, a line each.
pub fn errors(text: &str) -> Vec<String> {
    match read(text) {
        Ok(_) => panic!("this manifest was taken:\n{text}"),
        Err(errors) => errors.to_string().lines().map(str::to_owned).collect(),
    }
}

/// The one error.
pub fn error(text: &str) -> String {
    let errors = errors(text);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors[0].clone()
}
