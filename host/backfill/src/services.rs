//! What a backfill touches, what it is asked for, and what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use tallow_engine::Component;
use tallow_env::{Clock, Random};
use tallow_http::Http;
use tallow_manifest::{Backfill, Pipeline};
use tallow_sink::Sink;
use tallow_store::Store;

use super::progress::Progress;
use super::survey::Need;
use tallow_worker::library::{Card, Library};

/// Everything that a backfill touches, real or in memory.
pub struct Services {
    pub backfill: Backfill,
    /// The pipeline whose tables are filled.
    pub stream: Pipeline,
    /// By name of a speed table: the tables that serve its windows, and may hold them after its files are dropped.
    pub served: Vec<(String, String)>,
    pub function: Component,
    pub parse: Component,
    /// The stream's own parse function, which decides the types of its columns.
    pub stream_parse: Component,
    pub window: Component,
    /// Where the lake keeps components, and what it gets before the log names it.
    pub library: Library,
    pub components: Vec<(Bytes, Card)>,
    pub http: Arc<dyn Http>,
    pub store: Store,
    pub sinks: Vec<Arc<dyn Sink>>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub progress: Arc<Progress>,
    /// Set from outside: leave before the next request.
    pub stop: Arc<AtomicBool>,
}

/// What became of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Windows published, by symbol.
    pub windows: BTreeMap<String, u64>,
    /// Windows left as they were, since a message of theirs was broken; by symbol.
    pub spoiled: BTreeMap<String, u64>,
    /// Windows left as they were, since the exchange answered with bars of another time; by symbol.
    pub unproved: BTreeMap<String, u64>,
    /// How long the exchange has nothing for where the stream has trades, µs; by symbol.
    pub doubted_us: BTreeMap<String, i64>,
    /// Symbols that the exchange refuses, with what it says.
    pub refused: Vec<(String, String)>,
    /// From when on more is to be fetched, µs.
    pub settles_us: Option<i64>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// One step of a dry run: what would be asked for a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub need: Need,
    pub requests: u64,
    pub weight: u64,
}
