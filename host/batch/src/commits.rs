//! What is made and not committed, and the job that commits it: whole groups, and beside them how far the group in work
//! is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tallow_env::Ticks;
use tallow_log::record::BlobRef;
use tallow_table::{Done, NewPartition, Stored, TableJob, TableState, Unfinished};

use crate::account::group_of;
use crate::error::BatchError;
use crate::ids::Ids;
use crate::report::Report;
use crate::services::Services;

/// What was made is committed at least that often: a run that is killed then continues from there.
pub const COMMIT_EVERY: Duration = Duration::from_secs(20);

/// What the job's log remembers of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    pub fingerprint: String,
    pub paths: BTreeSet<String>,
    pub report: Report,
    /// Whether its rows had to be sorted.
    #[serde(default)]
    pub sorted: bool,
    /// What its rows' ids count.
    #[serde(default)]
    pub ids: Ids,
}

pub struct Commits<'a> {
    services: &'a Services,
    job: TableJob,
    groups: BTreeMap<String, Made>,
    /// Of groups that are whole.
    files: Vec<Stored>,
    removed: Vec<String>,
    /// Of the group in work, or of one that an earlier run was at.
    held: Option<Held>,
    last: Ticks,
    /// Paths that were written and removed by commits.
    pub done: (Vec<String>, Vec<String>),
}

/// Unfinished work and the group that it is of.
struct Held {
    group: String,
    unfinished: Unfinished,
}

impl<'a> Commits<'a> {
    pub fn open(services: &'a Services, owner: &str) -> Result<Self, BatchError> {
        let (plan, clock, random) = (&services.plan, services.clock.clone(), services.random.clone());
        services.store.probe(&*services.random)?;
        let job =
            TableJob::open(&services.store, &plan.log_name(), plan.job.keep_backups, owner, clock, random)?;
        let held = job.unfinished().cloned().and_then(|unfinished| {
            let account = job.read_blob(&unfinished.account);
            let account = account
                .inspect_err(|error| tracing::warn!(%error, "where the last run stopped cannot be read"));
            Some(Held { group: group_of(&account.ok()?)?, unfinished })
        });
        Ok(Self {
            services,
            groups: serde_json::from_value(job.state().notes.clone()).unwrap_or_default(),
            files: Vec::new(),
            removed: Vec::new(),
            held,
            last: services.clock.ticks(),
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

    /// Objects that a group was made into and that are gone or of another size, so another program changed them. They
    /// are written again, whatever their digest.
    pub fn distrust_spoiled(&mut self, group: &str) -> Result<bool, BatchError> {
        let mut spoiled = Vec::new();
        for path in self.groups.get(group).iter().flat_map(|made| &made.paths) {
            let committed = self.job.state().partitions.get(path).map(|partition| partition.size);
            let there = self.services.store.head(path)?;
            if committed.is_some() && committed != there.map(|object| object.size) {
                tracing::warn!(path, "not as it was written: it is made again");
                spoiled.push(path.clone());
            }
        }
        spoiled.iter().for_each(|path| self.job.distrust(path));
        if !spoiled.is_empty() {
            self.drop_held(group);
        }
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
        self.drop_held(group);
    }

    fn drop_held(&mut self, group: &str) {
        self.held.take_if(|held| held.group == group);
    }

    /// Whether it is time to commit.
    pub fn is_due(&self) -> bool {
        self.services.clock.ticks().since(self.last) >= COMMIT_EVERY
    }

    pub fn commit_if_due(&mut self) -> Result<(), BatchError> {
        if self.is_due() { self.commit() } else { Ok(()) }
    }

    /// Commits the groups that are whole, if there are any, and what is held.
    pub fn commit(&mut self) -> Result<(), BatchError> {
        let mut run = self.job.run();
        // What a group gave up may be another's now.
        let written: BTreeSet<&String> = self.files.iter().map(|file| &file.path).collect();
        self.removed.iter().filter(|path| !written.contains(path)).for_each(|path| run.remove(path));
        self.removed.clear();
        for file in self.files.drain(..) {
            run.take(file);
        }
        *run.notes() = serde_json::to_value(&self.groups).unwrap_or_default();
        if let Some(held) = &self.held {
            run.hold(held.unfinished.clone());
        }
        let Done { written, removed, .. } = run.commit()?;
        self.done.0.extend(written);
        self.done.1.extend(removed);
        self.last = self.services.clock.ticks();
        Ok(())
    }

    pub fn put_blob(&self, bytes: impl Into<Bytes>) -> Result<BlobRef, BatchError> {
        Ok(self.job.put_blob(bytes)?)
    }

    pub fn read_blob(&self, blob: &BlobRef) -> Result<Bytes, BatchError> {
        Ok(self.job.read_blob(blob)?)
    }

    /// Commits how far the group in work is, with all groups that are whole.
    pub fn commit_with(&mut self, group: &str, unfinished: Unfinished) -> Result<(), BatchError> {
        self.held = Some(Held { group: group.to_owned(), unfinished });
        self.commit()
    }

    /// What an earlier run has left of a group, if anything.
    pub fn unfinished(&self, group: &str) -> Option<&Unfinished> {
        self.held.as_ref().filter(|held| held.group == group).map(|held| &held.unfinished)
    }

    /// There is no more work: lets go of what is held of groups that are not there any more.
    pub fn end(&mut self) {
        self.held = None;
    }
}
