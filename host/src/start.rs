//! Where a pipeline starts: from the log's newest record, or from the manifest's starting offsets.

mod refuse;
mod restore;

use std::collections::BTreeMap;
use std::sync::Arc;

use tallow_engine::{Contract, WindowFunction};
use tallow_log::record::{Epoch, Function, Partition, Role, State};
use tallow_log::{Digest, Draft, Job, Opened, Publication};
use tallow_manifest::{OnDataLoss, StartingOffsets};
use tallow_record::TopicPartition;
use tallow_source::{PartitionInfo, Position};

pub use self::restore::Restored;
use self::restore::restore;
use crate::commit::{self, Committer};
use crate::error::PipelineError;
use crate::pipeline::{Wiring, ends};
use crate::plan::Plan;

/// A pipeline that owns its shard and stands at its last commit.
pub struct Started {
    pub committer: Committer,
    pub window: Restored,
    /// Where each partition is read from.
    pub from: Vec<Position>,
    /// Partitions that are not at their end, and where that was.
    pub ends: BTreeMap<TopicPartition, i64>,
}

/// Takes the shard over (which fences an older owner), publishes what a crash may have left unpublished, and
/// restores the state.
pub fn start(wiring: &Wiring) -> Result<Started, PipelineError> {
    let plan = &wiring.plan;
    let partitions = wiring.source.partitions()?;
    wiring.store.probe(&*wiring.random)?;
    let Opened { mut job, first: _, to_publish } =
        Job::open(&wiring.store, plan.name(), 0, &owner(), wiring.clock.clone(), wiring.random.clone())?;
    let record = job.newest().clone();
    refuse::changed_windows(plan, &record.state)?;
    republish(wiring, &mut job, to_publish)?;

    let from = starting_positions(plan, &record.state, &partitions)?;
    let window = restore(wiring, &job, &record, &from)?;
    let topic_ids: BTreeMap<Arc<str>, Arc<str>> =
        partitions.iter().filter_map(|it| Some((it.partition.topic.clone(), it.topic_id.clone()?))).collect();
    let mut state = State {
        functions: functions(wiring)?,
        manifest: plan.pipeline.digest.parse().ok(),
        windows: plan.meaning_of_state(),
        ..record.state.clone()
    };
    if record.state.partitions.is_empty() {
        fix_positions(&mut job, &mut state, &from, &topic_ids, wiring.clock.now_us())?;
    }
    tracing::info!(
        pipeline = plan.name(),
        chain = record.chain,
        term = record.term,
        after = record.seq,
        partitions = from.len(),
        "owns its log"
    );
    let committer = Committer {
        plan: plan.clone(),
        job,
        sinks: wiring.sinks.clone(),
        source: wiring.source.clone(),
        progress: wiring.progress.clone(),
        topic_ids,
        state,
    };
    Ok(Started { committer, window, ends: ends(&partitions, &from), from })
}

/// Commits where a first start begins, before anything is read: `latest` asked again after a failure would skip what
/// came meanwhile.
fn fix_positions(
    job: &mut Job,
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
    });
    state.partitions = partitions.collect();
    let nothing = Epoch { clock_us: Some(clock_us), ..Epoch::default() };
    job.commit(Draft::commit(nothing, state.clone()))?;
    Ok(())
}

/// What was committed and may not have been published. Publishing twice does no harm.
fn republish(wiring: &Wiring, job: &mut Job, to_publish: Vec<Publication>) -> Result<(), PipelineError> {
    for Publication { sink, seq, outbox } in to_publish {
        for outgoing in outbox {
            let bytes = job.read_blob(&outgoing.blob)?;
            commit::publish(&wiring.sinks, [(outgoing.sink, outgoing.name, bytes)].into_iter())?;
        }
        job.published(&sink, seq);
    }
    Ok(())
}

/// Host and process, for people who read the log.
pub(crate) fn owner() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{} process {}", host.trim(), std::process::id())
}

/// The log's positions; for partitions that it does not know, their earliest record, or on the very first start
/// what the manifest says.
fn starting_positions(
    plan: &Plan,
    state: &State,
    partitions: &[PartitionInfo],
) -> Result<Vec<Position>, PipelineError> {
    let committed: BTreeMap<TopicPartition, i64> =
        state.partitions.iter().map(|it| (TopicPartition::new(&it.topic, it.partition), it.next)).collect();
    if !committed.is_empty() && plan.pipeline.starting_offsets != StartingOffsets::Earliest {
        tracing::warn!(
            pipeline = plan.name(),
            "`starting-offsets` is not used: there is a checkpoint, and the pipeline goes on from it"
        );
    }
    if let Some(lost) = committed.keys().find(|it| !partitions.iter().any(|info| info.partition == **it))
        && plan.pipeline.on_data_loss == OnDataLoss::Halt
    {
        return Err(PipelineError::Checkpoint(format!(
            "pipeline `{}` has read {lost}, which is not there any more: the topic was deleted or made anew with \
             fewer partitions. `on-data-loss = \"continue\"` goes on without it",
            plan.name()
        )));
    }
    refuse::other_topics(plan, state, partitions)?;
    let position = |info: &PartitionInfo| match committed.get(&info.partition) {
        Some(next) => *next,
        None if !committed.is_empty() => info.earliest,
        None => match &plan.pipeline.starting_offsets {
            StartingOffsets::Earliest => info.earliest,
            StartingOffsets::Latest => info.latest,
            StartingOffsets::At(offsets) => offsets.get(&info.partition).copied().unwrap_or(info.earliest),
        },
    };
    Ok(partitions.iter().map(|it| Position { partition: it.partition.clone(), next: position(it) }).collect())
}

fn functions(wiring: &Wiring) -> Result<Vec<Function>, PipelineError> {
    let described = WindowFunction::describe(&wiring.window, wiring.plan.limits);
    let description = described.map_err(|error| PipelineError::Function {
        function: wiring.window.name().to_owned(),
        call: "describe",
        why: error.to_string(),
    })?;
    let function = |role, component: &tallow_engine::Component, contract: Contract, state_version| {
        Ok::<_, PipelineError>(Function {
            role,
            name: component.name().to_owned(),
            digest: component.digest().parse::<Digest>().map_err(|_| PipelineError::Broken)?,
            contract: contract.interface().to_owned(),
            state_version,
        })
    };
    Ok(vec![
        function(Role::Parse, &wiring.parse, Contract::Parse, None)?,
        function(Role::Window, &wiring.window, Contract::Window, Some(description.state_version))?,
    ])
}
