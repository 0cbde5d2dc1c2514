//! What `tallow status` shows about a watermark that waits for a partition: which one by the log, and how many windows wait,
//! by a copy of the state that is closed as if it did not.

use std::sync::Arc;

use tallow_engine::{Contract, WindowFunction};
use tallow_epoch::hold::hold;
use tallow_lake::Folder;
use tallow_log::record::{BlobRef, Record, Role};
use tallow_manifest::{Kept, Manifest, Pipeline};
use tallow_record::TopicPartition;
use tallow_store::Store;

use super::settings;
use tallow_pipeline::start;
use tallow_pipeline::watermark_hold::WatermarkHold;
use tallow_worker::library::Library;
use tallow_worker::plan::{Mode, Plan};

/// `None` if nothing holds the watermark back.
pub fn held(
    manifest: &Manifest,
    store: &Store,
    pipeline: &Pipeline,
    newest: &Record,
) -> Option<WatermarkHold> {
    let state = &newest.state;
    let partitions: Vec<_> =
        state.partitions.iter().map(|it| (TopicPartition::new(&it.topic, it.partition), it.time())).collect();
    let known = partitions.iter().map(|(partition, time)| (partition, time));
    let hold = hold(pipeline.delay_us, state.watermark_us, known)?;
    let windows = match waiting(manifest, store, pipeline, newest, hold.without_it_us) {
        Ok(windows) => Some(windows),
        Err(why) => {
            tracing::warn!(pipeline = pipeline.id, why, "how many windows wait could not be counted");
            None
        }
    };
    Some(WatermarkHold::new(hold, windows))
}

/// Windows that would close at that watermark.
fn waiting(
    manifest: &Manifest,
    store: &Store,
    pipeline: &Pipeline,
    newest: &Record,
    watermark_us: i64,
) -> Result<u64, String> {
    if newest.state.parts.is_empty() {
        return Ok(0);
    }
    // Those that the state was made with: the manifest may have others by now.
    let windows =
        Kept::read(&newest.state.windows).ok_or("its windows are those of another version of tallow")?;
    let plan = Plan::new(&pipeline.with_windows(&windows), Mode::default());
    let runtime = settings::runtime_of(manifest, Arc::default()).map_err(|failure| failure.text)?;
    let library = Library::new(Arc::new(runtime), store.clone());
    let window = newest.state.functions.iter().find(|function| function.role == Role::Window);
    let window = window.ok_or("the log names no window function")?;
    let component = library.load(&window.name, window.digest, Contract::Window);
    let component = component.map_err(|error| error.to_string())?;
    let folder = Folder::new(&pipeline.id, newest.shard).map_err(|error| error.to_string())?;
    let read_blob = |blob: &BlobRef| tallow_log::read_blob(store, &folder, blob);
    let parts = start::read_parts(&plan, &read_blob, &newest.state).map_err(|error| error.to_string())?;
    let before_us = newest.state.watermark_us.unwrap_or(i64::MIN);
    let restored = WindowFunction::restore(&component, plan.limits, &plan.specs, before_us, &parts);
    let closed = restored.and_then(|mut function| function.advance(watermark_us));
    let closed = closed.map_err(|error| error.to_string())?;
    Ok(closed.iter().map(|output| u64::from(output.table.rows)).sum())
}
