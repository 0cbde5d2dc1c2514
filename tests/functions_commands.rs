//! `tallow functions` on the command line: which function is meant, and what is printed.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tallow_tests::paths;
use tallow_tests::tallow::{Finished, run, start_command};
use tempfile::TempDir;

/// Runs `tallow functions` on the checkout's own manifest.
fn functions(arguments: &[&str]) -> Finished {
    let manifest = paths::root().join("spin.toml").display().to_string();
    run(&[&["functions"], arguments, &["-f", &manifest]].concat())
}

fn component(name: &str) -> String {
    paths::functions().join(format!("{name}.wasm")).display().to_string()
}

fn json_lines(said: &str) -> Vec<Value> {
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Trades of one second each, as the exchange sends them.
fn sample(trades: u64) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("sample.jsonl");
    let lines = (0..trades).map(|id| {
        let at_ms = 1_704_067_200_000 + id * 1000;
        format!(
            r#"{{"e":"trade","E":{at_ms},"s":"SYNA","t":{id},"p":"{}.50","q":"2","T":{at_ms},"m":true,"M":true}}"#,
            100 + id % 60
        ) + "\n"
    });
    fs::write(&path, lines.collect::<String>()).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn a_component_is_checked_with_its_own_vectors_and_windows() {
    for name in ["parse-market", "window"] {
        let said = functions(&["check", name]).success().stdout;
        assert!(said.contains(&format!("{name}: a good ")) && said.contains(" vectors"), "{said}");
    }
    let said = functions(&["check", "window", "--json"]).success().stdout;
    let checked = &json_lines(&said)[0];
    let on = |rule: &str| {
        let passed = checked["passed"].as_array().unwrap().iter().find(|it| it["rule"] == rule);
        passed.unwrap()["on"].as_str().unwrap().to_owned()
    };
    assert!(on("ledger").contains("the pipeline's"), "{checked}");
}

#[test]
fn a_file_is_checked_against_the_component_it_replaces() {
    let same = functions(&["check", &component("window"), "--for", "window"]).success().stdout;
    assert!(!same.contains("old-state"), "it is the same file: {same}");
    let refused = functions(&["check", &component("test/hostile-window"), "--for", "window"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("breaks the rule `golden`"), "{}", refused.stderr);
    let json = functions(&["check", &component("test/hostile-window"), "--for", "parse-market", "--json"]);
    let refusal = &json_lines(&json.stdout)[0];
    assert_eq!((&refusal["taken"], &refusal["refusal"]["rule"]), (&json!(false), &json!("world")));
}

#[test]
fn a_forecast_function_is_run_on_a_request() {
    let vector = paths::root().join("functions/forecast-naive/golden/last.json").display().to_string();
    let arguments = ["run", &component("forecast-naive"), "--input", &vector];
    let said = functions(&arguments).success().stdout;
    assert!(said.contains("2024-01-08") && said.contains("sigma  1.732051"), "{said}");
    // The line through the first and the last value.
    let drift =
        functions(&[&arguments[..], &["--setting", "method=drift", "--json"]].concat()).success().stdout;
    let lines = json_lines(&drift);
    assert_eq!(
        (&lines[1]["yhat"], &lines[3]["parameters"]["slope"]),
        (&json!(5.0), &json!([1.0])),
        "{drift}"
    );
    let refused = functions(&[&arguments[..], &["--setting", "metod=drift"]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("did you mean `method`?"), "{}", refused.stderr);
    let (_folder, trades) = sample(1);
    let no_request = functions(&["run", &component("forecast-naive"), "--input", &trades]);
    assert_eq!(no_request.status.code(), Some(2));
    assert!(no_request.stderr.contains("a request is `{\"history\":"), "{}", no_request.stderr);
    let records = functions(&[&arguments[..], &["--records", "line"]].concat());
    assert!(records.stderr.contains("reads a request, not records"), "{}", records.stderr);
}

#[test]
fn what_is_no_file_or_component_is_refused_with_the_known_ones() {
    let said = functions(&["show", "windov"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(
        said.stderr.contains("no [component.windov]") && said.stderr.contains("parse-market, window"),
        "{}",
        said.stderr
    );
    let said = functions(&["show", "nowhere/it.wasm"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(said.stderr.contains("nowhere/it.wasm"), "{}", said.stderr);
}

#[test]
fn show_says_what_the_function_says_of_itself() {
    let shown = json_lines(&functions(&["show", "parse-market", "--json"]).success().stdout);
    assert_eq!((&shown[0]["contract"], &shown[0]["name"]), (&json!("parse"), &json!("parse-market")));
    let columns = shown[0]["columns"].as_array().unwrap();
    assert!(
        columns.iter().any(|it| it["name"] == "event_time" && it["type"] == "timestamp-us"),
        "{columns:?}"
    );
    let said = functions(&["show", "window"]).success().stdout;
    assert!(said.contains("state     writes version 4, reads 1, 2, 3, 4"), "{said}");
}

#[test]
fn run_makes_the_pipelines_candles_of_a_sample() {
    let (_folder, sample) = sample(90);
    let said =
        functions(&["run", "parse-market", "--input", &sample, "--candles", "--json"]).success().stdout;
    let mut lines = json_lines(&said);
    assert_eq!(lines.pop().unwrap()["counts"]["rows"], 90);
    let minutes: Vec<&Value> = lines.iter().filter(|line| line["window"] == "1m").collect();
    let of = |name: &str| minutes.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(json!(of("trades")), json!([60, 30]));
    assert_eq!(json!(of("high")), json!(["159.50000000", "129.50000000"]));
    assert_eq!(json!(of("volume")), json!(["120.00000000", "60.00000000"]));
    let days: Vec<&Value> = lines.iter().filter(|line| line["window"] == "1d").collect();
    assert_eq!((days.len(), &days[0]["trades"]), (1, &json!(90)));
}

/// A limit that neither compiled code nor a function's memory keeps to.
#[test]
fn functions_run_where_compiled_code_cannot_be_kept() {
    let (folder, sample) = sample(3);
    let cache = folder.path().join("tallow/compiled");
    let program = paths::program("tallow").display().to_string();
    let run = |signal: &str| {
        let mut command = Command::new("sh");
        let limited = format!("{signal} ulimit -f 16 && XDG_CACHE_HOME=$1 && shift && exec \"$0\" \"$@\"");
        command.args(["-c", &limited, &program, &folder.path().display().to_string()]);
        command.args(["functions", "run", &component("parse-market"), "--input", &sample]);
        start_command(command).wait().success()
    };
    // Left alone, and ignored by whoever started the program.
    for signal in ["", "trap '' XFSZ &&"] {
        let said = run(signal);
        assert!(said.stdout.contains("3 records: 3 rows"), "{}", said.stdout);
        assert!(said.stderr.contains("compiled code is not cached"), "{}", said.stderr);
        assert_eq!(cache.read_dir().unwrap().count(), 0, "half a file is kept");
    }
}

#[test]
fn run_without_windows_shows_rows_and_says_what_it_left_out() {
    let (_folder, sample) = sample(45);
    let said = functions(&["run", "parse-market", "--input", &sample]).success().stdout;
    assert!(said.contains("… and 5 rows more"), "{said}");
    assert!(said.contains("45 records: 45 rows, 0 ignored, 0 rejected"), "{said}");
    assert!(said.contains("2024-01-01 00:00:01.000Z"), "{said}");
}

#[test]
fn a_wrong_window_is_reported_as_in_a_manifest() {
    let (_folder, sample) = sample(1);
    let window = r#"name = "1m", kinds = ["trade"], tumbling = "1m", key = ["symbol"], aggregates = { n = "count()" }"#;
    let said = run(&[
        "functions",
        "run",
        &component("parse-market"),
        "--input",
        &sample,
        "--window",
        window,
        "--with",
        &component("window"),
    ]);
    assert_eq!(said.status.code(), Some(2));
    assert!(said.stderr.contains("key: unknown key; did you mean `keys`?"), "{}", said.stderr);
}
