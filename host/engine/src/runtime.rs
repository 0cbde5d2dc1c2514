//! The wasmtime engine, its settings and its cache of compiled code.

use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::{Config, Engine};

use crate::ticks::Ticks;
use crate::{Component, Contract, LoadError};

/// Compiles and holds what all functions share.
pub struct Runtime {
    engine: Engine,
    cache: Option<PathBuf>,
    ticks: Arc<Ticks>,
}

impl Runtime {
    /// `cache`: a folder for compiled code; none compiles anew at every start (about a second a function).
    pub fn new(cache: Option<PathBuf>) -> Result<Self, LoadError> {
        let wrong = |why: String| LoadError::Invalid { name: "wasmtime".into(), why };
        let engine = Engine::new(&config()).map_err(|error| wrong(error.to_string()))?;
        let ticks = Ticks::start(&engine).map_err(|error| wrong(format!("deadline ticks: {error}")))?;
        Ok(Self { engine, cache, ticks: Arc::new(ticks) })
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

    pub(crate) fn ticks(&self) -> Arc<Ticks> {
        self.ticks.clone()
    }

    pub(crate) fn cache(&self) -> Option<&std::path::Path> {
        self.cache.as_deref()
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
