//! What must not run does not: every way into a run looks at the functions and at what the manifest asks of them.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tallow_tests::stream::Stream;
use tallow_tests::tallow::{self, Finished};
use tallow_tests::{batch, paths};

/// A manifest of one pipeline, changed in one place.
struct Place(tempfile::TempDir);

const MERGE: &str = "[component.merge]\nsource = \"{functions}/merge.wasm\"\n";

impl Place {
    fn new(part: &str, by: &str) -> Self {
        let text = include_str!("trigger/spin.toml").replace("given on the command line", "localhost:1");
        assert_eq!(text.matches(part).count(), 1, "{part:?} must stand once in the manifest");
        let text = text.replace(part, by) + MERGE;
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.manifest(), text.replace("{functions}", &paths::functions().display().to_string()))
            .unwrap();
        place
    }

    fn manifest(&self) -> PathBuf {
        self.0.path().join("spin.toml")
    }

    fn run(&self, command: &[&str]) -> Finished {
        let manifest = self.manifest().display().to_string();
        let arguments: Vec<&str> = command.iter().copied().chain(["-f", &manifest]).collect();
        tallow::run_with(&[("TALLOW_LOG", "error")], &arguments)
    }

    /// What `tallow check` and `tallow up` say, without the file's name: both the same.
    fn refused(&self) -> Vec<String> {
        let lines = |finished: Finished| {
            assert_eq!(finished.status.code(), Some(2), "{}{}", finished.stdout, finished.stderr);
            let prefix = format!("{}:", self.manifest().display());
            let text = finished.stderr.trim_start_matches("tallow: ").replace(&prefix, "");
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let checked = lines(self.run(&["check"]));
        assert_eq!(lines(self.run(&["up", "--available-now"])), checked);
        for folder in ["functions", "jobs"] {
            assert!(!self.0.path().join("lake/_tallow").join(folder).exists(), "nothing may be written");
        }
        checked
    }
}

fn starts(lines: &[String], expected: &[&str]) {
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}\n{expected}");
    }
}

#[test]
fn a_type_that_does_not_serve_is_named_with_its_line() {
    let sum = "33:10: trigger.kafka[candles].windows[1m].aggregates.volume: window `1m`: aggregate `volume`: `sum` takes \
               decimals and int64, not text: its sum must be exact; `sum` takes `id`, `last_id`, `price`, `quantity`, ";
    starts(&Place::new("sum(quantity)", "sum(symbol)").refused(), &[sum]);
    let low = "31:7: trigger.kafka[candles].windows[1m].aggregates.low: window `1m`: aggregate `low`: `min` does not take \
               boolean; `min` takes `event_time`, `id`, ";
    starts(&Place::new("min(price)", "min(buyer_maker)").refused(), &[low]);
    let key = "25:8: trigger.kafka[candles].windows[1m].keys: column `price` is decimal, and a key is text; of that type \
               `parse-market` makes `symbol`, `interval`, `data_id`";
    starts(&Place::new("keys = [\"symbol\"]", "keys = [\"price\"]").refused(), &[key]);
    let ids = "26:7: trigger.kafka[candles].windows[1m].ids: column `symbol` is text, and an id is an int64; of that type \
               `parse-market` makes `id`, `last_id`, `trades`, `rolling_trades`";
    let time = "27:8: trigger.kafka[candles].windows[1m].time: column `price` is decimal, and the time of a window is a \
                timestamp-us; of that type `parse-market` makes `event_time`";
    starts(&Place::new("ids = \"id\"", "ids = \"symbol\"\ntime = \"price\"").refused(), &[ids, time]);
}

#[test]
fn a_name_that_is_not_there_has_line_list_and_nearest() {
    let kind = "23:9: trigger.kafka[candles].windows[1m].kinds: `parse-market` makes no rows of the kind `trades`; did you \
                mean `trade`? there are `trade`, `agg-trade`, `kline`, `ticker`, `json`";
    starts(&Place::new("kinds = [\"trade\"]", "kinds = [\"trades\"]").refused(), &[kind]);
    let column = "30:8: trigger.kafka[candles].windows[1m].aggregates.high: `parse-market` makes no column `prize`; did you \
                  mean `price`? there are `symbol`, `event_time`, `id`, ";
    starts(&Place::new("max(price)", "max(prize)").refused(), &[column]);
    let setting = "17:18: trigger.kafka[candles].parse-settings: parse-market has no setting `symbl`; the nearest is `symbol`";
    let settings = "parse = \"parse-market\"\nparse-settings = { symbl = \"A\" }";
    starts(&Place::new("parse = \"parse-market\"", settings).refused(), &[setting]);
    let invariant = "16:23: trigger.kafka[candles].swap.invariants: no window of this pipeline has a column `volum`; did you \
                     mean `volume`? there are `close`, `complete`, ";
    let swap = "delay = \"2s\"\nswap = { invariants = [\"volum >= 0\"] }";
    starts(&Place::new("delay = \"2s\"", swap).refused(), &[invariant]);
}

/// The manifest with parse-json, and these lines beside it.
fn with_schema(lines: &str) -> Vec<String> {
    let place = Place::new("parse = \"parse-market\"", &format!("parse = \"parse-json\"\n{lines}"));
    let text = fs::read_to_string(place.manifest()).unwrap();
    let component = "[component.parse-json]\nsource = \"parse-json.wasm\"\n";
    fs::write(place.manifest(), text + &component.replace("parse-json.wasm", &functions("parse-json")))
        .unwrap();
    place.refused()
}

fn functions(name: &str) -> String {
    paths::functions().join(name).with_extension("wasm").display().to_string()
}

#[test]
fn what_a_schema_does_not_give_is_refused_as_columns_are() {
    let needs = "12:1: trigger.kafka[candles].schema: `parse-json` makes rows by a schema of the messages: state it in \
                 [trigger.kafka.schema]";
    starts(&with_schema(""), &[needs]);
    let schema = |symbol: &str| {
        format!(
            "schema = {{ kind-from = \"e\", columns = {{ event_time = \"timestamp\", symbol = \"{symbol}\", id = \"int64\", \
             price = \"decimal\", quantity = \"decimal\" }} }}"
        )
    };
    let key = "26:8: trigger.kafka[candles].windows[1m].keys: column `symbol` is int64, and a key is text; of that type \
               `parse-json` makes nothing";
    starts(&with_schema(&schema("int64")), &[key]);
}

#[test]
fn a_client_setting_that_is_misspelt_has_line_and_nearest() {
    let client = |setting: &str| format!("lake = \"lake\"\nclient = {{ {setting} }}");
    let path = "11:12: application.trigger.kafka.client";
    let misspelt = Place::new("lake = \"lake\"", &client("security.protocl = \"ssl\"")).refused();
    let nearest = "librdkafka has no such setting; did you mean `security.protocol`?";
    let at = "11:31: application.trigger.kafka.client.\"security.protocl\": ";
    starts(&misspelt, &[&format!("{at}{nearest}")]);
    let secret = Place::new("lake = \"lake\"", &client("\"sasl.pasword\" = \"hunter2\"")).refused();
    assert!(
        secret[0].contains("did you mean `sasl.password`?") && !secret[0].contains("hunter2"),
        "{secret:?}"
    );
    assert!(secret[0].starts_with(&path[..3]), "{secret:?}");
    let file = Place::new(
        "lake = \"lake\"",
        &client("\"security.protocol\" = \"ssl\", \"ssl.ca.location\" = \"/none\""),
    );
    let file = file.refused();
    assert!(file[0].contains("client.\"ssl.ca.location\": ") && file[0].starts_with("11:"), "{file:?}");
}

#[test]
fn a_merge_of_a_column_that_no_table_has_is_refused() {
    let merge =
        "lake = \"lake\"\nmerge.daily = { speed = \"candles_1m\", zero = [\"volum\"], prophet = \"clos\" }";
    let zero = "11:46: application.trigger.kafka.merge.daily.zero: no input has a column `volum`; did you mean `volume`? \
                there are `close`, ";
    let prophet = "11:67: application.trigger.kafka.merge.daily.prophet: the served table has no column `clos`; did you mean \
                   `close`? there are ";
    starts(&Place::new("lake = \"lake\"", merge).refused(), &[zero, prophet]);
}

/// A golden vector that cannot hold: the price of a trade is another one.
fn spoiled_vector(folder: &Path) -> String {
    let golden = fs::read_to_string(paths::root().join("functions/parse-market/golden/trade.json")).unwrap();
    let (at, price) = golden.rfind("\"trade\"").map(|at| (at, "\"trade\"")).unwrap();
    let spoiled = format!("{}\"kline\"{}", &golden[..at], &golden[at + price.len()..]);
    let path = folder.join("spoiled.json");
    fs::write(&path, spoiled).unwrap();
    path.display().to_string()
}

#[test]
fn a_function_whose_golden_vector_fails_does_not_start() {
    let place =
        Place::new("lake = \"lake\"", "lake = \"lake\"\nfunctions.parse-market.golden = \"spoiled.json\"");
    spoiled_vector(place.0.path());
    let refused = place.refused();
    assert!(refused[0].contains("breaks the rule `golden`"), "{refused:#?}");
    assert!(refused[0].starts_with("[component.parse-market]: "), "{refused:#?}");
}

#[test]
fn a_function_that_breaks_the_contract_does_not_start() {
    let source = "source = \"{functions}/parse-market.wasm\"";
    let place = Place::new(source, &source.replace("parse-market.wasm", "test/hostile-parse.wasm"));
    // It behaves unless it is asked for a habit.
    place.run(&["check"]).success();
    let text = fs::read_to_string(place.manifest()).unwrap();
    let parse = "parse = \"parse-market\"";
    let habit = text.replace(parse, &format!("{parse}\nparse-settings = {{ habit = \"any-column\" }}"));
    fs::write(place.manifest(), habit).unwrap();
    let refused = place.refused();
    assert!(
        refused[0].contains("[component.parse-market]: ") && refused[0].contains("the rule `options`"),
        "{refused:#?}"
    );
}

#[test]
fn a_function_asked_for_more_than_it_does_does_not_start() {
    let source = "source = \"{functions}/window.wasm\"";
    let refused = Place::new(source, &source.replace("window.wasm", "test/hostile-window.wasm")).refused();
    assert_eq!(refused.len(), 1, "{refused:#?}");
    assert!(refused[0].contains("windows[1m].aggregates: spec `1m` is not tumbling"), "{refused:#?}");
}

#[test]
fn a_batch_goes_through_the_same_gate() {
    let job = batch::Job::new("input = \"*.csv\"\ntumbling = \"1d\"\nsymbol = \"X\"\ninterval = \"1m\"");
    let manifest = fs::read_to_string(job.path("spin.toml")).unwrap();
    let golden = "[application.trigger.kafka.functions.parse-kline]\ngolden = \"spoiled.json\"\n[application.trigger.kafka.batch";
    fs::write(job.path("spin.toml"), manifest.replacen("[application.trigger.kafka.batch", golden, 1))
        .unwrap();
    fs::write(job.path("spoiled.json"), "{}").unwrap();
    job.file("a.csv", "open_time,open,high,low,close,volume\n1723161600000,1,1,1,1,1\n");
    let run = tallow::run(&job.arguments());
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
    assert!(
        run.stderr.contains("[component.parse-kline]: ") && run.stderr.contains("the rule `golden`"),
        "{}",
        run.stderr
    );
    assert!(job.objects().is_empty());
}

#[test]
fn a_bad_file_starts_with_the_last_good_one_where_asked() {
    let mut stream = Stream::in_memory();
    let source = format!("source = \"{}/parse-market.wasm\"", paths::functions().display());
    stream.edit(&source, "source = \"bad.wasm\"");
    fs::write(stream.folder().join("bad.wasm"), "no component").unwrap();
    let lake = stream.lake().display().to_string();
    let up = |stream: &Stream| tallow::run(&tallow::drain(&stream.manifest(), &lake, &stream.brokers));
    stream.edit("delay = \"2s\"", "delay = \"2s\"\non-bad-function = \"last-good\"");
    let first = up(&stream);
    assert_eq!(first.status.code(), Some(2), "nothing ran before: {}", first.stderr);

    stream.edit("source = \"bad.wasm\"", &source);
    // What is still open stays open: it is finished by the functions of this run in the next.
    let mut open = tallow::drain(&stream.manifest(), &lake, &stream.brokers);
    open.retain(|argument| argument != "--close-all");
    tallow::run(&open).success();
    stream.trade(500);
    stream.edit(&source, "source = \"bad.wasm\"");
    let warned = up(&stream).success();
    for part in
        ["WARN", "[component.parse-market]", "bad.wasm", "continuing with those of the last run", "sha256 "]
    {
        assert!(warned.stderr.contains(part), "{part}: {}", warned.stderr);
    }
    stream.compare();

    // A mistake in the manifest is no function's fault.
    stream.edit("sum(quantity)", "sum(symbol)");
    assert_eq!(up(&stream).status.code(), Some(2));
    stream.edit("sum(symbol)", "sum(quantity)");
    stream.edit("on-bad-function = \"last-good\"", "on-bad-function = \"stop\"");
    let stopped = up(&stream);
    assert_eq!(stopped.status.code(), Some(2), "{}", stopped.stderr);
    assert!(!stopped.stderr.contains("last run"), "{}", stopped.stderr);
}

#[test]
fn windows_without_keys_pass_with_ids_and_without() {
    for ids in ["ids = \"id\"", ""] {
        let place = Place::new("keys = [\"symbol\"]\nids = \"id\"", &format!("keys = []\n{ids}"));
        place.run(&["check"]).success();
    }
}
