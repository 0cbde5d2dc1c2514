//! Functions of a running pipeline, changed by the program's own commands: what `tallow functions` says and does.

#![allow(clippy::unwrap_used)]

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tallow_env::{Clock, SystemClock};
use tallow_tests::{components, paths, tallow};
use tempfile::TempDir;

/// A demo that runs in the background, with a socket to ask it by.
struct Stage {
    folder: TempDir,
    /// Killed with the stage.
    _demo: tallow::Running,
}

impl Stage {
    fn open(seconds: &str) -> Self {
        Self::open_with(seconds, &[])
    }

    fn open_with(seconds: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = manifest(folder.path());
        Self::demo(folder, &manifest, seconds, more)
    }

    fn demo(folder: TempDir, manifest: &Path, seconds: &str, more: &[&str]) -> Self {
        let socket = folder.path().join("control.sock");
        let lake = folder.path().join("lake");
        let arguments = [
            "demo".as_ref(),
            "--seconds".as_ref(),
            seconds.as_ref(),
            "-f".as_ref(),
            manifest.as_os_str(),
            "--lake".as_ref(),
            lake.as_os_str(),
            "--control".as_ref(),
            socket.as_os_str(),
        ];
        let arguments: Vec<&OsStr> = arguments.into_iter().chain(more.iter().map(AsRef::as_ref)).collect();
        let stage = Self { _demo: tallow::start(&arguments), folder };
        stage.wait_until("the demo listens and candles come", || {
            socket.exists() && tallow::log_records(&stage.folder.path().join("lake")) > 10
        });
        stage
    }

    fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let clock = SystemClock::new();
        let start = clock.ticks();
        while !holds() {
            assert!(clock.ticks().since(start) < Duration::from_secs(60), "waited in vain until {what}");
            clock.sleep(Duration::from_millis(50));
        }
    }

    /// What a command answers, line by line, and its exit code.
    fn ask(&self, arguments: &[&str]) -> (Vec<Value>, i32) {
        let socket = self.folder.path().join("control.sock").display().to_string();
        let all: Vec<&str> = ["functions"]
            .into_iter()
            .chain(arguments.iter().copied())
            .chain(["--control", &socket, "--json"])
            .collect();
        let finished = tallow::run(&all);
        let lines = finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (lines, finished.status.code().unwrap())
    }

    fn history(&self) -> Vec<String> {
        let lake = self.folder.path().join("lake").display().to_string();
        let manifest = self.folder.path().join("spin.toml").display().to_string();
        let run =
            tallow::run(&["functions", "history", "--json", "-f", &manifest, "--lake", &lake]).success();
        let history: Value = serde_json::from_str(&run.stdout).unwrap();
        let changes = history["pipelines"][0]["changes"].as_array().unwrap();
        changes.iter().map(|change| change["what"].as_str().unwrap().to_owned()).collect()
    }

    /// A build of a component that differs in a section that nothing reads.
    fn rebuilt(&self, name: &str, note: &str) -> PathBuf {
        components::noted(self.folder.path(), name, note)
    }
}

/// The checkout's manifest, with components of its own, whose files can be changed.
fn manifest(folder: &Path) -> PathBuf {
    let text = fs::read_to_string(paths::root().join("spin.toml")).unwrap();
    assert!(text.contains("\"target/functions/"), "spin.toml names its components elsewhere");
    for name in ["parse-market", "window"] {
        fs::copy(paths::functions().join(format!("{name}.wasm")), folder.join(format!("{name}.wasm")))
            .unwrap();
    }
    let golden = format!("golden = \"{}/functions/", paths::root().display());
    let text = text.replace("\"target/functions/", "\"").replace("golden = \"functions/", &golden);
    let path = folder.join("spin.toml");
    fs::write(&path, text).unwrap();
    path
}

fn last(answers: &[Value]) -> &Value {
    answers.last().unwrap_or(&Value::Null)
}

#[test]
fn functions_are_shadowed_promoted_refused_and_rolled_back() {
    let stage = Stage::open("60");
    let window = stage.rebuilt("window", "v2").display().to_string();
    let (answers, code) =
        stage.ask(&["shadow", "window", &window, "--until-same", "3", "--mode", "hold", "--probation", "2"]);
    assert_eq!((code, last(&answers)["is"].as_str()), (0, Some("swapped")), "{answers:?}");
    let tally = answers.iter().rev().find(|answer| answer["is"] == "shadow").unwrap();
    assert_eq!(tally["tally"]["comparison"]["differing"], 0);
    assert!(tally["tally"]["records"].as_u64() > Some(0));

    let hostile = paths::functions().join("test/hostile-window.wasm").display().to_string();
    let (answers, code) = stage.ask(&["swap", "window", &hostile]);
    assert_eq!((code, last(&answers)["is"].as_str()), (1, Some("refused")), "{answers:?}");
    assert!(last(&answers)["why"].as_str().unwrap().contains("rule"), "{answers:?}");

    stage.wait_until("the probation is over", || stage.history() == ["swap", "release"]);
    let parse = stage.rebuilt("parse-market", "v2").display().to_string();
    let (answers, code) =
        stage.ask(&["swap", "parse-market", &parse, "--mode", "hold", "--probation", "9999"]);
    assert_eq!((code, last(&answers)["is"].as_str()), (0, Some("swapped")), "{answers:?}");
    let (answers, code) = stage.ask(&["swap", "window", &window]);
    assert_eq!(
        (code, last(&answers)["is"].as_str()),
        (1, Some("refused")),
        "one swap at a time: {answers:?}"
    );
    let (answers, code) = stage.ask(&["rollback", "--why", "on second thoughts"]);
    assert_eq!((code, last(&answers)["is"].as_str()), (0, Some("rolled-back")), "{answers:?}");
    let (answers, code) = stage.ask(&["rollback"]);
    assert_eq!((code, last(&answers)["is"].as_str()), (1, Some("refused")), "{answers:?}");
    assert_eq!(stage.history(), ["swap", "release", "swap", "rollback"]);
}

/// What parse-market knows of trades, as a schema.
const SCHEMA: &str = r#"parse = "parse-json"
schema = { kind-from = "e", columns = { event_time = { type = "timestamp", path = "T", unit = "ms" }, symbol = { type = "text", path = "s" }, id = { type = "int64", path = "t" }, price = { type = "decimal", path = "p" }, quantity = { type = "decimal", path = "q" } } }"#;

#[test]
fn a_function_takes_its_place_by_the_columns_of_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let path = manifest(folder.path());
    let text = fs::read_to_string(&path).unwrap().replacen("parse = \"parse-market\"", SCHEMA, 1);
    let file = folder.path().join("parse-json.wasm");
    fs::write(&file, components::with_note("parse-json", "v1")).unwrap();
    fs::write(&path, text + "\n[component.parse-json]\nsource = \"parse-json.wasm\"\n").unwrap();
    let stage = Stage::demo(folder, &path, "60", &[]);
    let ask = |component: &str| {
        let candidate = stage.rebuilt(component, "v2").display().to_string();
        stage.ask(&["swap", "parse-json", &candidate, "--probation", "1"])
    };
    let (answers, code) = ask("parse-json");
    assert_eq!((code, last(&answers)["is"].as_str()), (0, Some("swapped")), "{answers:?}");
    // It does not take the schema.
    let (answers, code) = ask("parse-market");
    assert_eq!((code, last(&answers)["is"].as_str()), (1, Some("refused")), "{answers:?}");
    assert!(last(&answers)["why"].as_str().unwrap().contains("`schema`"), "{answers:?}");
}

#[test]
fn a_changed_file_is_taken_up_and_a_broken_one_is_not() {
    let stage = Stage::open("60");
    let file = stage.folder.path().join("window.wasm");
    fs::write(&file, components::with_note("window", "v3")).unwrap();
    stage.wait_until("the changed file is taken up", || stage.history().contains(&"swap".to_owned()));
    fs::write(&file, "not a component").unwrap();
    let commits = tallow::log_records(&stage.folder.path().join("lake"));
    stage.wait_until("the market has gone on for a while", || {
        tallow::log_records(&stage.folder.path().join("lake")) > commits + 8
    });
    let swaps = stage.history().iter().filter(|what| *what == "swap").count();
    assert_eq!(swaps, 1, "a broken file changes nothing");
}

/// The status line and the body of an answer.
fn post(address: &str, path: &str, token: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "POST {path} HTTP/1.0\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn http_answers_only_those_who_have_the_token() {
    const TOKEN: &str = "correct-horse-battery-staple";
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token").display().to_string();
    fs::write(&token, format!("{TOKEN}\n")).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let stage = Stage::open_with("30", &["--control-http", &port, "--control-token-file", &token]);
    let status = r#"{"do":"status"}"#;
    let (code, body) = post(&port, "/control/candles", TOKEN, status);
    assert!(code.contains("200"), "{code} {body}");
    let answer: Value = serde_json::from_str(body.trim()).unwrap();
    assert_eq!(
        (answer["is"].as_str(), answer["pipeline"].as_str()),
        (Some("status"), Some("candles")),
        "{body}"
    );
    for (path, token, body, wanted) in [
        ("/control/candles", "correct-horse-battery-stable", status, "401"),
        ("/control/candles", "", status, "401"),
        ("/control/other", TOKEN, status, "404"),
        ("/control/candles", TOKEN, r#"{"do":"nothing"}"#, "400"),
    ] {
        let (code, said) = post(&port, path, token, body);
        assert!(code.contains(wanted), "{path} {token}: {code} {said}");
    }
    let (_, code) = stage.ask(&["rollback"]);
    assert_eq!(code, 1, "the socket is there as well");
}

#[test]
fn without_a_running_pipeline_a_command_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = manifest(folder.path()).display().to_string();
    let finished = tallow::run(&["functions", "rollback", "-f", &manifest, "--lake", "memory:///"]);
    assert_eq!(finished.status.code(), Some(69), "{}", finished.stderr);
    assert!(finished.stderr.contains("start it, or name its socket with --control"), "{}", finished.stderr);
}
