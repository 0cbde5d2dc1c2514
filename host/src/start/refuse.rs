//! Checkpoints that cannot be taken up, and what to do about each.

use std::collections::BTreeMap;

use tallow_log::record::State;
use tallow_source::PartitionInfo;

use crate::error::PipelineError;
use crate::plan::Plan;

/// Old state under other windows would be silently wrong.
pub fn changed_windows(plan: &Plan, state: &State) -> Result<(), PipelineError> {
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

/// A topic that was deleted and made anew has the same name and other records.
pub fn other_topics(plan: &Plan, state: &State, partitions: &[PartitionInfo]) -> Result<(), PipelineError> {
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
