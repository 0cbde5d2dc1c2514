//! Computes a commit again: the recorded components on the recorded records, from the recorded state, through the same
//! stages that a running pipeline goes through.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tallow_engine::Component;
use tallow_log::Record;
use tallow_log::record::{AsideRecord, BlobRef, Role, SetAside};
use tallow_manifest::Kept;
use tallow_record::{Batch, TopicPartition};
use tallow_sink::{DeadLetter, Item, ReasonKind};
use tallow_source::{Fetcher, PartitionInfo, Position, Source, SourceError};
use tallow_store::Digest;

use super::Verifier;
use super::compare::State;
use crate::commit::{self, CommitId};
use crate::dead::dead_letter;
use crate::error::PipelineError;
use crate::live::desk::StateCopy;
use crate::live::functions::{Functions, contract};
use crate::live::library::Holds;
use crate::live::rehearse;
use crate::live::remake::Published;
use crate::pipeline::{Wiring, parse_worker};
use crate::plan::{Mode, Plan};
use crate::progress::Progress;
use crate::stage::epoch::{Chunk, FinishedEpoch};
use crate::stage::parse::{BisectBudget, ParseWorker, Parts, taken};
use crate::start;

/// Functions get at least that long for a call: that this machine is slower than the pipeline's was is no fault of theirs.
const DEADLINE: Duration = Duration::from_secs(60);
const SLOWER: u32 = 16;

/// A commit, computed again.
pub struct Computed {
    pub epoch: FinishedEpoch,
    pub items: Vec<Item>,
    /// All of the state afterwards.
    pub state: State,
    /// Records that were left out because the log says so.
    pub set_aside: u64,
}

/// The components that a commit names, ready to run under its windows.
pub struct Cast {
    digests: [Digest; 2],
    windows: Vec<Kept>,
    wiring: Wiring,
    parse: ParseWorker,
}

/// Why a commit's components cannot be run.
pub enum Miscast {
    /// The lake does not have it any more.
    Missing(String),
    /// What the lake has is not what it should be: the object and what is wrong.
    Wrong(String, String),
}

/// The components of a commit; `before`: those of the commit before it, which may be the same.
pub fn cast(
    verifier: &Verifier,
    commit: &Record,
    before: Option<Cast>,
) -> Result<Result<Cast, Miscast>, PipelineError> {
    let mut digests = Vec::new();
    for role in [Role::Parse, Role::Window] {
        let Some(function) = commit.state.functions.iter().find(|it| it.role == role) else {
            return Ok(Err(Miscast::Wrong(
                "the log record".into(),
                format!("it names no {role:?} function"),
            )));
        };
        digests.push((role, function.name.as_str(), function.digest));
    }
    let wanted = [digests[0].2, digests[1].2];
    let windows = match windows(commit) {
        Ok(windows) => windows,
        Err(miscast) => return Ok(Err(miscast)),
    };
    if let Some(before) = before.filter(|before| before.digests == wanted && before.windows == windows) {
        return Ok(Ok(before));
    }
    let mut components = Vec::new();
    for (role, name, digest) in digests {
        match component(verifier, role, name, digest)? {
            Ok(component) => components.push(Arc::new(component)),
            Err(miscast) => return Ok(Err(miscast)),
        }
    }
    let [parse, window] = [components[0].clone(), components[1].clone()];
    let wiring = wiring(verifier, &windows, Functions { parse: parse.clone(), window });
    let budget = BisectBudget::new(u64::from(wiring.plan.pipeline.limits.bisect_calls));
    let parse = parse_worker(&wiring, &parse, budget)?;
    Ok(Ok(Cast { digests: wanted, windows, wiring, parse }))
}

/// The windows that a record's state was made with.
fn windows(record: &Record) -> Result<Vec<Kept>, Miscast> {
    let windows = Kept::read(&record.state.windows).filter(|windows| !windows.is_empty());
    windows.ok_or_else(|| {
        Miscast::Missing(format!(
            "its windows cannot be read by this version of tallow: {}",
            record.state.windows
        ))
    })
}

/// The pipeline as it was when these were its windows, which the manifest may have changed since.
fn plan_under(verifier: &Verifier, windows: &[Kept]) -> Plan {
    Plan::new(&verifier.plan.pipeline.with_windows(windows), Mode::default())
}

/// A component of the lake.
pub fn component(
    verifier: &Verifier,
    role: Role,
    name: &str,
    digest: Digest,
) -> Result<Result<Component, Miscast>, PipelineError> {
    let object = format!("component `{name}`, sha256 {digest}");
    Ok(match verifier.library.holds(digest)? {
        Holds::Nothing => Err(Miscast::Missing(format!("{object}, is not in the lake any more"))),
        Holds::Other => Err(Miscast::Wrong(object, "the lake has other bytes under this digest".into())),
        Holds::It => Ok(verifier.library.load(name, digest, contract(role))?),
    })
}

/// Everything that the stages go by, without anything that could write.
fn wiring(verifier: &Verifier, windows: &[Kept], functions: Functions) -> Wiring {
    let mut plan = plan_under(verifier, windows);
    plan.limits.deadline = (plan.limits.deadline * SLOWER).max(DEADLINE);
    plan.pipeline.archive = false;
    Wiring {
        plan: Arc::new(plan),
        functions,
        library: verifier.library.clone(),
        live: Arc::default(),
        reads_headers: true,
        source: Arc::new(Nowhere),
        store: verifier.store.clone(),
        sinks: verifier.sinks.clone(),
        clock: verifier.clock.clone(),
        random: verifier.random.clone(),
        progress: Arc::new(Progress::new(Vec::new())),
        stop: Arc::new(AtomicBool::new(false)),
    }
}

/// No topics: what is computed again is handed in.
struct Nowhere;

impl Source for Nowhere {
    fn partitions(&self) -> Result<Vec<PartitionInfo>, SourceError> {
        Ok(Vec::new())
    }

    fn offsets_at(&self, _: &[PartitionInfo], _: i64) -> Result<Vec<Position>, SourceError> {
        Ok(Vec::new())
    }

    fn fetcher(&self, _: &[Position]) -> Result<Box<dyn Fetcher>, SourceError> {
        Err(SourceError::Other("what is computed again is read from no topic".to_owned()))
    }

    fn retention(&self) -> Result<Option<Duration>, SourceError> {
        Ok(None)
    }

    fn report_committed(&self, _: &[Position]) {}
}

/// Computes `commit` again, from the state of the record `before` it. `published`: what lay there, of commits that a
/// rollback had made void, when it was made.
pub fn compute(
    verifier: &Verifier,
    cast: &mut Cast,
    (before, commit): (&Record, &Record),
    batches: Vec<Batch>,
    published: &Published,
) -> Result<Computed, PipelineError> {
    let (wiring, plan) = (&cast.wiring, &cast.wiring.plan);
    let read_blob = |blob: &BlobRef| verifier.read_blob(blob);
    let from: Vec<Position> = before
        .state
        .partitions
        .iter()
        .map(|it| Position { partition: TopicPartition::new(&it.topic, it.partition), next: it.next })
        .collect();
    let mut state = parts(verifier, before)?;
    let restored =
        start::restore(wiring, &cast.windows, &read_blob, before, &from, &wiring.functions.window)?;
    let budget = BisectBudget::new(u64::from(plan.pipeline.limits.bisect_calls));
    let mut window = restored.into_worker(wiring, &wiring.functions, budget)?;

    let aside = set_aside(verifier, commit)?;
    let mut left_out = 0;
    for batch in batches {
        let (rest, letters) = divide(batch, &aside);
        left_out += letters.len() as u64;
        let whole = rest.taken;
        let worked = cast.parse.work(rest.batch)?;
        let aside = letters.into_iter().chain(worked.aside).collect();
        window.take(Parts { taken: whole, pieces: worked.pieces, aside, archive: None })?;
    }
    let clock_us = commit.epoch.clock_us.unwrap_or_default();
    let mut epoch = window.finish_as(clock_us, commit.state.watermark_us, commit.epoch.closed_all)?;
    epoch.chunks = commit.epoch.chunks.iter().map(Chunk::recorded).collect();

    let id = CommitId { chain: &commit.chain, shard: commit.shard, seq: commit.seq };
    let mut output = commit::output(plan, id, &commit.state.functions, &mut epoch);
    published.apply(&mut output).map_err(PipelineError::Checkpoint)?;
    let mut items = Vec::new();
    for sink in &wiring.sinks {
        items.extend(sink.prepare(&output)?);
    }
    for part in &epoch.parts {
        state.insert((plan.specs[part.spec as usize].name.clone(), part.group), part.bytes.clone());
    }
    Ok(Computed { epoch, items, state, set_aside: left_out })
}

/// The state of the record `before` a swap as its new window function writes it.
pub fn taken_over(
    verifier: &Verifier,
    component: &Component,
    before: &Record,
) -> Result<Result<State, String>, PipelineError> {
    let plan = match windows(before) {
        Ok(windows) => plan_under(verifier, &windows),
        Err(Miscast::Missing(why) | Miscast::Wrong(_, why)) => return Ok(Err(why)),
    };
    let parts = start::read_parts(&plan, &|blob| verifier.read_blob(blob), &before.state)?;
    let state = StateCopy { parts, watermark_us: before.state.watermark_us };
    let limits = tallow_engine::Limits { deadline: DEADLINE, ..plan.limits };
    let taken = rehearse::take_over(component, &plan, limits, &state);
    Ok(taken.map(|(_, parts)| {
        let name = |spec: u32| plan.specs[spec as usize].name.clone();
        parts.into_iter().map(|part| ((name(part.spec), part.group), part.bytes)).collect()
    }))
}

/// All of a record's state.
pub fn parts(verifier: &Verifier, record: &Record) -> Result<State, PipelineError> {
    start::state_bytes(&|blob| verifier.read_blob(blob), &record.state)
}

type Places = BTreeMap<(String, i32, i64), AsideRecord>;

/// Records that cannot be told from the input alone. What is ahead of the clock can.
fn set_aside(verifier: &Verifier, commit: &Record) -> Result<Places, PipelineError> {
    let list = match &commit.epoch.set_aside {
        SetAside::List(list) => list.clone(),
        SetAside::Blob(blob) => serde_json::from_slice(&verifier.read_blob(blob)?).map_err(|error| {
            PipelineError::Checkpoint(format!("the list of set-aside records `{}`: {error}", blob.name))
        })?,
    };
    let kept_away = list.into_iter().filter(|record| record.why != ReasonKind::Future.as_str());
    Ok(kept_away.map(|record| ((record.topic.clone(), record.partition, record.offset), record)).collect())
}

struct Rest {
    taken: Vec<crate::stage::parse::Taken>,
    batch: Batch,
}

/// A batch without the records that are set aside, and their dead letters.
fn divide(batch: Batch, aside: &Places) -> (Rest, Vec<DeadLetter>) {
    let taken = taken(&batch);
    if aside.is_empty() {
        return (Rest { taken, batch }, Vec::new());
    }
    let mut letters = Vec::new();
    let mut rest = Vec::with_capacity(batch.len());
    for record in 0..batch.len() {
        let place = batch.place(record);
        match aside.get(&(place.topic.to_string(), place.partition, place.offset)) {
            None => rest.push(record),
            Some(recorded) => {
                let kinds = [ReasonKind::Trap, ReasonKind::Deadline];
                let kind = kinds.into_iter().find(|kind| kind.as_str() == recorded.why);
                let kind = kind.unwrap_or(ReasonKind::Trap);
                letters.push(dead_letter(&batch, record, kind, recorded.reason.clone()));
            }
        }
    }
    let batch = batch.select(rest);
    (Rest { taken, batch }, letters)
}
