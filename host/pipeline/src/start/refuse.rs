//! Checkpoints that a pipeline cannot continue from, and what to do about each.

use tallow_log::record::State;
use tallow_manifest::{Kept, Succession};
use tallow_source::PartitionInfo;

use crate::error::PipelineError;
use tallow_worker::plan::Plan;

/// What becomes of the windows of `state` under the manifest's.
///
/// # Errors
/// What cannot be carried over, in words of the manifest: old state under other windows would be silently wrong.
pub fn succession(plan: &Plan, state: &State) -> Result<Succession, PipelineError> {
    let name = plan.name();
    let Some(before) = Kept::read(&state.windows) else {
        return Err(PipelineError::Checkpoint(format!(
            "pipeline `{name}` has a checkpoint whose windows this version of tallow cannot read: {}. Continue with the \
             version that wrote it, or give the pipeline another `id`: it then starts from the beginning, beside the \
             old tables",
            state.windows
        )));
    };
    let newest_us = state.partitions.iter().filter_map(|it| it.max_event_time_us).max();
    // Of a pipeline that has seen no row there is nothing to carry over.
    let before = if newest_us.is_none() && state.parts.is_empty() { Vec::new() } else { before };
    let refused = |why: String| {
        PipelineError::Checkpoint(format!(
            "pipeline `{name}` has a checkpoint that was made with other windows, and cannot carry its state over: {why}"
        ))
    };
    let next = plan.pipeline.succeed(&before, newest_us).map_err(|changes| {
        refused(format!(
            "{}. Put back what was, or give the window another `name`: it then begins beside the old table",
            changes.join("; ")
        ))
    })?;
    let lost: Vec<&String> = next.gone.iter().filter(|name| !plan.drop_windows.contains(name)).collect();
    if lost.is_empty() {
        return Ok(next);
    }
    let open = |name: &String| state.ledger.windows.get(name).map_or(0, |counts| counts.open);
    let windows: Vec<String> = lost
        .iter()
        .map(|name| {
            format!(
                "window `{name}` is not in the manifest any more, and has {} rows in open windows",
                open(name)
            )
        })
        .collect();
    let options: Vec<String> = lost.iter().map(|name| format!("--drop-window {name}")).collect();
    Err(refused(format!(
        "{}. Put it back, or start once with `{}` to lose these rows; its table stays",
        windows.join("; "),
        options.join(" ")
    )))
}

/// A topic that was deleted and made again has the same name and other records.
pub fn other_topics(plan: &Plan, state: &State, partitions: &[PartitionInfo]) -> Result<(), PipelineError> {
    for known in &state.partitions {
        let now = partitions.iter().find(|info| *info.partition.topic == *known.topic);
        let (Some(was), Some(is)) = (&known.topic_id, now.and_then(|info| info.topic_id.as_ref())) else {
            continue;
        };
        if **was != **is {
            return Err(PipelineError::Checkpoint(format!(
                "topic `{}` is another one (id {is}) than the one that pipeline `{}` has read (id {was}): it was deleted \
                 and made again, so the offsets of the checkpoint mean nothing in it. Give the pipeline another `id` to \
                 read the new topic from its start",
                known.topic,
                plan.name()
            )));
        }
    }
    Ok(())
}
