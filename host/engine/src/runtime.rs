//! The wasmtime engine, its deadline ticks and its cache of compiled code.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{Config, Engine};

use crate::{Component, Contract, LoadError};

/// How often deadlines are looked at. A call is stopped within its deadline and one tick.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Compiles and holds what all functions share. Dropping it stops the deadline ticks, so it outlives its
/// instances.
pub struct Runtime {
    engine: Engine,
    cache: Option<PathBuf>,
    stop: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl Runtime {
    /// `cache`: a folder for compiled code; none compiles anew at every start (about a second a function).
    pub fn new(cache: Option<PathBuf>) -> Result<Self, LoadError> {
        let engine = Engine::new(&config())
            .map_err(|error| LoadError::Invalid { name: "wasmtime".into(), why: error.to_string() })?;
        let stop = Arc::new(AtomicBool::new(false));
        let ticker = std::thread::Builder::new().name("deadline-ticks".into()).spawn({
            let (engine, stop) = (engine.clone(), stop.clone());
            move || {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(TICK);
                    engine.increment_epoch();
                }
            }
        });
        let ticker = ticker
            .map_err(|error| LoadError::Invalid { name: "deadline ticks".into(), why: error.to_string() })?;
        Ok(Self { engine, cache, stop, ticker: Some(ticker) })
    }

    /// Takes a component's bytes (binary) after checking its imports and exports.
    pub fn load(&self, name: &str, bytes: &[u8], contract: Contract) -> Result<Component, LoadError> {
        Component::load(self, name, bytes, contract)
    }

    /// The same from a file.
    pub fn load_file(
        &self,
        name: &str,
        path: &std::path::Path,
        contract: Contract,
    ) -> Result<Component, LoadError> {
        let bytes = std::fs::read(path)
            .map_err(|error| LoadError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
        self.load(name, &bytes, contract)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn cache(&self) -> Option<&std::path::Path> {
        self.cache.as_deref()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            // The ticker only sleeps and counts: it cannot have panicked.
            let _ = ticker.join();
        }
    }
}

/// Replays must give the same bytes: one bit pattern for NaN, and no instruction whose result depends on the
/// machine.
fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_simd(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .max_wasm_stack(1 << 20);
    config
}
