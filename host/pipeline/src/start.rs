//! Where a pipeline starts: from the log's newest record, or from the manifest's starting offsets.

mod contact;
pub mod refuse;
mod restore;
mod rewind;
pub mod rollback;
mod swap;
pub mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use tallow_lake::Folder;
use tallow_log::record::{Epoch, Function, Partition, Role, State};
use tallow_log::{Draft, Log, LogError, Opened, owner};
use tallow_manifest::{Kept, OnDataLoss, StartingOffsets, Succession, Topics};
use tallow_record::TopicPartition;
use tallow_source::{PartitionInfo, Position};

pub use self::restore::{ReadBlob, read_parts, restore, state_bytes};
pub use self::rewind::rewind;
use crate::backlog::Backlog;
use crate::commit::Committer;
use crate::ends::{Ends, ends_of};
use crate::error::PipelineError;
use crate::functions::{self, Functions};
use crate::publish::Publisher;
use crate::services::Services;
use crate::whole::Whole;
use crate::window_worker::WindowState;

const SHARD: u32 = 0;

/// A pipeline that owns its shard, at its last commit.
pub struct Started {
    /// There was no log before.
    pub first: bool,
    pub committer: Committer,
    /// What runs.
    pub functions: Functions,
    pub window: WindowState,
    /// Where each partition is read from.
    pub from: Vec<Position>,
    pub ends: Ends,
}

/// Takes the shard over (which fences an older owner), publishes what a crash may have left unpublished, and
/// restores the state. `roll_back`: why to roll back the function on probation.
pub fn start(services: &Services, roll_back: Option<&str>) -> Result<Started, PipelineError> {
    let plan = &services.plan;
    let partitions = contact::partitions(services.source.clone(), &services.stop)?;
    if let Topics::Pattern(pattern) = &plan.pipeline.topics
        && partitions.is_empty()
    {
        tracing::warn!(pipeline = plan.name(), pattern, "`topic-pattern` matches no topic: nothing is read");
    }
    services.store.probe(&*services.random)?;
    let publisher = publisher(services);
    let (Opened { log: mut job, first, held, .. }, backlog) = take_over(services, &publisher, roll_back)?;
    let next = refuse::succession(plan, &job.newest().state)?;
    let brings_windows = windows_differ(&job.newest().state, &next);
    let mut record = job.newest().clone();
    let (epoch, under_next) = windows::under(&next, &record.state);
    if brings_windows {
        record.state = under_next;
    }
    let (functions, changed) =
        functions::at_start(plan.name(), &services.functions, &services.library, &record.state)?;
    services.hooks.set_probation(record.state.live.probation.as_ref().map(|probation| probation.role));

    let from = starting_positions(services, &record.state, &partitions)?;
    let mut window =
        restore(plan, &next.windows, &|blob| job.read_blob(blob), &record.state, &from, &functions)?;
    if brings_windows {
        windows::commit(plan, &mut job, &next, (epoch, record.state.clone()), services.clock.now_us())?;
        record.seq = job.newest().seq;
    }
    let topic_ids: BTreeMap<Arc<str>, Arc<str>> =
        partitions.iter().filter_map(|it| Some((it.partition.topic.clone(), it.topic_id.clone()?))).collect();
    let mut state = State {
        functions: recorded_functions(services, &record.state, &functions, &changed)?,
        manifest: Some(plan.pipeline.digest),
        windows: Kept::write(&next.windows),
        ..record.state.clone()
    };
    state.whole.retain(|window, _| plan.pipeline.completes(window));
    if record.state.partitions.is_empty() {
        fix_positions(&mut job, &mut state, &from, &topic_ids, services.clock.now_us())?;
    }
    let (published, remake_until) = rollback::open_remake(plan.name(), &job)?;
    let whole = Whole::read(&plan.pipeline, &|blob| job.read_blob(blob), &state)?;
    whole_begins(plan, &state);
    tracing::info!(
        pipeline = plan.name(),
        chain = record.chain,
        term = record.term,
        after = record.seq,
        partitions = from.len(),
        "owns its log"
    );
    let mut committer = Committer {
        plan: plan.clone(),
        job,
        publisher,
        source: services.source.clone(),
        progress: services.progress.clone(),
        topic_ids,
        state,
        hooks: services.hooks.clone(),
        files: swap::files(&services.functions),
        reads_headers: services.reads_headers,
        held,
        backlog,
        published,
        whole,
        remake_until,
    };
    swap::at_start(&mut committer, &functions, &changed, &mut window, services.clock.now_us())?;
    services.hooks.set_running(&functions);
    Ok(Started { first, committer, functions, window, ends: ends_of(&partitions, &from), from })
}

/// Reports a whole result that lacks what closed before it was asked for.
fn whole_begins(plan: &tallow_worker::Plan, state: &State) {
    if state.watermark_us.is_none() {
        return;
    }
    let windows = plan.pipeline.windows.iter().filter(|window| plan.pipeline.completes(&window.name));
    for window in windows.filter(|window| !state.whole.contains_key(&window.name)) {
        tracing::warn!(
            pipeline = plan.name(),
            window = window.name,
            "the whole result for its topic begins here: windows that have closed before are in the lake alone"
        );
    }
}

/// Owns the shard, publishes what may not have been, and rolls back if asked to.
fn take_over(
    services: &Services,
    publisher: &Publisher,
    roll_back: Option<&str>,
) -> Result<(Opened, Backlog), PipelineError> {
    refuse_changes(services)?;
    services.sinks.iter().try_for_each(|sink| sink.check())?;
    let mut opened = <Log>::open(
        &services.store,
        services.plan.name(),
        SHARD,
        &owner::name(),
        services.clock.clone(),
        services.random.clone(),
    )?;
    let mut to_publish = std::mem::take(&mut opened.to_publish);
    publisher.take_over(&mut opened.log, &mut to_publish)?;
    // A service that is away does not keep the pipeline from its start.
    let mut backlog = Backlog::default();
    let at_once = backlog.take(publisher, to_publish);
    publisher.republish(&mut opened.log, at_once)?;
    if rollback::roll_back(services, &mut opened.log, roll_back)? {
        opened.held.clear();
        opened.log.newest().voided.iter().for_each(|range| backlog.void(*range));
    }
    Ok((opened, backlog))
}

fn publisher(services: &Services) -> Publisher {
    Publisher {
        pipeline: services.plan.name().to_owned(),
        sinks: services.sinks.clone(),
        clock: services.clock.clone(),
        stop: services.stop.clone(),
    }
}

/// Fails where the windows of the newest record cannot be carried over: before its owner is fenced, or waited for.
pub fn refuse_changes(services: &Services) -> Result<(), PipelineError> {
    let newest =
        tallow_log::status::last_records(&services.store, services.plan.name(), SHARD, 1)?.into_iter().next();
    newest.map_or(Ok(()), |newest| refuse::succession(&services.plan, &newest.state).map(drop))
}

fn windows_differ(before: &State, next: &Succession) -> bool {
    !before.windows.is_null() && before.windows != Kept::write(&next.windows)
}

/// Fails where another process wrote the shard's newest record: to start again would take the shard from it. (This
/// process has written under several ids, one a start.)
pub fn still_ours(services: &Services) -> Result<(), PipelineError> {
    let (store, pipeline) = (&services.store, services.plan.name());
    let newest = tallow_log::status::last_records(store, pipeline, SHARD, 1)?.into_iter().next();
    match newest {
        Some(theirs) if theirs.writer.name != owner::name() => {
            let folder = Folder::new(pipeline, SHARD).map_err(LogError::from)?;
            let object = store.at(&folder.record(theirs.seq));
            Err(LogError::Taken { object, by: theirs.writer }.into())
        }
        _ => Ok(()),
    }
}

/// What runs, as the log names it; of a changed file what ran before, until its swap is committed.
fn recorded_functions(
    services: &Services,
    state: &State,
    functions: &Functions,
    changed: &[Role],
) -> Result<Vec<Function>, PipelineError> {
    let roles = [Role::Parse, Role::Window].into_iter();
    roles
        .map(|role| {
            let before = state.functions.iter().find(|function| function.role == role);
            match before {
                Some(before) if changed.contains(&role) => Ok(before.clone()),
                before => functions::recorded(
                    (&services.functions, services.plan.limits),
                    role,
                    functions.get(role),
                    before,
                ),
            }
        })
        .collect()
}

/// Commits where a first start begins, before anything is read: `latest` asked again after a failure would skip what
/// came meanwhile.
fn fix_positions(
    job: &mut Log,
    state: &mut State,
    from: &[Position],
    topic_ids: &BTreeMap<Arc<str>, Arc<str>>,
    clock_us: i64,
) -> Result<(), PipelineError> {
    let partitions = from.iter().map(|it| Partition {
        topic: it.partition.topic.to_string(),
        topic_id: topic_ids.get(&it.partition.topic).map(|id| id.to_string()),
        partition: it.partition.partition,
        next: it.next,
        max_event_time_us: None,
        idle: false,
        at_end_since_us: None,
        stands_since_us: Some(clock_us),
    });
    state.partitions = partitions.collect();
    let nothing = Epoch { clock_us: Some(clock_us), ..Epoch::default() };
    job.commit(Draft::commit(nothing, state.clone()))?;
    Ok(())
}

/// The log's positions; for partitions that it does not know, their earliest record, or on the very first start
/// what the manifest says.
fn starting_positions(
    services: &Services,
    state: &State,
    partitions: &[PartitionInfo],
) -> Result<Vec<Position>, PipelineError> {
    let plan = &services.plan;
    let committed: BTreeMap<TopicPartition, i64> =
        state.partitions.iter().map(|it| (TopicPartition::new(&it.topic, it.partition), it.next)).collect();
    if !committed.is_empty() && plan.pipeline.starting_offsets != StartingOffsets::Earliest {
        tracing::warn!(
            pipeline = plan.name(),
            "`starting-offsets` is not used: there is a checkpoint, and the pipeline continues from it"
        );
    }
    if let Some(lost) = committed.keys().find(|it| !partitions.iter().any(|info| info.partition == **it))
        && plan.pipeline.on_data_loss == OnDataLoss::Halt
    {
        return Err(PipelineError::Checkpoint(format!(
            "pipeline `{}` has read {lost}, which does not exist any more: the topic was deleted or made again with \
             fewer partitions. `on-data-loss = \"continue\"` continues without it",
            plan.name()
        )));
    }
    refuse::other_topics(plan, state, partitions)?;
    if let (StartingOffsets::Time(time_us), true) = (&plan.pipeline.starting_offsets, committed.is_empty()) {
        return Ok(services.source.offsets_at(partitions, *time_us)?);
    }
    let position = |info: &PartitionInfo| match committed.get(&info.partition) {
        Some(next) => *next,
        None if !committed.is_empty() => info.earliest,
        None => match &plan.pipeline.starting_offsets {
            StartingOffsets::Earliest | StartingOffsets::Time(_) => info.earliest,
            StartingOffsets::Latest => info.latest,
            StartingOffsets::At(offsets) => offsets.get(&info.partition).copied().unwrap_or(info.earliest),
        },
    };
    Ok(partitions.iter().map(|it| Position { partition: it.partition.clone(), next: position(it) }).collect())
}
