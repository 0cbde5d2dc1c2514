//! The committer: blobs first, then the log record that is the commit, then the sinks.

mod content;
pub mod swap;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use tallow_engine::Part;
use tallow_log::record::{BlobRef, Epoch, Role, SetAside, State, StatePart};
use tallow_log::{Draft, Log, Publication};
use tallow_sink::{DeadLetter, Item, archive};
use tallow_source::Source;
use tallow_store::Digest;

pub use self::content::{CommitId, output, provenance};
use crate::backlog::{Backlog, Patience};
use crate::epoch::{Finished, FinishedEpoch};
use crate::error::PipelineError;
use crate::hooks::Hooks;
use crate::progress::Progress;
use crate::publish::Publisher;
use crate::republish_diff::Published;
use crate::whole::{self, Whole};
use tallow_worker::plan::Plan;

/// Time without a commit after which the log is looked at: a read and a listing.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// While something waits for a service: the same, and a try.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// Commits from one clean-up of the log to the next.
const CLEAN_UP_EVERY: u64 = 50;

pub struct Committer {
    pub plan: Arc<Plan>,
    pub job: Log,
    pub publisher: Publisher,
    pub source: Arc<dyn Source>,
    pub progress: Arc<Progress>,
    /// Kafka's ids of the topics, as they were when each was first seen.
    pub topic_ids: BTreeMap<Arc<str>, Arc<str>>,
    /// What the last record says; each commit makes the next of it.
    pub state: State,
    pub hooks: Arc<dyn Hooks>,
    /// The components of the manifest's files, as digests by role.
    pub files: BTreeMap<Role, Digest>,
    /// Whether the source looks for the records' headers.
    pub reads_headers: bool,
    /// What waits for the end of a probation, in order.
    pub held: Vec<Publication>,
    /// What waits for a service that is away.
    pub backlog: Backlog,
    /// What is published and void: what comes out again is held against it.
    pub published: Published,
    /// Of windows whose topic gets the whole result.
    pub whole: Whole,
    /// Where the last record of that ended.
    pub remake_until: Option<State>,
}

impl Committer {
    /// Commits epochs as they come, one after the other. While none comes it looks whether the shard is still its own: an
    /// idle topic gives no commit that could fail.
    pub fn run(mut self, finished: &Receiver<Finished>) -> Result<(), PipelineError> {
        loop {
            let pause = if self.backlog.is_empty() { LOOK_EVERY } else { TRY_EVERY };
            match finished.recv_timeout(pause) {
                Ok(Finished::Epoch(epoch)) => self.commit(*epoch)?,
                Ok(Finished::Swap(swap)) => self.commit_swap(swap)?,
                Err(RecvTimeoutError::Timeout) => {
                    self.look()?;
                    self.backlog.flush(&self.publisher, &mut self.job, Patience::Backlog)?;
                }
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            }
        }
    }

    /// A run that takes what is there now ends with everything published. Any other leaves what waits to the next start.
    fn end(&mut self) -> Result<(), PipelineError> {
        let patience = if self.plan.available_now { Patience::Wait } else { Patience::Leave };
        self.backlog.flush(&self.publisher, &mut self.job, patience)?;
        if !self.backlog.is_empty() {
            let pipeline = self.plan.name();
            tracing::warn!(
                pipeline,
                "results are committed and wait to be published: the next start does it"
            );
        }
        Ok(())
    }

    /// A store that is away is no reason to stop while there is nothing to commit.
    fn look(&self) -> Result<(), PipelineError> {
        match self.job.check_owner() {
            Err(error) if error.is_transient() => {
                tracing::warn!(pipeline = self.plan.name(), %error, "cannot see whether another process took over");
                Ok(())
            }
            owner => Ok(owner?),
        }
    }

    fn commit(&mut self, mut epoch: FinishedEpoch) -> Result<(), PipelineError> {
        let seq = self.job.next_seq();
        for info in &epoch.found {
            if let Some(id) = &info.topic_id {
                self.topic_ids.entry(info.partition.topic.clone()).or_insert_with(|| id.clone());
            }
        }
        let mut state = self.state.clone();
        state.ledger.absorb(&epoch.ledger);
        state.ledger.check_chain(&epoch.open_assignments)?;
        state.watermark_us = epoch.watermarks.watermark_us();
        state.partitions = content::partitions(&epoch, &self.topic_ids);

        let released = self.pass_probation(&mut state, &epoch, seq);
        self.end_remake(&mut state);
        let id = CommitId { chain: &self.job.newest().chain, shard: self.job.newest().shard, seq };
        // Those whose dead letter is published already are set aside all the same.
        let set_aside = self.set_aside(&epoch.dead)?;
        let mut output = output(&self.plan, id, &self.state.functions, &mut epoch);
        self.published.apply(&mut output)?;
        self.whole.apply(&mut output)?;
        let mut items = Vec::new();
        for sink in &self.publisher.sinks {
            items.extend(sink.prepare(&output)?);
        }
        self.put_state(&mut state, &epoch.parts)?;
        whole::write(&output.whole, &mut state, &|bytes| self.job.put_blob(bytes))?;
        let put = |item: &Item| {
            let rows = (item.rows, item.rows_digest);
            self.job.put_outgoing(item.sink, &item.name, rows, item.bytes.clone())
        };
        let outbox = items.iter().map(put).collect::<Result<_, _>>()?;
        let archive = self.put_archive(&epoch)?;
        let closed = output.closed;
        let record = Epoch {
            clock_us: Some(epoch.clock_us),
            watermark_us: epoch.watermark_before_us,
            set_aside,
            inputs: Vec::new(),
            chunks: epoch.chunks.iter().map(content::chunk).collect(),
            gaps: epoch.gaps.iter().map(content::gap).collect(),
            outbox,
            ledger: epoch.ledger,
            closed_all: epoch.closed_all,
            headers: self.reads_headers,
            archive,
        };
        self.job.commit(Draft::commit(record, state.clone()))?;
        self.state = state;
        let shown = if self.holds() { &[][..] } else { &closed };
        self.progress.epoch_committed(shown);
        if self.state.live.remake.is_none() {
            self.published = Published::default();
        }
        if released {
            self.publish_held()?;
        }
        if self.holds() {
            self.hold();
        } else {
            self.publish(seq, items)?;
        }
        self.source.report_committed(&content::positions(&epoch.positions));
        self.clean_up(seq);
        self.progress.published(self.plan.name(), &epoch.positions, shown);
        Ok(())
    }

    /// Publishes what was just committed. A sink that keeps a marker has published what it has a marker of, and no commit
    /// that gave it nothing.
    fn publish(&mut self, seq: u64, items: Vec<Item>) -> Result<(), PipelineError> {
        let marked: BTreeSet<&str> = items.iter().map(|item| item.sink).collect();
        let publications = marked.iter().map(|sink| self.job.publication(sink)).collect();
        self.backlog.take(&self.publisher, publications);
        for item in items {
            match self.backlog.is_clear(item.sink) {
                true => self.publisher.publish(&self.job, item.sink, &item.name, item.bytes)?,
                false => self.backlog.keep(item),
            }
        }
        self.backlog.flush(&self.publisher, &mut self.job, Patience::Backlog)?;
        for sink in self.publisher.sinks.iter().filter(|it| !it.keeps_marker() || marked.contains(it.name()))
        {
            if self.backlog.is_clear(sink.name()) {
                self.job.published(sink.name(), seq);
            }
        }
        Ok(())
    }

    /// Now and then removes old records. A failure costs space, not correctness.
    fn clean_up(&mut self, seq: u64) {
        if seq.is_multiple_of(CLEAN_UP_EVERY)
            && let Err(error) = self.job.clean_up(self.retention())
        {
            tracing::warn!(pipeline = self.plan.name(), %error, "old log records stay for now");
        }
    }

    /// What changed goes into one blob; what did not stays where it is.
    fn put_state(&self, state: &mut State, changed: &[Part]) -> Result<(), PipelineError> {
        if changed.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(changed.iter().map(|part| part.bytes.len()).sum());
        changed.iter().for_each(|part| bytes.extend_from_slice(&part.bytes));
        let blob = self.job.put_blob(Bytes::from(bytes))?;
        let mut parts: BTreeMap<(String, u32), StatePart> =
            state.parts.drain(..).map(|part| ((part.window.clone(), part.group), part)).collect();
        let mut from = 0;
        for part in changed {
            let window = self.plan.specs[part.spec as usize].name.clone();
            let length = part.bytes.len() as u64;
            let whole =
                StatePart { window: window.clone(), group: part.group, blob: blob.clone(), from, length };
            parts.insert((window, part.group), whole);
            from += length;
        }
        state.parts = parts.into_values().collect();
        Ok(())
    }

    /// The records themselves, where the manifest says to keep them.
    fn put_archive(&self, epoch: &FinishedEpoch) -> Result<Option<BlobRef>, PipelineError> {
        if epoch.archive.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.job.put_blob(archive::encode(&epoch.archive)?)?))
    }

    /// Records that a replay must leave out. A long list becomes a blob, so that log records stay small.
    fn set_aside(&self, dead: &[DeadLetter]) -> Result<SetAside, PipelineError> {
        const LONGEST: usize = 1000;
        let list = content::set_aside(dead);
        if list.len() <= LONGEST {
            return Ok(SetAside::List(list));
        }
        let bytes = serde_json::to_vec(&list).map_err(|_| PipelineError::Broken)?;
        Ok(SetAside::Blob(self.job.put_blob(Bytes::from(bytes))?))
    }
}

#[cfg(test)]
mod tests;
