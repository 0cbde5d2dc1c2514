//! A job that replaces partitions. What a run is about to write is stored as blobs and named in a commit, by path and
//! digest, before any of it is written: a run has happened, or it has not; what a crash left is completed by the next
//! owner. A partition is one object, replaced by one put: readers see the old one or the new one.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use tallow_env::{Clock, Random};
use tallow_log::record::{BlobRef, Outgoing};
use tallow_log::{Draft, Log, LogError, Publication, Retention};
use tallow_store::body::SPILL_BYTES;
use tallow_store::{Digest, Found, Store};

use crate::parts::{Held, Tables, Unfinished, Written};
use crate::state::{Input, TableState};
use crate::stored::{SINK, Stored};
use crate::{File, TableError, backup};

/// Records of the log that are kept: one run has up to three.
const KEEP_RECORDS: u64 = 6;
/// A partition's bytes. S3 copies no larger object by one request, and a run that is committed must be publishable; it
/// holds for all stores, so that a lake can move to another one.
const MOST_BYTES: u64 = 5 << 30;

/// One owner of one job.
pub struct TableJob {
    pub(crate) name: String,
    pub(crate) log: Log<Tables>,
    pub(crate) state: TableState,
    pub(crate) unfinished: Option<Unfinished>,
    distrusted: BTreeSet<String>,
    pub(crate) keep_backups: u64,
    pub(crate) clock: Arc<dyn Clock>,
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
    /// Its number; `None` if nothing changed.
    pub run: Option<u64>,
    pub written: Vec<String>,
    pub removed: Vec<String>,
}

/// What the newest commit of a job says, without owning it; `None` if the job never ran.
pub fn peek(store: &Store, name: &str) -> Result<Option<TableState>, TableError> {
    let newest = tallow_log::status::last_of::<Tables>(store, name, 0, 1)?.pop();
    let Some(blob) = newest.and_then(|record| record.state.tables) else { return Ok(None) };
    let folder = tallow_lake::Folder::new(name, 0).map_err(LogError::from)?;
    TableState::decode(name, &tallow_log::read_blob(store, &folder, &blob)?).map(Some)
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
        let opened = Log::<Tables>::open(store, name, 0, owner, clock.clone(), random)?;
        let newest: &Held = &opened.log.newest().state;
        let state = match &newest.tables {
            Some(blob) => TableState::decode(name, &opened.log.read_blob(blob)?)?,
            None => TableState::default(),
        };
        let mut job = Self {
            name: name.to_owned(),
            unfinished: newest.unfinished.clone(),
            log: opened.log,
            state,
            distrusted: BTreeSet::new(),
            keep_backups,
            clock,
        };
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
        self.log.store()
    }

    /// Stores a partition's bytes, for a run to take; those that are there already are not stored again.
    ///
    /// # Errors
    /// One of more than 5 GiB, of which nothing is stored.
    pub fn store_partition(&self, new: NewPartition) -> Result<Stored, TableError> {
        self.store_up_to(MOST_BYTES, new)
    }

    fn store_up_to(&self, most: u64, new: NewPartition) -> Result<Stored, TableError> {
        let NewPartition { path, file, mut inputs } = new;
        if file.body.length() > most {
            return Err(TableError::TooLarge { path, size: file.body.length(), most });
        }
        inputs.sort();
        let (digest, size) = (file.body.digest(), file.body.length());
        let known = self.state.partitions.get(&path);
        let as_committed = known.is_some_and(|known| known.digest == digest);
        let blob = match as_committed && !self.distrusted.contains(&path) {
            true => None,
            false => Some(self.log.put_blob_file(&file.body)?),
        };
        Ok(Stored { path, rows: file.rows, rows_digest: file.rows_digest, digest, size, inputs, blob })
    }

    /// The partition's object is not what the state says: it will be written even where its digest is the same.
    pub fn distrust(&mut self, path: &str) {
        self.distrusted.insert(path.to_owned());
    }

    /// Work that an earlier owner began, or this one, and no run has taken in.
    pub fn unfinished(&self) -> Option<&Unfinished> {
        self.unfinished.as_ref()
    }

    /// Stores bytes that [`Unfinished`] work names.
    pub fn put_blob(&self, bytes: impl Into<Bytes>) -> Result<BlobRef, TableError> {
        Ok(self.log.put_blob(bytes)?)
    }

    /// The bytes of a blob, checked against its digest.
    pub fn read_blob(&self, blob: &BlobRef) -> Result<Bytes, TableError> {
        Ok(self.log.read_blob(blob)?)
    }

    /// Brings the tables back to how run `run` left them, as a new run. What the partitions were made of stays
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
            let Some(body) = backup::read(&store, &name, of_run, &path)? else { continue };
            let file = File::of_body(&path, body)?;
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
    pub(crate) fn publish(&mut self, publication: &Publication) -> Result<(), TableError> {
        for outgoing in &publication.outbox {
            self.publish_one(outgoing)?;
        }
        self.log.published(SINK, publication.seq);
        // Written down at once, so that the next start need not look at all of it again.
        let state = self.log.newest().state.clone();
        self.log.commit(Draft::commit(Written::default(), state))?;
        Ok(())
    }

    /// Removes what the newest commit removes.
    pub(crate) fn publish_removed(&self) -> Result<(), TableError> {
        let store = self.store();
        for path in &self.state.removed {
            let current = store.get_up_to(path, SPILL_BYTES as u64)?;
            if current != Found::Nothing {
                self.log.check_owner()?;
                self.keep(path, current)?;
                store.delete(path)?;
            }
        }
        Ok(())
    }

    /// Removes old backups and log records. A failure costs space, not correctness.
    pub(crate) fn tidy(&mut self) {
        let store = self.store().clone();
        if let Err(error) = backup::prune(&store, &self.name, self.state.run, self.keep_backups) {
            tracing::warn!(job = self.name, %error, "old backups stay for now");
        }
        if let Err(error) = self.log.clean_up(Retention { keep: KEEP_RECORDS, not_from: None }) {
            tracing::warn!(job = self.name, %error, "old log records stay for now");
        }
    }

    fn publish_one(&self, outgoing: &Outgoing) -> Result<(), TableError> {
        let store = self.store();
        let current = store.get_up_to(&outgoing.name, SPILL_BYTES as u64)?;
        let there = match &current {
            Found::Nothing => None,
            Found::Whole(bytes) => Some(Digest::of(bytes)),
            Found::Large(size) if *size != outgoing.blob.length => None,
            Found::Large(_) => store.digest(&outgoing.name)?.map(|(digest, _)| digest),
        };
        if there == Some(outgoing.digest) {
            return Ok(());
        }
        if outgoing.blob.length > SPILL_BYTES as u64 {
            self.log.check_blob(&outgoing.blob)?;
            self.log.check_owner()?;
            self.keep(&outgoing.name, current)?;
            return Ok(self.log.copy_blob(&outgoing.blob, &outgoing.name)?);
        }
        let bytes = self.log.read_blob(&outgoing.blob)?;
        self.log.check_owner()?;
        self.keep(&outgoing.name, current)?;
        Ok(store.put_overwrite(&outgoing.name, bytes)?)
    }

    /// Keeps an object as it is, which this owner is about to overwrite or remove.
    fn keep(&self, path: &str, current: Found) -> Result<(), TableError> {
        let (store, run) = (self.store(), self.state.run);
        match current {
            _ if self.keep_backups == 0 => {}
            Found::Nothing => {}
            Found::Whole(bytes) => backup::keep(store, &self.name, run, path, bytes)?,
            Found::Large(_) => {
                backup::keep_large(store, &self.name, run, path, || Ok(self.log.check_owner()?))?;
                // A copy may take long.
                self.log.check_owner()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tallow_env::{ManualClock, SeededRandom};
    use tallow_store::Body;

    use super::*;

    #[test]
    fn a_partition_that_could_not_be_put_in_its_place_is_refused_before_anything_of_it_is_stored() {
        let store = Store::memory().unwrap();
        let (clock, random) = (Arc::new(ManualClock::at(0)), Arc::new(SeededRandom::new(1)));
        let job = TableJob::open(&store, "daily", 3, "test", clock, random).unwrap();
        let new = NewPartition {
            path: "serving/daily/symbol=A/year=2026/data.parquet".to_owned(),
            file: File { body: Body::of("12345"), rows: 1, rows_digest: Digest::of(b"") },
            inputs: Vec::new(),
        };
        let before = store.list("").unwrap();
        let error = job.store_up_to(4, new.clone()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&new.path) && text.contains("5 bytes") && text.contains("longer"), "{text}");
        assert_eq!((error.exit_code(), error.is_transient(), store.list("").unwrap()), (2, false, before));
        assert_eq!(job.store_up_to(5, new).unwrap().size, 5);
        assert_eq!(MOST_BYTES, 5_368_709_120);
    }
}
