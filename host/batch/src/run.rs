//! The whole job: each group of files by itself, read → parse → windows → merge, and commits of what is whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tallow_edge::{Clock, Random};
use tallow_engine::Component;
use tallow_files::File;
use tallow_store::Store;

use super::commits::Commits;
use super::error::BatchError;
use super::group::{Making, Shown, Whole};
use super::plan::Plan;
use super::report::Report;

/// Everything that a job touches, real or in memory.
pub struct Wiring {
    pub plan: Plan,
    pub parse: Component,
    pub window: Component,
    pub merge: Component,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Set from outside: stop as soon as may be.
    pub stop: Arc<AtomicBool>,
    /// Shown how far the job is.
    pub watch: Box<dyn Fn(&Progress) + Send + Sync>,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The group that is read: a symbol, or nothing where a column says it.
    pub group: String,
    /// Of all files, as they are.
    pub bytes: u64,
    pub bytes_done: u64,
    pub lines: u64,
    /// Where the group's lines are read and its rows had to be sorted: those that went into the windows, of how many.
    pub sorted: Option<(u64, u64)>,
    pub elapsed: Duration,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Groups whose files cannot be read as they should, or say too little; their partitions are as they were.
    pub failed: BTreeMap<String, BatchError>,
    /// Groups that are as they were: nothing that they are made of has changed.
    pub unchanged: u64,
    pub made: u64,
    /// Of those that were made: whose rows had to be sorted.
    pub sorted: u64,
    pub written: Vec<String>,
    pub removed: Vec<String>,
    /// Of all groups, those that were not made anew too.
    pub report: Report,
    pub elapsed: Duration,
    /// Lines read in this run.
    pub lines: u64,
}

pub fn run(wiring: &Wiring, files: Vec<File>, owner: &str) -> Result<Outcome, BatchError> {
    let plan = &wiring.plan;
    let start = wiring.clock.ticks();
    let bytes = files.iter().map(File::size_bytes).sum();
    let groups = plan.groups(files)?;
    let mut commits = Commits::open(wiring, owner)?;
    let progress = Arc::new(AtomicU64::new(0));
    let mut outcome = Outcome::default();
    let functions = [&wiring.parse, &wiring.window, &wiring.merge].map(Component::digest);
    for group in &groups {
        let name = group.symbol.clone().unwrap_or_default();
        let fingerprint = plan.fingerprint(group, &functions).to_string();
        let spoiled = commits.distrust_spoiled(&name)?;
        if !spoiled && commits.made(&name).is_some_and(|made| made.fingerprint == fingerprint) {
            progress.fetch_add(group.files.iter().map(File::size_bytes).sum(), Ordering::Relaxed);
            outcome.unchanged += 1;
            continue;
        }
        let shown = |Shown { lines, sorted }| {
            (wiring.watch)(&Progress {
                group: name.clone(),
                bytes,
                bytes_done: progress.load(Ordering::Relaxed).min(bytes),
                lines: outcome.lines + lines,
                sorted,
                elapsed: wiring.clock.ticks().since(start),
            });
        };
        let making = Making { wiring, group, name: &name, fingerprint: &fingerprint, progress: &progress };
        match making.make(&mut commits, &shown) {
            Ok(Whole { made, files, lines }) => {
                outcome.made += 1;
                outcome.sorted += u64::from(made.sorted);
                outcome.lines += lines;
                commits.take(&name, made, files);
            }
            Err(error) if error.is_of_files() => drop(outcome.failed.insert(name, error)),
            Err(error) => return Err(error),
        }
        if commits.is_due() {
            commits.commit()?;
        }
    }
    if outcome.failed.is_empty() {
        commits.end();
    }
    commits.commit()?;
    commits.all_made().for_each(|made| outcome.report.absorb(&made.report));
    (outcome.written, outcome.removed) = commits.done;
    outcome.elapsed = wiring.clock.ticks().since(start);
    Ok(outcome)
}
