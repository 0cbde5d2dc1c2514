//! Two processes on one lake: the second waits while the first lives, takes over when it is told to or the first is gone,
//! and the first notices.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tallow_env::{Clock, SystemClock};
use tallow_tests::stream::Stream;
use tallow_tests::tallow::{self, Running};
use tallow_tests::wait::wait_until;

fn up(stream: &Stream, variables: &[(&str, &str)], more: &[&str]) -> Running {
    let (manifest, lake) = (stream.manifest().display().to_string(), stream.lake().display().to_string());
    let up = ["up", "-f", &manifest, "--lake", &lake, "--brokers", &stream.brokers];
    let arguments: Vec<&str> = up.into_iter().chain(more.iter().copied()).collect();
    tallow::start_with(variables, &arguments)
}

fn sign(stream: &Stream) -> PathBuf {
    stream.lake().join("_tallow/jobs/candles/0/owner")
}

const WAITS: &str = "is owned by process";

#[test]
fn a_second_owner_waits_and_a_fenced_idle_one_ends_with_78() {
    let stream = Stream::in_memory();
    let first = up(&stream, &[], &[]);
    wait_until("the first has drained the topic", || stream.commits() > 30);
    let second = up(&stream, &[], &[]);
    wait_until("the second says whom it waits for", || second.stderr().contains(WAITS));
    let said = second.stderr();
    assert!(said.contains(&format!("is owned by process {}", first.id())), "{said}");
    assert!(said.contains("--take-over") && said.contains(" since "), "{said}");
    let commits = stream.commits();
    let third = up(&stream, &[], &["--take-over"]);
    // The topic is idle: the first has nothing to commit, and looks.
    let first = first.wait();
    assert_eq!(first.status.code(), Some(78), "{}", first.stderr);
    assert!(first.stderr.contains("fenced"), "{}", first.stderr);
    assert!(stream.commits() > commits, "the third has put its fence there");
    let second = second.stop_when(|| true);
    assert!(second.status.success(), "{}", second.stderr);
    assert!(third.stop_when(|| true).status.success());
    assert!(!sign(&stream).exists(), "whoever leaves in peace takes the sign back");
    stream.finish_and_compare();
}

#[test]
fn a_restart_after_a_kill_on_the_same_machine_does_not_wait() {
    let stream = Stream::in_memory();
    for _ in 0..3 {
        let commits = stream.commits();
        assert!(up(&stream, &[], &[]).kill_when(|| stream.commits() > commits + 2));
        assert!(sign(&stream).exists(), "a killed process takes nothing back");
    }
    let lake = stream.lake().display().to_string();
    let last = tallow::run(&tallow::drain(&stream.manifest(), &lake, &stream.brokers)).success();
    assert!(!last.stderr.contains(WAITS), "{}", last.stderr);
    stream.compare();
}

/// A sign of another machine's process, so many seconds old.
fn foreign(stream: &Stream, seconds: i64) {
    let at_us = SystemClock::new().now_us() - seconds * 1_000_000;
    let process = json!({ "boot": "another", "namespace": "pid:[1]", "started": 1 });
    let sign_of = json!({
        "id": "0123456789abcdef", "host": "elsewhere", "pid": 42, "process": process, "instance": "pod-0",
        "since_us": at_us, "at_us": at_us,
    });
    fs::create_dir_all(sign(stream).parent().unwrap()).unwrap();
    fs::write(sign(stream), sign_of.to_string()).unwrap();
}

#[test]
fn an_owner_on_another_machine_is_waited_for_while_it_is_fresh() {
    let stream = Stream::in_memory();
    let drain = ["--available-now", "--close-all"];
    foreign(&stream, 0);
    let waiting = up(&stream, &[], &drain);
    wait_until("it says whom it waits for", || waiting.stderr().contains(WAITS));
    assert!(waiting.stderr().contains("process 42 on elsewhere"), "{}", waiting.stderr());
    assert_eq!(stream.commits(), 0, "it fences nobody");
    // The owner leaves in peace.
    fs::remove_file(sign(&stream)).unwrap();
    assert!(waiting.wait().success().stderr.contains(WAITS));
    stream.compare();

    // A signal ends the waiting.
    foreign(&stream, 0);
    let stopped = up(&stream, &[], &drain);
    wait_until("it says whom it waits for", || stopped.stderr().contains(WAITS));
    let stopped = stopped.stop_when(|| true).success();
    assert!(sign(&stream).exists(), "{}", stopped.stderr);

    for (age, variables, more) in [
        (3600, &[][..], &[][..]),
        (0, &[("TALLOW_INSTANCE", "pod-0")], &[]),
        (0, &[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("HOSTNAME", "pod-0")], &[]),
        (0, &[], &["--instance", "pod-0"]),
        (0, &[], &["--take-over"]),
    ] {
        foreign(&stream, age);
        let arguments: Vec<&str> = drain.iter().chain(more).copied().collect();
        let ran = up(&stream, variables, &arguments).wait().success();
        assert!(!ran.stderr.contains(WAITS), "{age} {variables:?} {more:?}: {}", ran.stderr);
        assert!(!sign(&stream).exists(), "its own sign stood there, and was taken back");
    }
}

#[test]
fn a_silent_owner_is_not_waited_for_longer_than_it_is_said() {
    let stream = Stream::in_memory();
    // A clock that is ahead: its sign never looks old.
    foreign(&stream, -86_400);
    let waited = up(&stream, &[], &["--available-now", "--close-all"]).wait().success();
    assert!(waited.stderr.contains(WAITS), "{}", waited.stderr);
    stream.compare();
}
