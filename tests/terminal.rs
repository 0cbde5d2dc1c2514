//! What stays on a terminal after a run that drew its progress there.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use tallow_tests::{paths, python};

/// Runs a command on its own terminal, sends it SIGINT after two seconds, and prints what the terminal got.
const ON_A_TERMINAL: &str = "
import fcntl, os, pty, signal, struct, sys, termios, time
pid, terminal = pty.fork()
if pid == 0:
    time.sleep(0.2)
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
time.sleep(2)
os.kill(pid, signal.SIGINT)
try:
    while part := os.read(terminal, 65536):
        sys.stdout.buffer.write(part)
except OSError:
    pass
os.waitpid(pid, 0)
";

#[test]
fn a_run_that_is_stopped_before_it_began_leaves_no_progress_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let tallow = paths::program("tallow");
    let made = Command::new(&tallow).args(["init", "market"]).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let shown = Command::new(python::with("pty").unwrap())
        .args(["-c", ON_A_TERMINAL])
        .arg(&tallow)
        .args(["up", "--brokers", "127.0.0.1:1"])
        .env("TERM", "xterm")
        .current_dir(folder.path().join("market"))
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout);
    let end = "candles: stopped before it began";
    let (before, after) = shown.rsplit_once(end).unwrap_or_else(|| panic!("{shown}"));
    assert!(before.contains("records/s"), "nothing was drawn: {shown}");
    assert!(!after.contains("records/s"), "what was drawn stays: {shown}");
}
