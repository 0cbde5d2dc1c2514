//! What is made and not committed, and the job that commits it: whole groups, and beside them how far the group in work
//! is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tallow_edge::Ticks;
use tallow_log::record::BlobRef;
use tallow_table::{Done, NewPartition, Stored, TableJob, TableState, Unfinished};

use super::error::BatchError;
use super::report::Report;
use super::run::Wiring;
use crate::error::PipelineError;

/// What was made is committed at least that often: a run that is killed then goes on from there.
const COMMIT_EVERY: Duration = Duration::from_secs(20);

/// What the job's log remembers of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    pub fingerprint: String,
    pub paths: BTreeSet<String>,
    pub report: Report,
    /// Whether its rows had to be sorted.
    #[serde(default)]
    pub sorted: bool,
}

pub struct Commits<'a> {
    wiring: &'a Wiring,
    job: TableJob,
    groups: BTreeMap<String, Made>,
    /// Of groups that are whole.
    files: Vec<Stored>,
    removed: Vec<String>,
    unfinished: Option<Unfinished>,
    last: Ticks,
    /// Paths that were written and removed by commits.
    pub done: (Vec<String>, Vec<String>),
}

impl<'a> Commits<'a> {
    pub fn open(wiring: &'a Wiring, owner: &str) -> Result<Self, BatchError> {
        let (plan, clock, random) = (&wiring.plan, wiring.clock.clone(), wiring.random.clone());
        wiring.store.probe(&*wiring.random).map_err(PipelineError::from)?;
        let job =
            TableJob::open(&wiring.store, &plan.log_name(), plan.job.keep_backups, owner, clock, random)?;
        Ok(Self {
            wiring,
            groups: serde_json::from_value(job.state().notes.clone()).unwrap_or_default(),
            files: Vec::new(),
            removed: Vec::new(),
            unfinished: job.unfinished().cloned(),
            last: wiring.clock.ticks(),
            done: Default::default(),
            job,
        })
    }

    /// What is known of a group that was made, in this run or before.
    pub fn made(&self, group: &str) -> Option<&Made> {
        self.groups.get(group)
    }

    pub fn all_made(&self) -> impl Iterator<Item = &Made> {
        self.groups.values()
    }

    pub fn state(&self) -> &TableState {
        self.job.state()
    }

    /// Objects that a group was made into and that are gone or of another size, so that somebody else has been at them.
    /// They are written anew, whatever their digest.
    pub fn distrust_spoiled(&mut self, group: &str) -> Result<bool, BatchError> {
        let mut spoiled = Vec::new();
        for path in self.groups.get(group).iter().flat_map(|made| &made.paths) {
            let committed = self.job.state().partitions.get(path).map(|partition| partition.size);
            let there = self.wiring.store.head(path).map_err(PipelineError::from)?;
            if committed.is_some() && committed != there.map(|object| object.size) {
                tracing::warn!(path, "not as it was written: it is made anew");
                spoiled.push(path.clone());
            }
        }
        spoiled.iter().for_each(|path| self.job.distrust(path));
        Ok(!spoiled.is_empty())
    }

    pub fn store(&self, partition: NewPartition) -> Result<Stored, BatchError> {
        Ok(self.job.store_partition(partition)?)
    }

    /// Takes a group that is whole, in place of what it was made into before.
    pub fn take(&mut self, group: &str, made: Made, files: Vec<Stored>) {
        let before = self.groups.get(group).map(|made| made.paths.clone()).unwrap_or_default();
        self.removed.extend(before.difference(&made.paths).cloned());
        self.files.extend(files);
        self.groups.insert(group.to_owned(), made);
        self.unfinished = None;
    }

    /// Whether it is time to commit.
    pub fn is_due(&self) -> bool {
        self.wiring.clock.ticks().since(self.last) >= COMMIT_EVERY
    }

    /// Commits the groups that are whole, if there are any, and what is held.
    pub fn commit(&mut self) -> Result<(), BatchError> {
        let mut run = self.job.run();
        for file in self.files.drain(..) {
            run.take(file);
        }
        self.removed.drain(..).for_each(|path| run.remove(&path));
        *run.notes() = serde_json::to_value(&self.groups).unwrap_or_default();
        if let Some(unfinished) = &self.unfinished {
            run.hold(unfinished.clone());
        }
        let Done { written, removed, .. } = run.commit()?;
        self.done.0.extend(written);
        self.done.1.extend(removed);
        self.last = self.wiring.clock.ticks();
        Ok(())
    }

    pub fn put_blob(&self, bytes: impl Into<Bytes>) -> Result<BlobRef, BatchError> {
        Ok(self.job.put_blob(bytes)?)
    }

    pub fn read_blob(&self, blob: &BlobRef) -> Result<Bytes, BatchError> {
        Ok(self.job.read_blob(blob)?)
    }

    /// Commits how far the group in work is, with all groups that are whole.
    pub fn commit_with(&mut self, unfinished: Unfinished) -> Result<(), BatchError> {
        self.unfinished = Some(unfinished);
        self.commit()
    }

    pub fn unfinished(&self) -> Option<&Unfinished> {
        self.unfinished.as_ref()
    }

    /// Lets go of what is held of a group in work: there is none.
    pub fn drop_unfinished(&mut self) {
        self.unfinished = None;
    }
}
