//! The whole job: for each group of files read → parse → windows → merge, and a commit of its partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tallow_edge::{Clock, Random};
use tallow_engine::Component;
use tallow_files::File;
use tallow_log::Store;
use tallow_table::{Done, TableJob, TableState};

use super::error::BatchError;
use super::group::Making;
use super::plan::Plan;
use super::report::Report;
use crate::error::PipelineError;

/// What was made is committed at least that often: a run that is killed then goes on from there.
const COMMIT_EVERY: Duration = Duration::from_secs(20);
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
    pub elapsed: Duration,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Groups whose files cannot be read as they should; their partitions are as they were.
    pub failed: BTreeMap<String, BatchError>,
    /// Groups that are as they were: nothing that they are made of has changed.
    pub unchanged: u64,
    pub made: u64,
    pub written: Vec<String>,
    pub removed: Vec<String>,
    /// Of all groups, those that were not made anew too.
    pub report: Report,
    pub elapsed: Duration,
    /// Lines read in this run.
    pub lines: u64,
}

/// What the job's log remembers of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Made {
    pub fingerprint: String,
    pub paths: BTreeSet<String>,
    pub report: Report,
}

type Notes = BTreeMap<String, Made>;

pub fn run(wiring: &Wiring, files: Vec<File>, owner: &str) -> Result<Outcome, BatchError> {
    let plan = &wiring.plan;
    let start = wiring.clock.ticks();
    let bytes = files.iter().map(File::size_bytes).sum();
    let groups = plan.groups(files)?;
    wiring.store.probe(&*wiring.random).map_err(PipelineError::from)?;
    let (clock, random) = (wiring.clock.clone(), wiring.random.clone());
    let mut job =
        TableJob::open(&wiring.store, &plan.log_name(), plan.job.keep_backups, owner, clock, random)?;
    let mut known: Notes = serde_json::from_value(job.state().notes.clone()).unwrap_or_default();
    let progress = Arc::new(AtomicU64::new(0));
    let mut outcome = Outcome::default();
    let mut failed = 0;
    let functions = [&wiring.parse, &wiring.window, &wiring.merge].map(Component::digest);
    let mut committed = 0;
    while committed < groups.len() {
        let mut run = job.run();
        let mut notes = known.clone();
        let mut done = Outcome::default();
        let began = wiring.clock.ticks();
        let mut next = committed;
        while next < groups.len() && (next == committed || wiring.clock.ticks().since(began) < COMMIT_EVERY) {
            let group = &groups[next];
            next += 1;
            let name = group.symbol.clone().unwrap_or_default();
            if outcome.failed.contains_key(&name) {
                continue;
            }
            let fingerprint = plan.fingerprint(group, &functions).to_string();
            let spoiled = spoiled(&wiring.store, run.state(), notes.get(&name))?;
            spoiled.iter().for_each(|path| run.distrust(path));
            if spoiled.is_empty() && notes.get(&name).is_some_and(|made| made.fingerprint == fingerprint) {
                progress.fetch_add(group.files.iter().map(File::size_bytes).sum(), Ordering::Relaxed);
                done.unchanged += 1;
                continue;
            }
            let shown = |lines| {
                (wiring.watch)(&Progress {
                    group: name.clone(),
                    bytes,
                    bytes_done: progress.load(Ordering::Relaxed).min(bytes),
                    lines: outcome.lines + done.lines + lines,
                    elapsed: wiring.clock.ticks().since(start),
                });
            };
            let making =
                Making { wiring, group, name: &name, fingerprint: &fingerprint, progress: &progress };
            match making.make(&mut run, notes.get(&name), &shown) {
                Ok(made) => {
                    done.made += 1;
                    done.lines += made.report.lines;
                    notes.insert(name, made);
                }
                // What the run holds of it cannot be told from the rest: the run begins again without it.
                Err(error @ (BatchError::File(_) | BatchError::OutOfOrder { .. })) => {
                    outcome.failed.insert(name, error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if outcome.failed.len() > failed {
            failed = outcome.failed.len();
            continue;
        }
        *run.notes() = serde_json::to_value(&notes).unwrap_or_default();
        let Done { written, removed, .. } = run.commit()?;
        outcome.written.extend(written);
        outcome.removed.extend(removed);
        outcome.made += done.made;
        outcome.unchanged += done.unchanged;
        outcome.lines += done.lines;
        (known, committed) = (notes, next);
    }
    known.values().for_each(|made| outcome.report.absorb(&made.report));
    outcome.elapsed = wiring.clock.ticks().since(start);
    Ok(outcome)
}

/// Objects that a group was made into and that are gone or of another size: somebody else has been at them.
fn spoiled(store: &Store, state: &TableState, made: Option<&Made>) -> Result<Vec<String>, BatchError> {
    let mut spoiled = Vec::new();
    for path in made.iter().flat_map(|made| &made.paths) {
        let committed = state.partitions.get(path).map(|partition| partition.size);
        let there = store.head(path).map_err(PipelineError::from)?.map(|object| object.size);
        if committed != there {
            tracing::warn!(path, "not as it was written: it is made anew");
            spoiled.push(path.clone());
        }
    }
    Ok(spoiled)
}
