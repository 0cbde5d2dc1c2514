//! The windows' state, read back from the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use tallow_engine::{Component, Part, WindowFunction};
use tallow_epoch::{Watermarks, WindowCounts};
use tallow_log::LogError;
use tallow_log::record::{BlobRef, Record, State};
use tallow_manifest::Kept;
use tallow_record::TopicPartition;
use tallow_source::Position;

use crate::error::PipelineError;
use crate::functions::Functions;
use crate::plan::Plan;
use crate::window_worker::Start;
use tallow_worker::WorkerError;
use tallow_worker::isolate::{Isolation, Sandboxed};
use tallow_worker::state_limit::Held;
use tallow_worker::{BisectBudget, parse_function};

/// The windows' state, as the log has it.
pub struct Restored {
    function: WindowFunction,
    parts: Vec<Part>,
    watermarks: Watermarks,
    positions: BTreeMap<TopicPartition, i64>,
    held: BTreeMap<String, u64>,
    idle: BTreeSet<TopicPartition>,
    since_us: Vec<BTreeMap<String, i64>>,
}

impl Restored {
    /// All of the state as `component`, which holds it now, writes it.
    pub fn rewrite(&mut self, component: &Component) -> Result<Vec<Part>, PipelineError> {
        let saved = self.function.snapshot(0).map_err(|error| WorkerError::Function {
            function: component.name().to_owned(),
            call: "snapshot",
            why: error.to_string(),
        })?;
        self.parts.clone_from(&saved.parts);
        Ok(saved.parts)
    }

    /// Where a window worker of these functions starts.
    pub fn into_start(
        self,
        plan: &Plan,
        functions: &Functions,
        budget: Arc<BisectBudget>,
    ) -> Result<Start, PipelineError> {
        let isolation = Isolation::new(
            Sandboxed { component: functions.window.clone(), limits: plan.limits, specs: plan.specs.clone() },
            parse_function(&functions.parse, plan.limits, &plan.parse_options)?,
            plan.time.clone(),
            budget,
            &self.parts,
            self.watermarks.watermark_us(),
        );
        Ok(Start {
            function: self.function,
            isolation,
            positions: self.positions,
            watermarks: self.watermarks,
            held: self.held,
            idle: self.idle,
            since_us: self.since_us,
        })
    }
}

/// Reads a blob of the shard.
pub type ReadBlob<'a> = dyn Fn(&BlobRef) -> Result<Bytes, LogError> + 'a;

/// The state of `record` under these windows, which are the plan's, for a pipeline that reads on `from` these positions.
pub fn restore(
    plan: &Plan,
    windows: &[Kept],
    read_blob: &ReadBlob<'_>,
    record: &Record,
    from: &[Position],
    window: &Component,
) -> Result<Restored, PipelineError> {
    let parts = read_parts(plan, read_blob, &record.state)?;
    let watermark_us = record.state.watermark_us;
    let opened = if parts.is_empty() && watermark_us.is_none() {
        WindowFunction::open(window, plan.limits, &plan.specs)
    } else {
        let watermark_us = watermark_us.unwrap_or(i64::MIN);
        WindowFunction::restore(window, plan.limits, &plan.specs, watermark_us, &parts)
    };
    let function = opened.map_err(|error| {
        let held = Held {
            component: window,
            limits: plan.limits,
            specs: &plan.specs,
            watermark_us: watermark_us.unwrap_or(i64::MIN),
            parts: &parts,
            taken: Vec::new(),
        };
        WorkerError::of_state("restore", &error, &held)
    })?;
    // Who drains what is there waits for nothing more.
    let idle_after_us = match plan.available_now {
        true => 0,
        false => i64::try_from(plan.pipeline.idle_after.as_micros()).unwrap_or(i64::MAX),
    };
    let mut watermarks = Watermarks::new(plan.pipeline.delay_us, idle_after_us, plan.pipeline.idle_advance);
    let known = record.state.partitions.iter();
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
    Ok(Restored {
        function,
        parts,
        watermarks,
        positions: vanished.chain(read).collect(),
        held: record.state.ledger.windows.iter().map(open).collect(),
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
