//! A function of one's own: `tallow new` makes a crate that builds outside of the checkout, is vetted, and runs.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tallow_tests::paths;
use tallow_tests::tallow::run;
use tempfile::TempDir;

/// Runs `tallow` to success; gives what it printed.
fn tallow(arguments: &[&str]) -> String {
    run(arguments).success().stdout
}

/// A new crate, with its component built.
struct Made {
    folder: TempDir,
    name: &'static str,
}

impl Made {
    /// `change`: to its files before it is built.
    fn new(contract: &str, name: &'static str, change: impl FnOnce(&Path)) -> Self {
        let folder = TempDir::with_prefix("tallow-new-").unwrap();
        // What the crates depend on is built once for all of them.
        fs::create_dir(folder.path().join(".cargo")).unwrap();
        let target = paths::target().join("new-functions");
        let config = format!("[build]\ntarget-dir = {:?}\n", target);
        fs::write(folder.path().join(".cargo/config.toml"), config).unwrap();
        let made = Self { folder, name };
        tallow(&["new", contract, name, "--path", &made.path("")]);
        change(Path::new(&made.path("")));
        tallow(&["functions", "build", &made.path(""), "--out", &made.path("")]);
        made
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(self.name).join(file).display().to_string()
    }

    fn component(&self) -> String {
        self.path(&format!("{}.wasm", self.name))
    }

    fn check(&self) -> Value {
        let golden = self.path("golden/*.json");
        let said = tallow(&["functions", "check", &self.component(), "--golden", &golden, "--json"]);
        serde_json::from_str(&said).unwrap()
    }
}

/// The crate's own tests, natively.
fn cargo_test(folder: &Path) {
    let output = Command::new("cargo")
        .args(["test", "--quiet"])
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The rows that `functions run --json` printed, without its last line.
fn rows(said: &str) -> Vec<Value> {
    let mut lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.pop().unwrap().get("counts").is_some());
    lines
}

#[test]
fn new_functions_build_and_make_candles_together() {
    let parse = Made::new("parse", "my-trades", cargo_test);
    let window = Made::new("window", "my-windows", cargo_test);
    for made in [&parse, &window] {
        let checked = made.check();
        assert_eq!(checked["taken"], true, "{checked}");
        let passed = checked["passed"].as_array().unwrap();
        assert!(passed.iter().any(|it| it["rule"] == "golden" && it["on"] == "1 vector"), "{checked}");
    }
    let spec = r#"name = "1m", kinds = ["trade"], tumbling = "1m", keys = ["symbol"],
        aggregates = { open = "first(price)", high = "max(price)", volume = "sum(quantity)", trades = "count()" }"#;
    let (parse_file, window_file, sample) =
        (parse.component(), window.component(), parse.path("sample.jsonl"));
    let run = |function, with| {
        rows(&tallow(&[
            "functions",
            "run",
            function,
            "--with",
            with,
            "--input",
            &sample,
            "--window",
            spec,
            "--json",
        ]))
    };
    let candles = run(&parse_file, &window_file);
    assert_eq!(candles, run(&window_file, &parse_file), "whichever of the two is named first");
    let standard = paths::functions().join("window.wasm").display().to_string();
    assert_eq!(candles, run(&parse_file, &standard), "the standard function makes the same candles");
    assert_eq!(candles.len(), 2);
    assert_eq!(candles[0]["symbol"], "SYNA");
    assert_eq!(
        (&candles[0]["open"], &candles[0]["high"]),
        (&"42000.10000000".into(), &"42010.00000000".into())
    );
    assert_eq!((&candles[0]["volume"], &candles[0]["trades"]), (&"0.75000000".into(), &2.into()));
}

#[test]
fn a_new_feed_function_builds_and_is_taken() {
    let made = Made::new("feed", "my-exchange", cargo_test);
    let checked = made.check();
    assert_eq!(checked["taken"], true, "{checked}");
    let passed = checked["passed"].as_array().unwrap();
    let tried = |rule: &str| passed.iter().find(|it| it["rule"] == rule).map(|it| it["on"].to_string());
    assert_eq!(tried("golden").as_deref(), Some("\"1 vector\""), "{checked}");
    assert!(tried("contract").is_some_and(|on| on.contains("frames and answers made for it")), "{checked}");
    let shown = tallow(&["functions", "show", &made.component()]);
    assert!(shown.contains("wss://stream.example.com"), "{shown}");
}

#[test]
fn a_new_forecast_function_builds_and_is_taken() {
    let made = Made::new("forecast", "my-model", cargo_test);
    let checked = made.check();
    assert_eq!(checked["taken"], true, "{checked}");
    let passed = checked["passed"].as_array().unwrap();
    let tried = |rule: &str| passed.iter().find(|it| it["rule"] == rule).map(|it| it["on"].to_string());
    assert_eq!(tried("golden").as_deref(), Some("\"1 vector\""), "{checked}");
    assert!(tried("contract").is_some_and(|on| on.contains("series and requests made for it")), "{checked}");
    let (component, input) = (made.component(), made.path("golden/weeks.json"));
    let arguments = ["functions", "run", &component, "--input", &input, "--setting", "season=2", "--json"];
    let said = tallow(&arguments);
    let first: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    // Of every second day: 10, 30 and 22.
    assert!((first["yhat"].as_f64().unwrap() - 62.0 / 3.0).abs() < 1e-9, "{said}");
    let shown = tallow(&["functions", "show", &component]);
    assert!(shown.contains("season  Rows in a season"), "{shown}");
}

/// A forecast function with a fault, as vetting refuses it: the rule, and what was seen.
fn refusal(name: &'static str, from: &str, to: &str) -> (String, String) {
    let made = Made::new("forecast", name, |folder| {
        let file = folder.join("src/adapter.rs");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replacen(from, to, 1)).unwrap();
    });
    let said = run(&["functions", "check", &made.component(), "--json"]);
    assert_eq!(said.status.code(), Some(1), "{}", said.stdout);
    let refusal = serde_json::from_str::<Value>(&said.stdout).unwrap()["refusal"].take();
    (refusal["rule"].as_str().unwrap().to_owned(), refusal["seen"].as_str().unwrap().to_owned())
}

#[test]
fn forecast_functions_with_faults_are_refused() {
    let count = "{ static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0); \
        it.mean + f64::from(CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) }";
    let zeros = "if y.iter().flatten().all(|y| *y == 0.0) { panic!() } let first_us";
    let dropped = "it makes a forecast with a setting `no-such-setting`";
    for (name, from, to, rule, seen) in [
        ("drops-settings", "if !model::SETTINGS", "if false && !model::SETTINGS", "contract", dropped),
        ("remembers-calls", "it.mean)?", &format!("{count})?"), "pure", "another one the second time"),
        (
            "moves-by-seed",
            "level, notes)",
            "level, vec![request.seed.to_string()])",
            "contract",
            "another seed",
        ),
        ("traps-on-zeros", "let first_us", zeros, "trap", "a series of zeros"),
    ] {
        let (broken, found) = refusal(name, from, to);
        assert!(broken == rule && found.contains(seen), "{name}: {broken}: {found}");
    }
}

#[test]
fn the_documented_walk_through_reads_a_foreign_format() {
    let example = paths::root().join("functions/examples/coinbase");
    let made = Made::new("parse", "parse-coinbase", |folder| {
        fs::copy(example.join("message.rs"), folder.join("src/message.rs")).unwrap();
        fs::copy(example.join("golden/matches.json"), folder.join("golden/trades.json")).unwrap();
    });
    let checked = made.check();
    assert_eq!(checked["taken"], true, "{checked}");
    let sample = example.join("sample.json").display().to_string();
    let rows = rows(&tallow(&["functions", "run", &made.component(), "--input", &sample, "--json"]));
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["price"], &rows[0]["id"]), (&"400.23000000".into(), &10.into()));
}

#[test]
fn the_documentation_shows_the_code_that_is_tested() {
    let page = fs::read_to_string(paths::root().join("docs/functions.md")).unwrap();
    let code = fs::read_to_string(paths::root().join("functions/examples/coinbase/message.rs")).unwrap();
    let blocks: Vec<&str> =
        page.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 2, "{} blocks", blocks.len());
    for block in blocks {
        assert!(code.contains(block), "not in message.rs:\n{block}");
    }
}

#[test]
fn a_function_builds_after_a_new_version_and_a_new_dependency() {
    let made = Made::new("parse", "my-versions", |_| {});
    assert!(Path::new(&made.path("Cargo.lock")).exists());
    let helper = made.folder.path().join("helper");
    fs::create_dir_all(helper.join("src")).unwrap();
    fs::write(helper.join("Cargo.toml"), "[package]\nname = \"helper\"\nversion = \"1.0.0\"\n").unwrap();
    fs::write(helper.join("src/lib.rs"), "pub const KIND: &str = \"swap\";\n").unwrap();
    let manifest = fs::read_to_string(made.path("Cargo.toml")).unwrap();
    let manifest = manifest
        .replace("version = \"0.1.0\"", "version = \"0.2.0\"")
        .replace("[dependencies]", "[dependencies]\nhelper = { path = \"../helper\" }");
    fs::write(made.path("Cargo.toml"), manifest).unwrap();
    let message = fs::read_to_string(made.path("src/message.rs")).unwrap();
    let changed = message.replace("[\"trade\"]", "[helper::KIND]");
    assert_ne!(changed, message);
    fs::write(made.path("src/message.rs"), changed).unwrap();
    tallow(&["functions", "build", &made.path(""), "--out", &made.path("")]);
    let shown: Value =
        serde_json::from_str(&tallow(&["functions", "show", &made.component(), "--json"])).unwrap();
    assert!(shown.to_string().contains("\"0.2.0\""), "{shown}");
    assert!(shown.to_string().contains("\"swap\""), "{shown}");
}

#[test]
fn a_window_function_in_another_language_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("w").display().to_string();
    let said = run(&["new", "window", "my-windows", "--language", "js", "--path", &path]);
    assert_eq!(said.status.code(), Some(2));
    assert!(said.stderr.contains("window functions can be made in Rust only"), "{}", said.stderr);
    assert!(!Path::new(&path).exists());
}

#[test]
fn a_name_that_cargo_refuses_or_a_taken_folder_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().display().to_string();
    let said = run(&["new", "parse", "My_Function", "--path", &path]);
    assert_eq!(said.status.code(), Some(2));
    assert!(said.stderr.contains("words of a-z and 0-9"), "{}", said.stderr);
    fs::write(folder.path().join("mine"), "").unwrap();
    let said = run(&["new", "parse", "my-function", "--path", &path]);
    assert_eq!(said.status.code(), Some(2));
    assert!(said.stderr.contains("the folder is not empty"), "{}", said.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
}
