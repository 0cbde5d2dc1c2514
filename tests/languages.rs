//! The example function in other languages: built by their own tools where these are installed, it keeps to the same
//! contract and makes the same rows as the one in Rust.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tallow_tests::tallow::run;
use tallow_tests::{paths, skip};

fn example(name: &str) -> PathBuf {
    paths::root().join("functions/examples").join(name)
}

/// Whether a command is there and succeeds.
fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Builds an example into `target/functions/examples`; `wasi`: with the imports of its language's runtime.
fn build(name: &str, interpreter: &str, script: &str, wasi: bool) -> String {
    let out = paths::target().join("functions/examples");
    fs::create_dir_all(&out).unwrap();
    let component = out.join(format!("{name}{}.wasm", if wasi { "-wasi" } else { "" }));
    let output = Command::new(interpreter)
        .arg(example(name).join(script))
        .arg(&component)
        .args(wasi.then_some("--wasi"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    component.display().to_string()
}

/// What such a component may take, as the page says it.
const LIMITS: [&str; 6] = ["--max-size", "64MiB", "--compile-time", "2m", "--compile-memory", "4GiB"];

fn tallow(arguments: &[&str]) -> Vec<Value> {
    let said = run(&[arguments, &LIMITS, &["--json"]].concat()).success().stdout;
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The component is vetted with the golden vectors of the function in Rust, and run on its sample.
fn holds(component: &str, wasi: bool) {
    let golden = example("coinbase").join("golden/*.json").display().to_string();
    let checked = tallow(&["functions", "check", component, "--golden", &golden]);
    assert_eq!(checked[0]["taken"], true, "{checked:?}");
    let passed = checked[0]["passed"].as_array().unwrap();
    let imports = passed.iter().find(|it| it["rule"] == "imports").unwrap()["on"].as_str().unwrap();
    assert_eq!(imports.contains("wasi:io"), wasi, "{imports}");
    let sample = example("coinbase").join("sample.jsonl").display().to_string();
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
fn the_function_in_javascript_keeps_to_the_contract() {
    let tool = "node_modules/@bytecodealliance/componentize-js";
    if !Path::new(&example("coinbase-js")).join(tool).exists() {
        return skip("JavaScript", "`npm install` in functions/examples/coinbase-js brings componentize-js");
    }
    for wasi in [false, true] {
        holds(&build("coinbase-js", "node", "build.js", wasi), wasi);
    }
}

#[test]
fn the_function_in_python_keeps_to_the_contract() {
    if !succeeds(Command::new("python3").args(["-c", "import componentize_py"])) {
        return skip("Python", "`pip install componentize-py==0.25.1` brings the tool");
    }
    for wasi in [false, true] {
        holds(&build("coinbase-py", "python3", "build.py", wasi), wasi);
    }
}
