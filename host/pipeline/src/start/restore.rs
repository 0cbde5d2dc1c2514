//! The windows' state, read back from the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tallow_engine::{Component, Part};
use tallow_epoch::{Watermarks, WindowCounts};
use tallow_log::LogError;
use tallow_log::record::{BlobRef, State};
use tallow_manifest::Kept;
use tallow_record::TopicPartition;
use tallow_source::Position;

use crate::error::PipelineError;
use crate::functions::Functions;
use crate::window_worker::WindowState;
use tallow_worker::isolate::Isolation;
use tallow_worker::plan::Plan;
use tallow_worker::state_limit::Held;
use tallow_worker::{
    BisectBudget, EpochStart, Sandboxed, StateCopy, WorkerError, forget_changes, parse_function,
};

/// All of the state as `component`, which holds it now, writes it.
pub fn rewrite(window: &mut WindowState, component: &Arc<Component>) -> Result<Vec<Part>, PipelineError> {
    let saved = window.function.snapshot(0).map_err(|error| WorkerError::Function {
        function: component.name().to_owned(),
        call: "snapshot",
        why: error.to_string(),
    })?;
    window.isolation.start.switch(component.clone(), &saved.parts);
    Ok(saved.parts)
}

/// Reads a blob of the shard.
pub type ReadBlob<'a> = dyn Fn(&BlobRef) -> Result<Bytes, LogError> + 'a;

/// The windows of a log record's state. They are the plan's; the pipeline reads on `from` these positions.
pub fn restore(
    plan: &Plan,
    windows: &[Kept],
    read_blob: &ReadBlob<'_>,
    saved: &State,
    from: &[Position],
    functions: &Functions,
) -> Result<WindowState, PipelineError> {
    let watermark_us = saved.watermark_us;
    let state = StateCopy { parts: read_parts(plan, read_blob, saved)?, watermark_us };
    let sandboxed = Sandboxed {
        component: functions.window.clone(),
        limits: plan.limits,
        specs: plan.specs.clone(),
        updates: plan.updates(),
    };
    let opened = state.open(&sandboxed.component, plan.limits, &plan.specs);
    let opened = opened.and_then(|mut function| {
        forget_changes(&mut function, sandboxed.updates)?;
        Ok(function)
    });
    let function = opened.map_err(|error| {
        let held = Held { function: &sandboxed, state: &state, taken: Vec::new() };
        WorkerError::of_state("restore", &error, &held)
    })?;
    let isolation = Isolation::new(
        EpochStart::new(sandboxed, &state),
        parse_function(&functions.parse, plan.limits, &plan.parse_options)?,
        plan.time.clone(),
        BisectBudget::new(u64::from(plan.pipeline.limits.bisect_calls)),
    );
    // A run that drains the topics waits for nothing more.
    let idle_after_us = match plan.available_now {
        true => 0,
        false => i64::try_from(plan.pipeline.idle_after.as_micros()).unwrap_or(i64::MAX),
    };
    let mut watermarks = Watermarks::new(plan.pipeline.delay_us, idle_after_us, plan.pipeline.idle_advance);
    let known = saved.partitions.iter();
    let known = known.map(|it| (TopicPartition::new(&it.topic, it.partition), it));
    let is_read = |partition: &TopicPartition| from.iter().any(|it| it.partition == *partition);
    watermarks.restore(
        watermark_us,
        known
            .clone()
            .filter(|(partition, _)| is_read(partition))
            .map(|(partition, it)| (partition, it.time())),
    );
    for position in from {
        watermarks.add(&position.partition);
    }
    let idle = known.clone().filter(|(_, it)| it.idle).map(|(partition, _)| partition).collect();
    let open = |(name, counts): (&String, &WindowCounts)| (name.clone(), counts.open.max(0) as u64);
    // Partitions that have vanished stay in the log: how far they were read is still true.
    let vanished =
        known.filter(|(partition, _)| !is_read(partition)).map(|(partition, it)| (partition, it.next));
    let read = from.iter().map(|it| (it.partition.clone(), it.next));
    Ok(WindowState {
        function,
        isolation,
        watermarks,
        positions: vanished.chain(read).collect(),
        open_assignments: saved.ledger.windows.iter().map(open).collect(),
        idle,
        since_us: windows.iter().map(|kept| kept.since_us.clone()).collect(),
    })
}

/// All of a state's parts, by window and group.
pub fn read_parts(plan: &Plan, read_blob: &ReadBlob<'_>, state: &State) -> Result<Vec<Part>, PipelineError> {
    let part = |((window, group), bytes): ((String, u32), Vec<u8>)| {
        let spec = plan.specs.iter().position(|spec| spec.name == window).ok_or_else(|| {
            PipelineError::Checkpoint(format!("the checkpoint has state of a window `{window}`"))
        })?;
        Ok(Part { spec: spec as u32, group, bytes })
    };
    state_bytes(read_blob, state)?.into_iter().map(part).collect()
}

/// The bytes of a state's parts, by window and group.
pub fn state_bytes(
    read_blob: &ReadBlob<'_>,
    state: &State,
) -> Result<BTreeMap<(String, u32), Vec<u8>>, PipelineError> {
    let mut blobs: BTreeMap<String, Bytes> = BTreeMap::new();
    let mut parts = BTreeMap::new();
    for part in &state.parts {
        let name = part.blob.name.to_string();
        if !blobs.contains_key(&name) {
            blobs.insert(name.clone(), read_blob(&part.blob)?);
        }
        let range = part.from as usize..(part.from + part.length) as usize;
        let bytes = blobs.get(&name).and_then(|blob| blob.get(range)).ok_or_else(|| {
            PipelineError::Checkpoint(format!("blob `{name}` is shorter than its log record says"))
        })?;
        parts.insert((part.window.clone(), part.group), bytes.to_vec());
    }
    Ok(parts)
}
