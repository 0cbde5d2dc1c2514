//! Computes a commit again: the recorded components on the recorded records, from the recorded state, through the same
//! stages that a running pipeline goes through.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tallow_engine::{Component, Part};
use tallow_log::Record;
use tallow_log::record::{AsideRecord, BlobRef, Role, SetAside};
use tallow_manifest::Kept;
use tallow_record::{Batch, TopicPartition};
use tallow_sink::{DeadLetter, Item, ReasonKind};
use tallow_source::Position;
use tallow_store::Digest;

use super::Verifier;
use super::compare::State;
use tallow_pipeline::PipelineError;
use tallow_pipeline::commit::{self, CommitId};
use tallow_pipeline::epoch::{Chunk, FinishedEpoch};
use tallow_pipeline::functions::{Functions, contract};
use tallow_pipeline::progress::Progress;
use tallow_pipeline::republish_diff::Published;
use tallow_pipeline::start;
use tallow_pipeline::state_handover;
use tallow_pipeline::whole::Whole;
use tallow_pipeline::window_worker::WindowWorker;
use tallow_worker::StateCopy;
use tallow_worker::dead_letter::dead_letter;
use tallow_worker::library::Holds;
use tallow_worker::plan::parse_settings;
use tallow_worker::plan::{Mode, Plan};
use tallow_worker::slices::fetched_ranges;
use tallow_worker::{BisectBudget, ParseWorker, ParsedBatch, Unobserved};

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
pub struct ReplaySetup {
    digests: [Digest; 2],
    windows: Vec<Kept>,
    plan: Arc<Plan>,
    functions: Functions,
    parse: ParseWorker,
}

/// Why a commit's components cannot be run.
pub enum SetupError {
    /// The lake does not have it any more.
    Missing(String),
    /// What the lake has is not what it should be: the object and what is wrong.
    Wrong(String, String),
}

/// The components of a commit; `before`: those of the commit before it, which may be the same.
pub fn set_up(
    verifier: &Verifier,
    commit: &Record,
    before: Option<ReplaySetup>,
) -> Result<Result<ReplaySetup, SetupError>, PipelineError> {
    let mut digests = Vec::new();
    for role in [Role::Parse, Role::Window] {
        let Some(function) = commit.state.functions.iter().find(|it| it.role == role) else {
            return Ok(Err(SetupError::Wrong(
                "the log record".into(),
                format!("it names no {role:?} function"),
            )));
        };
        digests.push((role, function.name.as_str(), function.digest));
    }
    let wanted = [digests[0].2, digests[1].2];
    let windows = match windows(commit) {
        Ok(windows) => windows,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(before) = before.filter(|before| before.digests == wanted && before.windows == windows) {
        return Ok(Ok(before));
    }
    let mut components = Vec::new();
    for (role, name, digest) in digests {
        match component(verifier, role, name, digest)? {
            Ok(component) => components.push(Arc::new(component)),
            Err(error) => return Ok(Err(error)),
        }
    }
    let [parse, window] = [components[0].clone(), components[1].clone()];
    let mut plan = plan_under(verifier, &windows);
    plan.limits.deadline = (plan.limits.deadline * SLOWER).max(DEADLINE);
    plan.pipeline.archive = false;
    let budget = BisectBudget::new(u64::from(plan.pipeline.limits.bisect_calls));
    let worker = ParseWorker::new(
        &parse,
        parse_settings(&plan),
        budget,
        Arc::new(Unobserved),
        verifier.clock.clone(),
    )?;
    let functions = Functions { parse, window };
    Ok(Ok(ReplaySetup { digests: wanted, windows, plan: Arc::new(plan), functions, parse: worker }))
}

/// The windows that a record's state was made with.
fn windows(record: &Record) -> Result<Vec<Kept>, SetupError> {
    let windows = Kept::read(&record.state.windows).filter(|_| !record.state.windows.is_null());
    windows.ok_or_else(|| {
        SetupError::Missing(format!(
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
) -> Result<Result<Component, SetupError>, PipelineError> {
    let object = format!("component `{name}`, sha256 {digest}");
    Ok(match verifier.library.holds(digest)? {
        Holds::Nothing => Err(SetupError::Missing(format!("{object}, is not in the lake any more"))),
        Holds::Other => Err(SetupError::Wrong(object, "the lake has other bytes under this digest".into())),
        Holds::It => Ok(verifier.library.load(name, digest, contract(role))?),
    })
}

/// Computes `commit` again, from the state of the record `before` it. `published`: what lay there, of commits that a
/// rollback had made void, when it was made.
pub fn compute(
    verifier: &Verifier,
    setup: &mut ReplaySetup,
    (before, commit): (&Record, &Record),
    batches: Vec<Batch>,
    published: &Published,
) -> Result<Computed, PipelineError> {
    let (plan, functions) = (&setup.plan, &setup.functions);
    let read_blob = |blob: &BlobRef| verifier.read_blob(blob);
    let from: Vec<Position> = before
        .state
        .partitions
        .iter()
        .map(|it| Position { partition: TopicPartition::new(&it.topic, it.partition), next: it.next })
        .collect();
    let mut state = parts(verifier, before)?;
    let mut window = WindowWorker::new(
        plan.clone(),
        Arc::new(Progress::new(Vec::new())),
        Arc::new(Unobserved),
        verifier.clock.clone(),
        start::restore(plan, &setup.windows, &read_blob, &before.state, &from, functions)?,
    );

    let aside = set_aside(verifier, commit)?;
    let mut left_out = 0;
    for batch in batches {
        let (rest, letters) = divide(batch, &aside);
        left_out += letters.len() as u64;
        let whole = rest.taken;
        let worked = setup.parse.work(rest.batch)?;
        let aside = letters.into_iter().chain(worked.aside).collect();
        window.take(ParsedBatch { taken: whole, slices: worked.slices, aside, archive: None })?;
    }
    let clock_us = commit.epoch.clock_us.unwrap_or_default();
    let mut epoch = window.finish_with(clock_us, commit.state.watermark_us, commit.epoch.closed_all)?;
    epoch.chunks = commit.epoch.chunks.iter().map(Chunk::recorded).collect();

    let id = CommitId { chain: &commit.chain, shard: commit.shard, seq: commit.seq };
    let mut output = commit::output(plan, id, &commit.state.functions, &mut epoch);
    published.apply(&mut output)?;
    Whole::read(&plan.pipeline, &read_blob, &before.state)?.apply(&mut output)?;
    let mut items = Vec::new();
    for sink in &verifier.sinks {
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
        Err(SetupError::Missing(why) | SetupError::Wrong(_, why)) => return Ok(Err(why)),
    };
    let parts = start::read_parts(&plan, &|blob| verifier.read_blob(blob), &before.state)?;
    let state = StateCopy { parts, watermark_us: before.state.watermark_us };
    let limits = tallow_engine::Limits { deadline: DEADLINE, ..plan.limits };
    let name = |spec: u32| plan.specs[spec as usize].name.clone();
    let named = |parts: Vec<Part>| {
        parts.into_iter().map(|part| ((name(part.spec), part.group), part.bytes)).collect()
    };
    let taken = state_handover::hand_over(component, &plan, limits, &state);
    Ok(taken.map(|(_, parts)| named(parts)).map_err(|error| error.to_string()))
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
    taken: Vec<tallow_worker::FetchedRange>,
    batch: Batch,
}

/// A batch without the records that are set aside, and their dead letters.
fn divide(batch: Batch, aside: &Places) -> (Rest, Vec<DeadLetter>) {
    let taken = fetched_ranges(&batch);
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
