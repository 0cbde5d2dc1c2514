//! Functions in other languages: `tallow new` makes them, they build outside of the checkout by their own tools where
//! these are installed, keep to the same contract and make the same rows as the one in Rust.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tallow_tests::tallow::run;
use tallow_tests::{paths, python, skip_unless_ci};
use tempfile::TempDir;

fn example(name: &str) -> PathBuf {
    paths::root().join("functions/examples/coinbase").join(name)
}

/// A new function outside of the checkout, as `tallow new` makes it.
struct Made {
    folder: TempDir,
    language: &'static str,
}

impl Made {
    fn new(language: &'static str) -> Self {
        let folder = TempDir::with_prefix("tallow-new-").unwrap();
        let path = folder.path().join("mine").display().to_string();
        run(&["new", "parse", "mine", "--language", language, "--path", &path]).success();
        Self { folder, language }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join("mine").join(file)
    }

    /// Builds it by its own script; `wasi`: with the imports of its language's runtime.
    fn build(&self, interpreter: &Path, wasi: bool) -> String {
        let component = self.path(if wasi { "wasi.wasm" } else { "mine.wasm" });
        let output = Command::new(interpreter)
            .arg(self.path(if self.language == "js" { "build.js" } else { "build.py" }))
            .arg(&component)
            .args(wasi.then_some("--wasi"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        component.display().to_string()
    }

    /// Vetted as it is made, with its own golden vector; then as the walk-through's function.
    fn holds(&self, interpreter: &Path, message: &str) {
        let component = self.build(interpreter, false);
        checks(&component, &self.path("golden/*.json"), false);
        let sample = self.path("sample.jsonl").display().to_string();
        let shown = tallow(&["functions", "run", &component, "--input", &sample]);
        let counts = &shown.last().unwrap()["counts"];
        assert_eq!((&counts["rows"], &counts["ignored"]["heartbeat"]), (&json!(3), &json!(1)), "{counts}");
        fs::copy(example(message), self.path(message)).unwrap();
        for wasi in [false, true] {
            holds(&self.build(interpreter, wasi), wasi);
        }
    }
}

/// What such a component may take, as the page says it.
const LIMITS: [&str; 6] = ["--max-size", "64MiB", "--compile-time", "2m", "--compile-memory", "4GiB"];

fn tallow(arguments: &[&str]) -> Vec<Value> {
    let said = run(&[arguments, &LIMITS, &["--json"]].concat()).success().stdout;
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The component is vetted with golden vectors.
fn checks(component: &str, golden: &Path, wasi: bool) {
    let golden = golden.display().to_string();
    let checked = tallow(&["functions", "check", component, "--golden", &golden]);
    assert_eq!(checked[0]["taken"], true, "{checked:?}");
    let passed = checked[0]["passed"].as_array().unwrap();
    let imports = passed.iter().find(|it| it["rule"] == "imports").unwrap()["on"].as_str().unwrap();
    assert_eq!(imports.contains("wasi:io"), wasi, "{imports}");
}

/// It keeps to the golden vectors of the function in Rust, and makes the same of its sample.
fn holds(component: &str, wasi: bool) {
    checks(component, &example("golden/*.json"), wasi);
    let sample = example("sample.jsonl").display().to_string();
    let shown = tallow(&["functions", "run", component, "--input", &sample]);
    let prices: Vec<&Value> = shown.iter().filter_map(|row| row.get("price")).collect();
    assert_eq!(json!(prices), json!(["400.23000000", "401.00000000", "399.99000000"]));
    let counts = json!({
        "records": 6,
        "rows": 3,
        "ignored": { "heartbeat": 1, "subscriptions": 1 },
        "rejected": { "`time` is no time": 1 },
        "rounded": 0,
    });
    assert_eq!(shown.last().unwrap()["counts"], counts);
}

#[test]
fn a_new_function_in_javascript_keeps_to_the_contract() {
    let tool = paths::target().join("tools/javascript/node_modules");
    if !tool.join("@bytecodealliance/componentize-js").exists() {
        let why = "`scripts/doctor.sh test` brings componentize-js, where there is npm";
        return skip_unless_ci("JavaScript", why);
    }
    let made = Made::new("js");
    std::os::unix::fs::symlink(tool, made.path("node_modules")).unwrap();
    made.holds(Path::new("node"), "message.js");
}

#[test]
fn a_new_function_in_python_keeps_to_the_contract() {
    match python::with("componentize_py") {
        Ok(python) => Made::new("python").holds(Path::new(&python), "message.py"),
        Err(why) => skip_unless_ci("Python", &why),
    }
}
