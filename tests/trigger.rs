//! The trigger, driven as `spin up` drives it: by its name, its environment, a lock file in a folder that goes away, signals
//! and exit codes.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tallow_tests::folder::Folder;
use tallow_tests::spin::{self, Locked, SPINS, Spin};
use tallow_tests::stream::Stream;
use tallow_tests::tallow::Finished;
use tallow_tests::{paths, tallow};

const DRAIN: [&str; 2] = ["--available-now", "--close-all"];

/// Runs the trigger to its end with that lock file.
fn run(stream: &Stream, lock: &Value, arguments: &[&str]) -> Finished {
    Locked::new(lock).start(&[&["--brokers", &stream.brokers], arguments].concat()).wait()
}

fn lock(stream: &Stream) -> Value {
    spin::lock(Spin::Four, &stream.manifest())
}

fn assert_refused(finished: &Finished, said: &[&str]) {
    assert_eq!(finished.status.code(), Some(2), "{finished:?}");
    for part in said {
        assert!(finished.stderr.contains(part), "no {part:?} in {}", finished.stderr);
    }
}

#[test]
fn a_lock_file_of_any_spin_gives_the_candles_of_tallow_up() {
    let folder = Folder::open("ohlcv-trades");
    for spin in SPINS {
        let place = tempfile::tempdir().unwrap();
        let manifest = place.path().join("spin.toml");
        fs::write(&manifest, folder.manifest(2)).unwrap();
        let lake = place.path().join("lake");
        let (shown, brokers) = (lake.display().to_string(), folder.brokers());
        let arguments = [&["--lake", &shown, "--brokers", &brokers][..], &DRAIN].concat();
        Locked::new(&spin::lock(spin, &manifest)).start(&arguments).wait().success();
        folder.compare(&format!("{spin:?}"), &lake);
        // Either goes on where the other left off: to both the manifest means the same.
        let up = tallow::run(&tallow::drain(&manifest, &shown, &brokers)).success();
        assert!(up.stdout.contains("trades: 0 records"), "{}", up.stdout);
        Locked::new(&spin::lock(spin, &manifest)).start(&arguments).wait().success();
        folder.compare(&format!("{spin:?} after tallow up"), &lake);
    }
}

#[test]
fn the_lock_file_is_read_at_once_and_ctrl_c_counts_once() {
    let mut stream = Stream::in_memory();
    let brokers = stream.brokers.clone();
    let locked = Locked::new(&lock(&stream));
    let running = locked.start(&["--brokers", &brokers]);
    let commits = stream.commits() + 2;
    let mut locked = Some(locked);
    let mut wanted = commits;
    let finished = running.signal_when(&["INT", "TERM", "TERM"], || {
        if stream.commits() >= commits && locked.take().is_some() {
            stream.trade(500);
            wanted = stream.commits() + 1;
        }
        locked.is_none() && stream.commits() >= wanted
    });
    assert!(finished.status.success(), "{finished:?}");
    assert!(finished.stdout.contains("tables are in"), "{finished:?}");
    stream.finish_and_compare();
}

#[test]
fn a_killed_spin_takes_its_trigger_along() {
    let stream = Stream::in_memory();
    let locked = Locked::new(&lock(&stream));
    let id = stream.folder().join("id");
    // As `spin up` runs `spin trigger-kafka`, and that the plugin.
    let inner = r#""$PLUGIN" --brokers "$BROKERS" & echo $! >"$ID.new"; mv "$ID.new" "$ID"; wait"#;
    let mut command = locked.command(Path::new("sh"));
    command
        .args(["-c", "sh -c \"$INNER\"; exit $?"])
        .env("INNER", inner)
        .env("PLUGIN", spin::plugin())
        .env("BROKERS", stream.brokers.clone())
        .env("ID", &id);
    let killed = tallow::start_command(command).kill_when(|| stream.commits() > 2);
    assert!(killed, "the outer program ended by itself");
    let id = fs::read_to_string(&id).unwrap();
    spin::wait_until_gone(id.trim().parse().unwrap());
    stream.finish_and_compare();
}

#[test]
fn the_exit_code_says_how_a_trigger_ended() {
    let stream = Stream::in_memory();
    stream.edit("topic = \"trades\"", "topic = \"trade\"");
    assert_refused(&run(&stream, &lock(&stream), &[]), &["trigger-kafka: ", "trade"]);

    let mut stream = Stream::in_memory();
    let (lake, brokers) = (stream.lake().display().to_string(), stream.brokers.clone());
    let locked = Locked::new(&lock(&stream));
    let first = locked.start(&["--brokers", &brokers]);
    let mut taken_over = false;
    let fenced = first.signal_when(&[], || {
        if stream.commits() > 2 && !taken_over {
            let mut drain = tallow::drain(&stream.manifest(), &lake, &brokers);
            drain.push("--take-over".to_owned());
            tallow::run(&drain).success();
            taken_over = true;
            // It learns of it by its next commit.
            stream.trade(100);
        }
        false
    });
    assert!(taken_over, "{fenced:?}");
    assert_eq!(fenced.status.code(), Some(78), "{fenced:?}");
}

#[test]
fn a_mistake_in_the_manifest_is_reported_with_its_line_and_key() {
    let stream = Stream::in_memory();
    stream.edit("delay = \"2s\"", "delai = \"2s\"");
    let place = "spin.toml:15:1: trigger.kafka[candles].delai: unknown key; did you mean `delay`?";
    assert_refused(&run(&stream, &lock(&stream), &[]), &[place]);
}

#[test]
fn a_component_that_is_missing_or_broken_is_named() {
    let stream = Stream::in_memory();
    let window = format!("{}/window.wasm", paths::functions().display());
    stream.edit(&window, "no-window.wasm");
    let missing = ["component.window.source", "no-window.wasm", "build it with `make functions`"];
    assert_refused(&run(&stream, &lock(&stream), &[]), &missing);
    fs::write(stream.folder().join("no-window.wasm"), "this is not WebAssembly").unwrap();
    assert_refused(
        &run(&stream, &lock(&stream), &[]),
        &["[component.window]", "no-window.wasm: window breaks the rule `component`"],
    );
}

#[test]
fn without_a_lock_file_the_user_learns_how_to_run_it() {
    let stream = Stream::in_memory();
    let locked = Locked::new(&lock(&stream));
    let mut command = locked.command(spin::plugin());
    command.env_remove("SPIN_LOCKED_URL");
    assert_refused(&tallow::start_command(command).wait(), &["SPIN_LOCKED_URL is not set", "`tallow up`"]);
    fs::remove_file(locked.folder.path().join("spin.lock")).unwrap();
    assert_refused(&locked.start(&[]).wait(), &["spin.lock"]);
    assert_refused(&run(&stream, &json!({ "spin_lock_version": 7 }), &[]), &["spin_lock_version: 7"]);
    assert_refused(&run(&stream, &lock(&stream), &["--availble-now"]), &["--available-now"]);
}

#[test]
fn spin_learns_the_flags_before_there_is_an_application() {
    let ask = |flag: &str| {
        let mut command = std::process::Command::new(spin::plugin());
        command.arg(flag).env_remove("SPIN_LOCKED_URL");
        tallow::start_command(command).wait().success()
    };
    let help = ask("--help-args-only").stdout;
    assert!(help.starts_with("Kafka Trigger Options"), "{help}");
    for option in ["--available-now", "--brokers", "--lake", "--only", "--json", "--quiet"] {
        assert!(help.contains(option), "no {option} in {help}");
    }
    let flags: Value = serde_json::from_str(&ask("--launch-metadata-only").stderr).unwrap();
    let flags = flags["all_flags"].as_array().unwrap();
    for flag in [
        json!({ "short": "-q", "long": "--quiet" }),
        json!({ "short": "-L", "long": "--log-dir" }),
        json!({ "long": "--available-now" }),
        json!({ "long": "--state-dir" }),
        json!({ "long": "--disable-pooling" }),
    ] {
        assert!(flags.contains(&flag), "no {flag} in {flags:?}");
    }
}

#[test]
fn options_of_all_triggers_are_taken() {
    let stream = Stream::in_memory();
    let logs = stream.folder().join("logs/of spin");
    let shown = logs.display().to_string();
    let common = [
        "--log-dir",
        &shown,
        "--truncate-logs",
        "--state-dir",
        "",
        "--runtime-config-file",
        "runtime.toml",
        "--disable-pooling",
        "--disable-cache",
        "--debug-info",
        "--follow",
        "window",
        "--variable",
        "topic=trades",
    ];
    // The manifest's own default names no topic that is there.
    stream.edit("topic = \"trades\"", "topic = \"{{ topic }}\"");
    stream.edit("[variables]", "[variables]\ntopic = { default = \"none\" }");
    let finished = run(&stream, &lock(&stream), &[&common[..], &DRAIN].concat()).success();
    let log = fs::read_to_string(logs.join("trigger-kafka.txt")).unwrap();
    assert!(log.contains("owns its log") && finished.stderr.contains("owns its log"), "{log}");

    let quiet =
        run(&stream, &lock(&stream), &["-q", "--variable", "topic=trades", "--available-now"]).success();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    stream.edit("default = \"none\"", "default = \"trades\"");
    stream.finish_and_compare();
}

#[test]
fn a_variable_of_other_triggers_is_named_without_its_value() {
    let stream = Stream::in_memory();
    fs::write(stream.folder().join(".env"), "SPIN_VARIABLE_TOPIC=hunter2\n").unwrap();
    let locked = Locked::new(&lock(&stream));
    let mut command = locked.command(spin::plugin());
    command.args(["--brokers", &stream.brokers, "--available-now"]).current_dir(stream.folder());
    let finished = tallow::start_command(command).wait().success();
    assert!(finished.stderr.contains("variable=\"SPIN_VARIABLE_TOPIC\""), "{finished:?}");
    assert!(!finished.stderr.contains("hunter2"), "{finished:?}");

    let refused = run(&stream, &lock(&stream), &["--variable", "@hunter2.json"]);
    assert_refused(&refused, &["--variable takes KEY=VALUE or KEY=@FILE"]);
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
}
