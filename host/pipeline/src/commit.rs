//! The committer: blobs first, then the log record that is the commit, then the sinks.

pub mod swap;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use tallow_engine::Part;
use tallow_log::record::{
    self, AsideRecord, BlobRef, Epoch, Function, Outgoing, Role, SetAside, State, StatePart,
};
use tallow_log::{Draft, Job, Publication};
use tallow_record::TopicPartition;
use tallow_sink::{
    DeadLetter, EpochOutput, Item, OffsetRange, Origin, Provenance, ReasonKind, Sink, archive,
};
use tallow_source::{Position, Source};
use tallow_store::Digest;

use crate::epoch::{Chunk, Finished, FinishedEpoch, Gap};
use crate::error::PipelineError;
use crate::hooks::Hooks;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::republish_diff::Published;

/// Time without a commit after which the log is looked at: a read and a listing.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Commits from one clean-up of the log to the next.
const CLEAN_UP_EVERY: u64 = 50;

pub struct Committer {
    pub plan: Arc<Plan>,
    pub job: Job,
    pub sinks: Vec<Arc<dyn Sink>>,
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
    /// What is published and void: what comes out again is held against it.
    pub published: Published,
    /// Where the last record of that ended.
    pub remake_until: Option<State>,
}

impl Committer {
    /// Commits epochs as they come, one after the other. While none comes it looks whether the shard is still its own: an
    /// idle topic gives no commit that could fail.
    pub fn run(mut self, finished: &Receiver<Finished>) -> Result<(), PipelineError> {
        loop {
            match finished.recv_timeout(LOOK_EVERY) {
                Ok(Finished::Epoch(epoch)) => self.commit(*epoch)?,
                Ok(Finished::Swap(swap)) => self.commit_swap(swap)?,
                Err(RecvTimeoutError::Timeout) => self.look()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
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
        state.ledger.check_chain(&epoch.held)?;
        state.watermark_us = epoch.watermarks.watermark_us();
        state.partitions = partitions(&epoch, &self.topic_ids);

        let released = self.pass_probation(&mut state, &epoch, seq);
        self.end_remake(&mut state);
        let id = CommitId { chain: &self.job.newest().chain, shard: self.job.newest().shard, seq };
        // Those whose dead letter is published already are set aside all the same.
        let set_aside = self.set_aside(&epoch.dead)?;
        let mut output = output(&self.plan, id, &self.state.functions, &mut epoch);
        self.published.apply(&mut output).map_err(PipelineError::Checkpoint)?;
        let mut items = Vec::new();
        for sink in &self.sinks {
            items.extend(sink.prepare(&output)?);
        }
        self.put_state(&mut state, &epoch.parts)?;
        let outbox = put_outbox(&self.job, &items)?;
        let archive = self.put_archive(&epoch)?;
        let closed = output.closed;
        let record = Epoch {
            clock_us: Some(epoch.clock_us),
            watermark_us: epoch.watermark_before_us,
            set_aside,
            inputs: Vec::new(),
            chunks: epoch.chunks.iter().map(chunk).collect(),
            gaps: epoch.gaps.iter().map(gap).collect(),
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
            publish(
                &self.sinks,
                items.into_iter().map(|item| (item.sink.to_owned(), item.name, item.bytes)),
            )?;
            for sink in &self.sinks {
                self.job.published(sink.name(), seq);
            }
        }
        self.source.report_committed(&positions(&epoch.positions));
        self.clean_up(seq);
        self.progress.published(self.plan.name(), &epoch.positions, shown);
        Ok(())
    }

    /// Now and then removes what nobody will read again. A failure costs space, not correctness.
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

    /// Records that a replay must leave out: they cannot be told from the input alone.
    fn set_aside(&self, dead: &[DeadLetter]) -> Result<SetAside, PipelineError> {
        /// Longer lists go into a blob of their own, so that log records stay small.
        const LONGEST: usize = 1000;
        let aside = dead.iter().filter(|letter| {
            matches!(letter.kind, ReasonKind::Trap | ReasonKind::Deadline | ReasonKind::Future)
        });
        let list: Vec<AsideRecord> = aside
            .map(|letter| AsideRecord {
                topic: letter.place.topic.to_string(),
                partition: letter.place.partition,
                offset: letter.place.offset,
                why: letter.kind.as_str().to_owned(),
                reason: match letter.kind {
                    // What makes it ahead of the clock follows from the record and the clock.
                    ReasonKind::Future => String::new(),
                    _ => letter.reason.clone(),
                },
            })
            .collect();
        if list.len() <= LONGEST {
            return Ok(SetAside::List(list));
        }
        let bytes = serde_json::to_vec(&list).map_err(|_| PipelineError::Broken)?;
        Ok(SetAside::Blob(self.job.put_blob(Bytes::from(bytes))?))
    }
}

/// Stores finished objects as blobs; what the commit says about them.
pub fn put_outbox(job: &Job, items: &[Item]) -> Result<Vec<Outgoing>, PipelineError> {
    let outgoing = items.iter().map(|item| {
        Ok(Outgoing {
            sink: item.sink.to_owned(),
            name: item.name.clone(),
            rows: item.rows,
            rows_digest: item.rows_digest,
            digest: Digest::of(&item.bytes),
            blob: job.put_blob(item.bytes.clone())?,
        })
    });
    outgoing.collect()
}

/// Publishes finished objects, each by the sink that made it.
pub fn publish(
    sinks: &[Arc<dyn Sink>],
    items: impl Iterator<Item = (String, String, Bytes)>,
) -> Result<(), PipelineError> {
    for (sink, name, bytes) in items {
        let Some(sink) = sinks.iter().find(|it| it.name() == sink) else {
            return Err(PipelineError::Checkpoint(format!(
                "the log has `{name}` to be published by sink `{sink}`, which this version of tallow does not have"
            )));
        };
        sink.publish(&name, bytes)?;
    }
    Ok(())
}

/// Names a commit in what it gives to the sinks.
#[derive(Clone, Copy)]
pub struct CommitId<'a> {
    pub chain: &'a str,
    pub shard: u32,
    pub seq: u64,
}

/// What a finished epoch gives to the sinks. Late rows and dead letters are moved there: they may be many.
pub fn output<'a>(
    plan: &'a Plan,
    id: CommitId<'a>,
    functions: &[Function],
    epoch: &mut FinishedEpoch,
) -> EpochOutput<'a> {
    EpochOutput {
        pipeline: plan.name(),
        chain: id.chain,
        shard: id.shard,
        seq: id.seq,
        clock_us: epoch.clock_us,
        provenance: provenance(functions, &epoch.chunks),
        closed: epoch.closed.clone(),
        late: std::mem::take(&mut epoch.late),
        dead: std::mem::take(&mut epoch.dead),
    }
}

/// Digests of the functions by their role, as files name them.
pub fn by_role(functions: &[Function]) -> BTreeMap<String, Digest> {
    let role = |function: &Function| match function.role {
        Role::Parse => "parse",
        Role::Window => "window",
    };
    functions.iter().map(|it| (role(it).to_owned(), it.digest)).collect()
}

/// Where an epoch's rows come from.
pub fn provenance(functions: &[Function], chunks: &[Chunk]) -> Provenance {
    let functions = by_role(functions);
    let mut ranges: BTreeMap<&TopicPartition, (i64, i64)> = BTreeMap::new();
    for chunk in chunks {
        let range = ranges.entry(&chunk.partition).or_insert((chunk.from, chunk.to));
        *range = (range.0.min(chunk.from), range.1.max(chunk.to));
    }
    let offsets = ranges.into_iter().map(|(partition, (from, to))| OffsetRange {
        topic: partition.topic.to_string(),
        partition: partition.partition,
        from,
        to,
    });
    Provenance { origin: Origin::Stream, functions, offsets: offsets.collect() }
}

fn chunk(chunk: &Chunk) -> record::Chunk {
    record::Chunk {
        topic: chunk.partition.topic.to_string(),
        partition: chunk.partition.partition,
        from: chunk.from,
        to: chunk.to,
        clock_us: chunk.clock_us,
    }
}

fn gap(gap: &Gap) -> record::Gap {
    record::Gap {
        topic: gap.partition.topic.to_string(),
        partition: gap.partition.partition,
        from: gap.from,
        to: gap.to,
        why: "gone from the topic before they were read".to_owned(),
    }
}

/// Every partition that is read, with or without records so far.
fn partitions(epoch: &FinishedEpoch, topic_ids: &BTreeMap<Arc<str>, Arc<str>>) -> Vec<record::Partition> {
    let times: BTreeMap<_, _> = epoch.watermarks.partitions().collect();
    let partitions = epoch.positions.iter().map(|(partition, next)| {
        let time = times.get(partition);
        record::Partition {
            topic: partition.topic.to_string(),
            topic_id: topic_ids.get(&partition.topic).map(|id| id.to_string()),
            partition: partition.partition,
            next: *next,
            max_event_time_us: time.and_then(|time| time.max_event_time_us),
            idle: time.is_some_and(|time| time.idle),
            at_end_since_us: time.and_then(|time| time.at_end_since_us),
            stands_since_us: time.and_then(|time| time.stands_since_us),
        }
    });
    partitions.collect()
}

fn positions(positions: &BTreeMap<TopicPartition, i64>) -> Vec<Position> {
    positions.iter().map(|(partition, next)| Position { partition: partition.clone(), next: *next }).collect()
}
