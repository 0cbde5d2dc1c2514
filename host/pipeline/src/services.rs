//! What a pipeline touches. [`crate::run`] and [`crate::start`] get all of it; each part gets what it uses.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tallow_env::{Clock, Random};
use tallow_sink::Sink;
use tallow_source::Source;
use tallow_store::Store;

use crate::functions::Functions;
use crate::hooks::Hooks;
use crate::progress::Progress;
use tallow_worker::library::Library;
use tallow_worker::plan::Plan;

/// Everything that a pipeline touches, real or in memory.
pub struct Services {
    pub plan: Arc<Plan>,
    /// The components of the manifest's files. What runs may be others that were swapped in.
    pub functions: Functions,
    pub library: Library,
    /// What may change while it runs.
    pub hooks: Arc<dyn Hooks>,
    /// Whether the source looks for the records' headers.
    pub reads_headers: bool,
    pub source: Arc<dyn Source>,
    pub store: Store,
    pub sinks: Vec<Arc<dyn Sink>>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub progress: Arc<Progress>,
    /// Set from outside: finish the epoch, commit it, return.
    pub stop: Arc<AtomicBool>,
}
