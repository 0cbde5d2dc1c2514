//! A run of a job: partitions that are taken in and removed, in one commit.

use tallow_log::Draft;
use tallow_log::record::Outgoing;

use crate::TableError;
use crate::job::{Done, NewPartition, TableJob};
use crate::parts::{Held, Unfinished, Written};
use crate::state::{RunState, TableState};
use crate::stored::{SINK, Stored};

/// Runs that the state tells of where backups are few.
const LEAST_RUNS: u64 = 10;

/// A run that is being put together.
pub struct Run<'a> {
    job: &'a mut TableJob,
    pub(crate) state: TableState,
    outbox: Vec<Outgoing>,
    removed: Vec<String>,
    unfinished: Option<Unfinished>,
}

impl TableJob {
    /// Begins a run. Nothing is visible before it is committed.
    pub fn run(&mut self) -> Run<'_> {
        Run::new(self)
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(job: &'a mut TableJob) -> Self {
        Self { state: job.state.clone(), outbox: Vec::new(), removed: Vec::new(), unfinished: None, job }
    }

    /// The tables as they will be.
    pub fn state(&self) -> &TableState {
        &self.state
    }

    /// The number that it will have if it changes a partition; else the last run's stands.
    pub fn number(&self) -> u64 {
        self.job.state.run + u64::from(self.changes())
    }

    fn changes(&self) -> bool {
        !self.outbox.is_empty() || !self.removed.is_empty()
    }

    /// The job's own notes, to be changed.
    pub fn notes(&mut self) -> &mut serde_json::Value {
        &mut self.state.notes
    }

    /// Stores a partition and takes it in. True: its bytes differ from those that are there, and it will be written.
    pub fn put(&mut self, new: NewPartition) -> Result<bool, TableError> {
        Ok(self.take(self.job.store_partition(new)?))
    }

    /// Takes a stored partition in. True: it will be written.
    pub fn take(&mut self, stored: Stored) -> bool {
        let path = stored.path.clone();
        let since = self.job.state.partitions.get(&path).map_or(self.job.state.run + 1, |known| known.since);
        self.outbox.retain(|outgoing| outgoing.name != path);
        self.removed.retain(|removed| *removed != path);
        self.state.partitions.insert(path, stored.state(since));
        let outgoing = stored.outgoing();
        let changed = outgoing.is_some();
        self.outbox.extend(outgoing);
        changed
    }

    /// As [`TableJob::distrust`].
    pub fn distrust(&mut self, path: &str) {
        self.job.distrust(path);
    }

    /// Removes a partition.
    pub fn remove(&mut self, path: &str) {
        self.state.partitions.remove(path);
        self.outbox.retain(|outgoing| outgoing.name != path);
        self.removed.push(path.to_owned());
    }

    /// Holds work with the commit that is not in it.
    pub fn hold(&mut self, unfinished: Unfinished) {
        self.unfinished = Some(unfinished);
    }

    /// Commits the run and publishes it. Where nothing differs, nothing is written.
    pub fn commit(self) -> Result<Done, TableError> {
        self.commit_as(None)
    }

    /// The same; `restored`: the run whose tables it brings back.
    pub(crate) fn commit_as(mut self, restored: Option<u64>) -> Result<Done, TableError> {
        let changes = self.changes();
        let unchanged = self.state.partitions == self.job.state.partitions
            && self.state.notes == self.job.state.notes
            && self.unfinished == self.job.unfinished;
        if !changes && unchanged {
            self.job.tidy();
            return Ok(Done::default());
        }
        let written: Vec<String> = self.outbox.iter().map(|outgoing| outgoing.name.clone()).collect();
        self.state.removed = std::mem::take(&mut self.removed);
        if changes {
            self.state.run += 1;
            self.state.runs.push(RunState {
                run: self.state.run,
                at_us: self.job.clock.now_us(),
                written: written.len() as u64,
                removed: self.state.removed.len() as u64,
                restored,
            });
            let told = self.job.keep_backups.max(LEAST_RUNS) as usize;
            let too_many = self.state.runs.len().saturating_sub(told);
            self.state.runs.drain(..too_many);
        }
        let job = &mut *self.job;
        let encoded = self.state.encode(&job.name)?;
        let held = Held { tables: Some(job.log.put_blob(encoded)?), unfinished: self.unfinished.clone() };
        let epoch = Written { clock_us: Some(job.clock.now_us()), outbox: self.outbox };
        job.log.commit(Draft::commit(epoch, held))?;
        (job.state, job.unfinished) = (self.state, self.unfinished);
        if changes {
            let publication = job.log.publication(SINK);
            job.publish(&publication)?;
            job.publish_removed()?;
        }
        job.tidy();
        let run = changes.then_some(job.state.run);
        Ok(Done { run, written, removed: job.state.removed.clone() })
    }
}
