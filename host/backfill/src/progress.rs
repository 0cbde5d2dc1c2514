//! What a backfill shows of itself. Nothing depends on it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// A moment's counts, since the program's start.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// What it does at the moment.
    pub doing: String,
    /// Event time to be fetched, and fetched, in µs.
    pub wanted_us: u64,
    pub done_us: u64,
    pub requests: u64,
    /// Requests that were tried again.
    pub retries: u64,
    /// Bars that came.
    pub bars: u64,
    /// Windows published as revisions.
    pub windows: u64,
    /// Windows for which the exchange has nothing.
    pub no_data: u64,
    pub rejected: u64,
    pub commits: u64,
}

#[derive(Default)]
pub struct Progress {
    doing: Mutex<String>,
    wanted_us: AtomicU64,
    done_us: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
    bars: AtomicU64,
    windows: AtomicU64,
    no_data: AtomicU64,
    rejected: AtomicU64,
    commits: AtomicU64,
}

impl Progress {
    pub fn counts(&self) -> Counts {
        Counts {
            doing: self.doing.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            wanted_us: self.wanted_us.load(Relaxed),
            done_us: self.done_us.load(Relaxed),
            requests: self.requests.load(Relaxed),
            retries: self.retries.load(Relaxed),
            bars: self.bars.load(Relaxed),
            windows: self.windows.load(Relaxed),
            no_data: self.no_data.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            commits: self.commits.load(Relaxed),
        }
    }

    pub(super) fn doing(&self, what: String) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    pub(super) fn wanted(&self, us: i64) {
        self.wanted_us.fetch_add(us as u64, Relaxed);
    }

    pub(super) fn asked(&self, again: bool) {
        self.requests.fetch_add(1, Relaxed);
        self.retries.fetch_add(u64::from(again), Relaxed);
    }

    pub(super) fn answered(&self, bars: u64) {
        self.bars.fetch_add(bars, Relaxed);
    }

    pub(super) fn committed(&self, done_us: i64, windows: u64, no_data: u64, rejected: u64) {
        self.done_us.fetch_add(done_us as u64, Relaxed);
        self.windows.fetch_add(windows, Relaxed);
        self.no_data.fetch_add(no_data, Relaxed);
        self.rejected.fetch_add(rejected, Relaxed);
        self.commits.fetch_add(1, Relaxed);
    }
}
