//! A job that replaces partitions. What a run is about to write is stored as blobs and named in a commit, by path and
//! digest, before any of it is written: a run has happened, or it has not; what a crash left is completed by the next
//! owner. A partition is one object, replaced by one put: readers see the old one or the new one.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use tallow_edge::{Clock, Random};
use tallow_log::record::{Epoch, Outgoing, State, StatePart};
use tallow_log::{Digest, Draft, Job, Publication, Retention, Store};

use crate::state::{Input, PartitionState, RunState, TableState};
use crate::{File, TableError, backup};

/// Names the tables in the log, as sinks do.
const SINK: &str = "table";
/// The one part of a commit's state.
const PART: &str = "table";
/// Records of the log that are kept: one run has up to three.
const KEEP_RECORDS: u64 = 12;
/// Runs that the state tells of where backups are few.
const LEAST_RUNS: u64 = 10;

/// One owner of one job.
pub struct TableJob {
    name: String,
    job: Job,
    state: TableState,
    keep_backups: u64,
    clock: Arc<dyn Clock>,
}

/// A partition to be written.
#[derive(Clone, Debug)]
pub struct NewPartition {
    pub path: String,
    pub file: File,
    /// What it was made of.
    pub inputs: Vec<Input>,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Its number; none where nothing changed.
    pub run: Option<u64>,
    pub written: Vec<String>,
    pub removed: Vec<String>,
}

/// What the newest commit of a job says, without owning it; none where the job never ran.
pub fn peek(store: &Store, name: &str) -> Result<Option<TableState>, TableError> {
    let newest = tallow_log::status::last_records(store, name, 0, 1)?.pop();
    let Some(part) = newest.and_then(|mut record| record.state.parts.pop()) else { return Ok(None) };
    let folder = tallow_log::name::Folder::new(name, 0).map_err(tallow_log::LogError::from)?;
    decode(name, &tallow_log::job::read_blob(store, &folder, &part.blob)?).map(Some)
}

fn decode(name: &str, bytes: &[u8]) -> Result<TableState, TableError> {
    TableState::decode(bytes).map_err(|why| TableError::State { job: name.to_owned(), why })
}

impl TableJob {
    /// Takes the job `name` over, which fences an earlier owner, and completes what that one had committed. `owner` is
    /// for people: host and process. The tables as they were are kept for `keep_backups` runs.
    pub fn open(
        store: &Store,
        name: &str,
        keep_backups: u64,
        owner: &str,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, TableError> {
        let opened = Job::open(store, name, 0, owner, clock.clone(), random)?;
        let state = match opened.job.newest().state.parts.first() {
            Some(part) => decode(name, &opened.job.read_blob(&part.blob)?)?,
            None => TableState::default(),
        };
        let mut job = Self { name: name.to_owned(), job: opened.job, state, keep_backups, clock };
        // Runs follow each other only once they are published: only the newest can be open.
        if let Some(publication) = opened.to_publish.last() {
            tracing::info!(job = name, run = job.state.run, "completing the last run");
            job.publish(publication)?;
        }
        job.publish_removed()?;
        Ok(job)
    }

    pub fn state(&self) -> &TableState {
        &self.state
    }

    pub fn store(&self) -> &Store {
        self.job.store()
    }

    /// Begins a run. Nothing is visible before it is committed.
    pub fn run(&mut self) -> Run<'_> {
        Run {
            state: self.state.clone(),
            outbox: Vec::new(),
            removed: Vec::new(),
            distrusted: BTreeSet::new(),
            job: self,
        }
    }

    /// Brings the tables back to how run `run` left them, as a run of its own. What the partitions were made of stays
    /// noted as it is, so that they stay as they are until one of their inputs changes. `amend` is given the job's
    /// notes and the paths that are brought back.
    pub fn restore(
        &mut self,
        run: u64,
        amend: impl FnOnce(&mut serde_json::Value, &[String]),
    ) -> Result<Done, TableError> {
        let plan = backup::plan_restore(self.store(), &self.name, &self.state, run, self.keep_backups)?
            .map_err(TableError::Restore)?;
        let (store, name) = (self.store().clone(), self.name.clone());
        let mut restoring = self.run();
        let mut paths = Vec::new();
        for (path, of_run) in plan.put {
            let Some(bytes) = backup::read(&store, &name, of_run, &path)? else { continue };
            let file = File::of_bytes(&path, bytes)?;
            let inputs =
                restoring.state.partitions.get(&path).map(|now| now.inputs.clone()).unwrap_or_default();
            restoring.put(NewPartition { path: path.clone(), file, inputs })?;
            paths.push(path);
        }
        for path in &plan.remove {
            restoring.remove(path);
        }
        paths.extend(plan.remove);
        amend(restoring.notes(), &paths);
        restoring.commit_as(Some(run))
    }

    /// Writes what the newest commit names. Any number of times, with one result.
    fn publish(&mut self, publication: &Publication) -> Result<(), TableError> {
        for outgoing in &publication.outbox {
            self.publish_one(outgoing)?;
        }
        self.job.published(SINK, publication.seq);
        // Written down at once, so that the next start need not look at all of it again.
        let state = self.job.newest().state.clone();
        self.job.commit(Draft::commit(Epoch::default(), state))?;
        Ok(())
    }

    /// Removes what the newest commit removes.
    fn publish_removed(&self) -> Result<(), TableError> {
        let store = self.store();
        for path in &self.state.removed {
            if let Some(bytes) = store.get(path)? {
                self.job.check_owner()?;
                self.keep(path, bytes)?;
                store.delete(path)?;
            }
        }
        Ok(())
    }

    /// Removes old backups and log records. A failure costs space, not correctness.
    fn tidy(&mut self) {
        let store = self.store().clone();
        if let Err(error) = backup::prune(&store, &self.name, self.state.run, self.keep_backups) {
            tracing::warn!(job = self.name, %error, "old backups stay for now");
        }
        if let Err(error) = self.job.clean_up(Retention { keep: KEEP_RECORDS, not_from: None }) {
            tracing::warn!(job = self.name, %error, "old log records stay for now");
        }
    }

    fn publish_one(&self, outgoing: &Outgoing) -> Result<(), TableError> {
        let store = self.store();
        let current = store.get(&outgoing.name)?;
        if current.as_ref().is_some_and(|bytes| Digest::of(bytes) == outgoing.digest) {
            return Ok(());
        }
        let bytes = self.job.read_blob(&outgoing.blob)?;
        self.job.check_owner()?;
        if let Some(current) = current {
            self.keep(&outgoing.name, current)?;
        }
        Ok(store.put_overwrite(&outgoing.name, bytes)?)
    }

    fn keep(&self, path: &str, bytes: Bytes) -> Result<(), TableError> {
        if self.keep_backups == 0 {
            return Ok(());
        }
        Ok(backup::keep(self.store(), &self.name, self.state.run, path, bytes)?)
    }
}

/// A run that is being put together.
pub struct Run<'a> {
    job: &'a mut TableJob,
    state: TableState,
    outbox: Vec<Outgoing>,
    removed: Vec<String>,
    distrusted: BTreeSet<String>,
}

impl Run<'_> {
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

    /// Takes a partition in. True: its bytes differ from those that are there, and it will be written.
    pub fn put(&mut self, new: NewPartition) -> Result<bool, TableError> {
        let NewPartition { path, file, mut inputs } = new;
        inputs.sort();
        let digest = Digest::of(&file.bytes);
        let known = self.job.state.partitions.get(&path);
        let as_committed = known.is_some_and(|known| known.digest == digest);
        let changed = !as_committed || self.distrusted.contains(&path);
        let partition = PartitionState {
            rows: file.rows,
            rows_digest: file.rows_digest,
            digest,
            size: file.bytes.len() as u64,
            since: known.map_or(self.job.state.run + 1, |known| known.since),
            inputs,
        };
        self.outbox.retain(|outgoing| outgoing.name != path);
        if changed {
            let blob = self.job.job.put_blob(file.bytes)?;
            self.outbox.push(Outgoing {
                sink: SINK.to_owned(),
                name: path.clone(),
                rows: file.rows,
                rows_digest: file.rows_digest,
                digest,
                blob,
            });
        }
        self.removed.retain(|removed| *removed != path);
        self.state.partitions.insert(path, partition);
        Ok(changed)
    }

    /// The partition's object is not what the state says: it will be written even where its digest is the same.
    pub fn distrust(&mut self, path: &str) {
        self.distrusted.insert(path.to_owned());
    }

    /// Removes a partition.
    pub fn remove(&mut self, path: &str) {
        self.state.partitions.remove(path);
        self.outbox.retain(|outgoing| outgoing.name != path);
        self.removed.push(path.to_owned());
    }

    /// Commits the run and publishes it. Where nothing differs, nothing is written.
    pub fn commit(self) -> Result<Done, TableError> {
        self.commit_as(None)
    }

    fn commit_as(mut self, restored: Option<u64>) -> Result<Done, TableError> {
        let changes = self.changes();
        let unchanged =
            self.state.partitions == self.job.state.partitions && self.state.notes == self.job.state.notes;
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
        let encoded = self.state.encode().map_err(|why| TableError::State { job: job.name.clone(), why })?;
        let blob = job.job.put_blob(encoded)?;
        let length = blob.length;
        let state = State {
            parts: vec![StatePart { window: PART.to_owned(), group: 0, blob, from: 0, length }],
            ..State::default()
        };
        let epoch = Epoch { clock_us: Some(job.clock.now_us()), outbox: self.outbox, ..Epoch::default() };
        job.job.commit(Draft::commit(epoch, state))?;
        job.state = self.state;
        if changes {
            let publication = job.job.publication(SINK);
            job.publish(&publication)?;
            job.publish_removed()?;
        }
        job.tidy();
        let run = changes.then_some(job.state.run);
        Ok(Done { run, written, removed: job.state.removed.clone() })
    }
}
