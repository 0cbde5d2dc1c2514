//! Processes of this machine, told apart by more than their numbers, which are used again.

use std::fs;

use tallow_log::owner::Process;

/// This machine's name, or nothing where it has none.
pub fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// This process; `None` if the system does not say (Linux does).
pub fn own() -> Option<Process> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?.to_string_lossy().into_owned();
    Some(Process { boot, namespace, started: started(std::process::id())? })
}

/// Whether a process of this machine runs, and is the one that started then.
pub fn runs(pid: u32, started_then: u64) -> bool {
    started(pid) == Some(started_then)
}

fn started(pid: u32) -> Option<u64> {
    // `pid (name) state parent …`: the name may hold anything, and the start is the 22nd word of all.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let words = stat.rsplit_once(')')?.1;
    let mut words = words.split_whitespace();
    // A process that has ended and is not waited for yet does nothing any more.
    let state = words.next()?;
    let started = words.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(started)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_that_ended_does_not_run() {
        let own = own().unwrap();
        assert!(runs(std::process::id(), own.started) && !runs(std::process::id(), own.started + 1));
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let started = started(child.id()).unwrap();
        assert!(runs(child.id(), started) && started >= own.started);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!runs(child.id(), started));
    }
}
