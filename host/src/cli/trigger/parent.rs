//! Is Spin still there? If it is killed by SIGKILL, it leaves a pipeline behind that nothing can stop.
//!
//! A signal on a parent's death (`PR_SET_PDEATHSIG`) comes when the thread ends that started the process, and Spin starts
//! it from a pool of threads. So the parents are looked up instead: an orphan gets another one.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tallow_env::{Clock, SystemClock};

use crate::cli::{Failure, spawn};

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// More Spins than that do not stand above each other: `spin watch`, `spin up`, `spin trigger-kafka`.
const MOST: usize = 8;

/// Who started this process: its parent, and the parents of that as long as they are the same program. `spin up` starts
/// itself a second time to run a plugin, and it is the first one that a user kills.
pub struct Parents(Vec<Link>);

/// A process and its parent.
struct Link {
    child: u32,
    parent: u32,
}

impl Parents {
    pub fn now() -> Self {
        let own = Link { child: std::process::id(), parent: std::os::unix::process::parent_id() };
        let program = program(own.parent);
        let mut links = vec![own];
        while let Some(Link { parent: child, .. }) = links.last()
            && links.len() < MOST
            && let Some(parent) = parent_of(*child)
            && program.is_some()
            && self::program(parent) == program
        {
            links.push(Link { child: *child, parent });
        }
        Self(links)
    }

    /// Sets `stop` when one of them is gone.
    pub fn watch(self, stop: Arc<AtomicBool>) -> Result<(), Failure> {
        let watch = move || {
            let clock = SystemClock::new();
            while !stop.load(Ordering::Relaxed) {
                if self.0.iter().any(|link| parent_of(link.child) != Some(link.parent)) {
                    tracing::warn!("spin is gone: finishing the epoch and leaving");
                    stop.store(true, Ordering::Relaxed);
                }
                clock.sleep(LOOK_EVERY);
            }
        };
        spawn("parents", watch).map(drop)
    }
}

fn parent_of(process: u32) -> Option<u32> {
    if process == std::process::id() {
        return Some(std::os::unix::process::parent_id());
    }
    // `pid (name) state parent …`, and the name may hold anything.
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn program(process: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{process}/exe")).ok()
}
