//! The built program as a process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tallow_env::{Clock, SystemClock, Ticks};
use tempfile::TempDir;

use crate::paths;

/// A run that takes longer hangs: it is killed and the test fails with what it said.
const LIMIT: Duration = Duration::from_secs(180);

/// What a run left behind.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Fails with what the program said unless it ended with 0.
    pub fn success(self) -> Self {
        assert!(self.status.success(), "tallow ended with {}\n{}\n{}", self.status, self.stdout, self.stderr);
        self
    }
}

/// A run that continues; it is killed when dropped.
pub struct Running {
    process: Child,
    /// Its output goes to files, so that no full pipe can stop it.
    output: TempDir,
    clock: SystemClock,
    start: Ticks,
}

/// Arguments that run a manifest's pipelines over what their topics hold, open windows included.
pub fn drain(manifest: &Path, lake: &str, brokers: &str) -> Vec<String> {
    let manifest = manifest.display().to_string();
    let up = ["up", "-f", &manifest, "--available-now", "--close-all", "--lake", lake, "--brokers", brokers];
    up.map(str::to_owned).to_vec()
}

/// Runs `tallow` to its end.
pub fn run<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Finished {
    start(arguments).wait()
}

/// The same under some variables of the environment.
pub fn run_with<S: AsRef<std::ffi::OsStr>>(variables: &[(&str, &str)], arguments: &[S]) -> Finished {
    start_with(variables, arguments).wait()
}

/// The same, and the most memory that the process held, in MB (Linux; 0 where it cannot be told).
pub fn run_measured<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> (Finished, f64) {
    let mut running = start(arguments);
    let status = format!("/proc/{}/status", running.process.id());
    let mut peak_kb = 0.0;
    running.wait_for(|| {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak_kb = kb.unwrap_or(peak_kb);
        false
    });
    (running.wait(), peak_kb / 1024.0)
}

/// Starts `tallow`.
pub fn start<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Running {
    start_with(&[], arguments)
}

/// The same under some variables of the environment.
pub fn start_with<S: AsRef<std::ffi::OsStr>>(variables: &[(&str, &str)], arguments: &[S]) -> Running {
    let mut command = Command::new(paths::program("tallow"));
    command.args(arguments).envs(variables.iter().copied());
    start_command(command)
}

/// Starts a command that is tallow, or becomes it.
pub fn start_command(command: Command) -> Running {
    start_read_by(command, &["stdout", "stderr"])
}

/// The same, where nobody reads what it says on the other ones of `stdout` and `stderr`: their pipes are broken.
pub fn start_read_by(mut command: Command, read: &[&str]) -> Running {
    let output = TempDir::with_prefix("tallow-run-").expect("a temporary folder");
    let file = |name: &str| match read.contains(&name) {
        true => File::create(output.path().join(name)).expect("a file in a temporary folder").into(),
        false => Stdio::piped(),
    };
    let mut process = command
        // Compiled components are kept with the build, not in the user's cache.
        .env("XDG_CACHE_HOME", paths::target().join("tests-cache"))
        .stdin(Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .expect("tallow starts");
    drop((process.stdout.take(), process.stderr.take()));
    let clock = SystemClock::new();
    Running { process, output, start: clock.ticks(), clock }
}

impl Running {
    pub fn wait(mut self) -> Finished {
        self.wait_for(|| false);
        let status = self.process.wait().expect("the process can be waited for");
        Finished { status, stdout: self.said("stdout"), stderr: self.said("stderr") }
    }

    /// Asks the process to leave, as Ctrl-C does, once `when` holds; what it left behind.
    pub fn stop_when(self, when: impl FnMut() -> bool) -> Finished {
        self.signal_when(&["INT"], when)
    }

    /// Sends signals one after the other once `when` holds; what the process left behind.
    pub fn signal_when(mut self, signals: &[&str], when: impl FnMut() -> bool) -> Finished {
        if self.wait_for(when) {
            let id = self.process.id().to_string();
            for signal in signals {
                let asked = Command::new("kill").args([&format!("-{signal}"), &id]).status();
                assert!(asked.expect("there is `kill`").success());
            }
        }
        self.wait()
    }

    /// Kills the process as `kill -9` does, once `when` holds. Gives whether it was still running then.
    pub fn kill_when(mut self, when: impl FnMut() -> bool) -> bool {
        let killed = self.wait_for(when);
        if killed {
            self.process.kill().expect("the process can be killed");
        }
        self.process.wait().expect("the process can be waited for");
        killed
    }

    /// Where what it says goes while it runs.
    pub fn stderr_file(&self) -> PathBuf {
        self.output.path().join("stderr")
    }

    /// What it has said so far.
    pub fn stderr(&self) -> String {
        self.said("stderr")
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Time since its start.
    pub fn age(&self) -> Duration {
        self.clock.ticks().since(self.start)
    }

    /// Waits until the process ends or `when` holds; gives whether `when` came first.
    fn wait_for(&mut self, mut when: impl FnMut() -> bool) -> bool {
        while self.process.try_wait().expect("the process can be asked").is_none() {
            if when() {
                return true;
            }
            if self.age() > LIMIT {
                self.process.kill().expect("the process can be killed");
                panic!("tallow hangs\n{}\n{}", self.said("stdout"), self.said("stderr"));
            }
            self.clock.sleep(Duration::from_millis(1));
        }
        false
    }

    fn said(&self, stream: &str) -> String {
        fs::read_to_string(self.output.path().join(stream)).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How many records the pipelines' logs in a lake hold.
pub fn log_records(lake: &Path) -> usize {
    fn count(folder: &Path, inside_log: bool) -> usize {
        let Ok(entries) = folder.read_dir() else { return 0 };
        let entries = entries.flatten().map(|entry| entry.path());
        entries
            .map(|path| match path.is_dir() {
                true => count(&path, path.file_name().is_some_and(|name| name == "log")),
                false => usize::from(inside_log),
            })
            .sum()
    }
    count(&lake.join("_tallow/jobs"), false)
}
