//! The whole job: each group of files by itself, read → parse → windows → merge, and commits of what is whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tallow_engine::Component;
use tallow_files::File;

use crate::commits::Commits;
use crate::error::BatchError;
use crate::group::{FinishedGroup, Shown};
use crate::group_build::GroupBuild;
use crate::report::Report;
use crate::services::{Progress, Services};

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
    /// Of all groups, those that were not made again too.
    pub report: Report,
    pub elapsed: Duration,
    /// Lines read in this run.
    pub lines: u64,
}

pub fn run(services: &Services, files: Vec<File>, owner: &str) -> Result<Outcome, BatchError> {
    let plan = &services.plan;
    let start = services.clock.ticks();
    let bytes = files.iter().map(File::size_bytes).sum();
    let groups = plan.groups(files)?;
    let mut commits = Commits::open(services, owner)?;
    let progress = Arc::new(AtomicU64::new(0));
    let mut outcome = Outcome::default();
    let functions = [&services.parse, &services.window, &services.merge].map(Component::digest);
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
            (services.watch)(&Progress {
                group: name.clone(),
                bytes,
                bytes_done: progress.load(Ordering::Relaxed).min(bytes),
                lines: outcome.lines + lines,
                sorted,
                elapsed: services.clock.ticks().since(start),
            });
        };
        let making =
            GroupBuild { services, group, name: &name, fingerprint: &fingerprint, progress: &progress };
        match making.make(&mut commits, &shown) {
            Ok(FinishedGroup { made, files, lines }) => {
                outcome.made += 1;
                outcome.sorted += u64::from(made.sorted);
                outcome.lines += lines;
                commits.take(&name, made, files);
            }
            Err(error) if error.is_of_files() => drop(outcome.failed.insert(name, error)),
            Err(error) => return Err(error),
        }
        commits.commit_if_due()?;
    }
    if outcome.failed.is_empty() {
        commits.end();
    }
    commits.commit()?;
    commits.all_made().for_each(|made| outcome.report.absorb(&made.report));
    (outcome.written, outcome.removed) = commits.done;
    outcome.elapsed = services.clock.ticks().since(start);
    Ok(outcome)
}
