//! Readers that go away (`tallow up 2>&1 | head`): nothing that the program says may end it, or keep it from ending.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tallow_tests::paths;
use tallow_tests::spin::{self, Locked, Spin};
use tallow_tests::stream::Stream;
use tallow_tests::tallow::{self, Finished, Running};

/// Progress is said every five seconds where it cannot be drawn.
const AFTER_PROGRESS: Duration = Duration::from_secs(7);

/// Stops a run once it has said something to nobody, and has gone on all the same.
fn stop_later(stream: &mut Stream, running: Running, signal: &str) -> Finished {
    let clock = tallow_env::SystemClock::new();
    let start = tallow_env::Clock::ticks(&clock);
    let mut wanted = None;
    running.signal_when(&[signal], || {
        let said = tallow_env::Clock::ticks(&clock).since(start) > AFTER_PROGRESS;
        if said && wanted.is_none() && stream.commits() > 0 {
            stream.trade(500);
            wanted = Some(stream.commits() + 1);
        }
        wanted.is_some_and(|wanted| stream.commits() >= wanted)
    })
}

fn up(stream: &Stream, more: &[&str]) -> Command {
    let mut command = Command::new(paths::program("tallow"));
    command.args(["up", "--brokers", &stream.brokers, "-f"]).arg(stream.manifest()).args(more);
    command
}

#[test]
fn up_runs_and_can_be_stopped_when_its_errors_are_not_read() {
    let mut stream = Stream::in_memory();
    let running = tallow::start_read_by(up(&stream, &[]), &["stdout"]);
    let finished = stop_later(&mut stream, running, "TERM");
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    assert!(finished.stdout.contains("tables are in"), "{finished:?}");
    stream.finish_and_compare();
}

#[test]
fn up_runs_and_can_be_stopped_when_nothing_is_read() {
    for more in [&["--json"][..], &[], &["--log-filter", "debug"]] {
        let mut stream = Stream::in_memory();
        let running = tallow::start_read_by(up(&stream, more), &[]);
        let finished = stop_later(&mut stream, running, "INT");
        assert_eq!(finished.status.code(), Some(0), "{more:?}: {finished:?}");
        stream.finish_and_compare();
    }
}

#[test]
fn a_trigger_that_nobody_reads_leaves_with_its_spin() {
    let mut stream = Stream::in_memory();
    let locked = Locked::new(&spin::lock(Spin::Four, &stream.manifest()));
    let mut command = locked.command(spin::plugin());
    command.args(["--brokers", &stream.brokers]);
    let finished = stop_later(&mut stream, tallow::start_read_by(command, &[]), "TERM");
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    stream.finish_and_compare();
}

/// `tallow … | true`.
fn unread(arguments: &[&str], folder: &Path) -> Finished {
    let mut command = Command::new(paths::program("tallow"));
    command.args(arguments).current_dir(folder);
    tallow::start_read_by(command, &["stderr"]).wait()
}

#[test]
fn commands_end_quietly_when_nobody_reads_them() {
    let stream = Stream::in_memory();
    let brokers = stream.brokers.clone();
    stream.edit("given on the command line", &brokers);
    stream.finish_and_compare();
    for arguments in [
        &["status", "--brokers", &brokers][..],
        &["status", "--json", "--brokers", &brokers],
        &["check"],
        &["verify", "--brokers", &brokers, "--log-filter", "warn"],
        &["functions", "list"],
        &["functions", "history"],
        &["up", "--available-now", "--brokers", &brokers, "--log-filter", "warn"],
        &["help"],
        &["--version"],
    ] {
        let finished = unread(arguments, stream.folder());
        assert_eq!(finished.status.code(), Some(0), "{arguments:?}: {finished:?}");
        assert_eq!(finished.stderr, "", "{arguments:?}");
    }
}

#[test]
fn a_disk_that_is_full_is_an_error_of_what_only_prints() {
    let stream = Stream::in_memory();
    stream.edit("given on the command line", &stream.brokers);
    let mut command = Command::new(paths::program("tallow"));
    command.args(["check"]).current_dir(stream.folder());
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("standard output cannot be written"), "{said}");
}

#[test]
fn a_reader_that_stops_reading_does_not_keep_the_program() {
    let stream = Stream::in_memory();
    let clock = tallow_env::SystemClock::new();
    // A pipe holds 64 KiB, which this fills at once.
    let mut command = up(&stream, &["--log-filter", "trace"]);
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let held = process.stderr.take();
    tallow_env::Clock::sleep(&clock, Duration::from_secs(3));
    let asked = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
    assert!(asked.unwrap().success());
    // It never ends where it waits for its reader.
    let mut waited = 0;
    while process.try_wait().unwrap().is_none() && waited < 120 {
        tallow_env::Clock::sleep(&clock, Duration::from_secs(1));
        waited += 1;
    }
    let ended = process.try_wait().unwrap();
    let _ = process.kill();
    drop(held);
    assert!(matches!(ended.and_then(|status| status.code()), Some(0 | 69)), "{ended:?}");
    stream.finish_and_compare();
}
