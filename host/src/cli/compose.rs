//! Composes what commands run: the manifest's jobs with Kafka, the object store and this machine's clock.

mod feeds;
mod forecasts;
mod jobs;
mod kafka;
mod pipelines;
mod points;
mod results;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tallow_engine::Runtime;
use tallow_env::{Clock, Random, SystemClock, SystemRandom};
use tallow_log::LogError;
use tallow_log::record::Record;
use tallow_log::status::last_records;
use tallow_manifest::{Cluster, Manifest, exposed};
use tallow_store::Store;

pub use self::feeds::{Feeding, feed_failed, sink_of};
pub use self::forecasts::table_of;
pub use self::jobs::{MERGE_LIMITS, merge_settings};
pub use self::kafka::{check_client, source};
pub use self::pipelines::{Asked, first_failure};
use super::gate::Gate;
use super::{Failure, settings};

/// What the jobs of a process share.
pub struct Host {
    pub runtime: Arc<Runtime>,
    pub store: Store,
    pub gate: Arc<Gate>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub stop: Arc<AtomicBool>,
}

impl Host {
    pub fn new(manifest: &Manifest, stop: Arc<AtomicBool>) -> Result<Self, Failure> {
        Ok(Self {
            runtime: Arc::new(settings::runtime_of(manifest, stop.clone())?),
            store: store(&manifest.kafka)?,
            gate: Arc::new(Gate::new(manifest)?),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            stop,
        })
    }

    /// Fails soon if the lake cannot be written.
    pub fn check_lake(&self) -> Result<(), Failure> {
        Ok(self.store.probe_soon(&*self.random)?)
    }
}

/// The lake's object store. A local folder is made if it is missing.
pub fn store(cluster: &Cluster) -> Result<Store, Failure> {
    Ok(Store::open(&cluster.lake, &exposed(&cluster.lake_options))?)
}

/// The newest record of a pipeline's log; `None` if it has none.
pub fn newest_record(store: &Store, pipeline: &str) -> Result<Option<Record>, LogError> {
    Ok(last_records(store, pipeline, 0, 1)?.into_iter().next())
}
