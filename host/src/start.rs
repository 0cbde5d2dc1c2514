//! Where a pipeline starts: from the log's newest record, or from the manifest's starting offsets.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tallow_engine::{Contract, Part, WindowFunction};
use tallow_epoch::Watermarks;
use tallow_log::record::{Epoch, Function, Partition, Record, Role, State};
use tallow_log::{Digest, Draft, Job, Opened, Publication};
use tallow_manifest::{OnDataLoss, StartingOffsets};
use tallow_record::TopicPartition;
use tallow_source::{PartitionInfo, Position};

use crate::commit::{self, Committer};
use crate::error::PipelineError;
use crate::pipeline::{Wiring, ends, parse_function};
use crate::plan::Plan;
use crate::stage::isolate::{Isolation, Sandboxed};
use crate::stage::parse::BisectBudget;
use crate::stage::window::{Start, WindowWorker};

/// A pipeline that owns its shard and stands at its last commit.
pub struct Started {
    pub committer: Committer,
    pub window: Restored,
    /// Where each partition is read from.
    pub from: Vec<Position>,
    /// Partitions that are not at their end, and where that was.
    pub ends: BTreeMap<TopicPartition, i64>,
}

/// The windows' state, as the log has it.
pub struct Restored {
    function: WindowFunction,
    parts: Vec<Part>,
    watermarks: Watermarks,
    positions: BTreeMap<TopicPartition, i64>,
    held: BTreeMap<String, u64>,
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
    refuse_changed_windows(plan, &record.state)?;
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

/// Old state under other windows would be silently wrong.
fn refuse_changed_windows(plan: &Plan, state: &State) -> Result<(), PipelineError> {
    let now = plan.meaning_of_state();
    if state.windows.is_null() || state.windows == now {
        return Ok(());
    }
    let name = |window: &serde_json::Value| window["window"]["name"].as_str().unwrap_or("?").to_owned();
    let empty = Vec::new();
    let (old, new) = (state.windows.as_array().unwrap_or(&empty), now.as_array().unwrap_or(&empty));
    let mut changes: Vec<String> = Vec::new();
    for window in old {
        match new.iter().find(|it| name(it) == name(window)) {
            None => changes.push(format!("window `{}` is gone", name(window))),
            Some(it) if it != window => {
                changes.push(format!("window `{}` is another one: {}", name(window), difference(window, it)))
            }
            Some(_) => {}
        }
    }
    let added = new.iter().filter(|it| !old.iter().any(|window| name(window) == name(it)));
    changes.extend(added.map(|window| format!("window `{}` is new", name(window))));
    if changes.is_empty() {
        changes.push("the windows stand in another order".to_owned());
    }
    Err(PipelineError::Checkpoint(format!(
        "pipeline `{}` has a checkpoint that was made with other windows: {}. Its state cannot be read as these. \
         Put the windows back, or give the pipeline another `id`: it then starts anew, beside the old tables",
        plan.name(),
        changes.join("; ")
    )))
}

fn difference(old: &serde_json::Value, new: &serde_json::Value) -> String {
    let fields = |value: &serde_json::Value| {
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        for part in [&value["window"], value] {
            let entries = part.as_object().into_iter().flatten().filter(|(key, _)| *key != "window");
            fields.extend(entries.map(|(key, value)| (key.clone(), value.to_string())));
        }
        fields
    };
    let (old, new) = (fields(old), fields(new));
    let changed = old.iter().filter(|(key, value)| new.get(*key) != Some(value));
    let texts: Vec<String> = changed
        .map(|(key, value)| {
            format!("`{key}` was {value} and is {}", new.get(key).map_or("absent", String::as_str))
        })
        .collect();
    texts.join(", ")
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
fn owner() -> String {
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
    refuse_other_topics(plan, state, partitions)?;
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

/// A topic that was deleted and made anew has the same name and other records.
fn refuse_other_topics(
    plan: &Plan,
    state: &State,
    partitions: &[PartitionInfo],
) -> Result<(), PipelineError> {
    for known in &state.partitions {
        let now = partitions.iter().find(|info| *info.partition.topic == *known.topic);
        let (Some(was), Some(is)) = (&known.topic_id, now.and_then(|info| info.topic_id.as_ref())) else {
            continue;
        };
        if **was != **is {
            return Err(PipelineError::Checkpoint(format!(
                "topic `{}` is another one (id {is}) than the one that pipeline `{}` has read (id {was}): it was deleted \
                 and made anew, so the offsets of the checkpoint mean nothing in it. Give the pipeline another `id` to \
                 read the new topic from its start",
                known.topic,
                plan.name()
            )));
        }
    }
    Ok(())
}

fn restore(
    wiring: &Wiring,
    job: &Job,
    record: &Record,
    from: &[Position],
) -> Result<Restored, PipelineError> {
    let plan = &wiring.plan;
    let parts = read_parts(plan, job, &record.state)?;
    let watermark_us = record.state.watermark_us;
    let opened = if parts.is_empty() && watermark_us.is_none() {
        WindowFunction::open(&wiring.window, plan.limits, &plan.specs)
    } else {
        let watermark_us = watermark_us.unwrap_or(i64::MIN);
        WindowFunction::restore(&wiring.window, plan.limits, &plan.specs, watermark_us, &parts)
    };
    let function = opened.map_err(|error| PipelineError::Function {
        function: plan.window_function.clone(),
        call: "restore",
        why: error.to_string(),
    })?;
    let idle_after_us = i64::try_from(plan.pipeline.idle_after.as_micros()).unwrap_or(i64::MAX);
    let mut watermarks = Watermarks::new(plan.pipeline.delay_us, idle_after_us, plan.pipeline.idle_advance);
    let known = record.state.partitions.iter();
    let known = known.map(|it| (TopicPartition::new(&it.topic, it.partition), it));
    let is_read = |partition: &TopicPartition| from.iter().any(|it| it.partition == *partition);
    watermarks.restore(
        watermark_us,
        known
            .clone()
            .filter(|(partition, _)| is_read(partition))
            .map(|(partition, it)| (partition, it.max_event_time_us, it.at_end_since_us)),
    );
    for position in from {
        watermarks.add(&position.partition);
    }
    let open =
        |(name, counts): (&String, &tallow_epoch::WindowCounts)| (name.clone(), counts.open.max(0) as u64);
    // Partitions that have vanished stay in the log: how far they were read is still true.
    let vanished =
        known.filter(|(partition, _)| !is_read(partition)).map(|(partition, it)| (partition, it.next));
    let read = from.iter().map(|it| (it.partition.clone(), it.next));
    Ok(Restored {
        function,
        parts,
        watermarks,
        positions: vanished.chain(read).collect(),
        held: record.state.ledger.windows.iter().map(open).collect(),
    })
}

fn read_parts(plan: &Plan, job: &Job, state: &State) -> Result<Vec<Part>, PipelineError> {
    let mut blobs: BTreeMap<String, Bytes> = BTreeMap::new();
    let mut parts = Vec::with_capacity(state.parts.len());
    for part in &state.parts {
        let name = part.blob.name.to_string();
        if !blobs.contains_key(&name) {
            blobs.insert(name.clone(), job.read_blob(&part.blob)?);
        }
        let range = part.from as usize..(part.from + part.length) as usize;
        let bytes = blobs.get(&name).and_then(|blob| blob.get(range)).ok_or_else(|| {
            PipelineError::Checkpoint(format!("blob `{name}` is shorter than its log record says"))
        })?;
        let spec = plan.specs.iter().position(|spec| spec.name == part.window).ok_or_else(|| {
            PipelineError::Checkpoint(format!("the checkpoint has state of a window `{}`", part.window))
        })?;
        parts.push(Part { spec: spec as u32, group: part.group, bytes: bytes.to_vec() });
    }
    Ok(parts)
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

impl Restored {
    pub fn into_worker(
        self,
        wiring: &Wiring,
        budget: Arc<BisectBudget>,
    ) -> Result<WindowWorker, PipelineError> {
        let plan = &wiring.plan;
        let isolation = Isolation::new(
            Sandboxed { component: wiring.window.clone(), limits: plan.limits, specs: plan.specs.clone() },
            parse_function(wiring)?,
            plan.time.clone(),
            budget,
            &self.parts,
            self.watermarks.watermark_us(),
        );
        let start = Start {
            function: self.function,
            isolation,
            positions: self.positions,
            watermarks: self.watermarks,
            held: self.held,
        };
        Ok(WindowWorker::new(plan.clone(), wiring.progress.clone(), start))
    }
}
