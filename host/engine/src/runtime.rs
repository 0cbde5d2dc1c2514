//! The wasmtime engine, its settings and its cache of compiled code.

use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::{Config, Engine};

use crate::remote::Remote;
use crate::ticks::Ticks;
use crate::{Callers, Code, Component, Contract, Descriptor, LoadError};

/// Compiles and holds what all functions share.
pub struct Runtime {
    engine: Engine,
    cache: Option<PathBuf>,
    ticks: Arc<Ticks>,
    callers: Option<Arc<dyn Callers>>,
}

impl Runtime {
    /// `cache`: a folder for compiled code; none compiles again at every start (about a second a function).
    pub fn new(cache: Option<PathBuf>) -> Result<Self, LoadError> {
        let wrong = |why: String| LoadError::Invalid { name: "wasmtime".into(), why };
        let engine = Engine::new(&config()).map_err(|error| wrong(error.to_string()))?;
        let ticks = Ticks::start(&engine).map_err(|error| wrong(format!("deadline ticks: {error}")))?;
        Ok(Self { engine, cache, ticks: Arc::new(ticks), callers: None })
    }

    /// Lets it load remote functions, too.
    pub fn with_callers(mut self, callers: Arc<dyn Callers>) -> Self {
        self.callers = Some(callers);
        self
    }

    /// Takes a component's bytes (binary) after checking its imports and exports, or a remote function's descriptor.
    pub fn load(&self, name: &str, bytes: &[u8], contract: Contract) -> Result<Component, LoadError> {
        if Descriptor::is_one(bytes) {
            let remote = Remote::open(self.callers.as_deref(), name, bytes, contract)?;
            return Ok(Component::remote(name, bytes, remote, contract));
        }
        let code = match self.cached(bytes) {
            Some(code) => code,
            None => Code::compile(self, name, bytes)?,
        };
        self.check(name, code, contract)
    }

    /// What was compiled from these bytes in an earlier run, if the cache has it.
    pub fn cached(&self, bytes: &[u8]) -> Option<Code> {
        Code::cached(self, bytes)
    }

    /// Takes code that another process of this program compiled, into the cache too.
    ///
    /// # Safety
    /// `compiled` is run as native code: it must be what [`precompile`] gave for `bytes`.
    pub unsafe fn adopt(&self, name: &str, bytes: &[u8], compiled: &[u8]) -> Result<Code, LoadError> {
        // SAFETY: the caller promises it.
        unsafe { Code::adopt(self, name, bytes, compiled) }
    }

    /// Checks compiled code's imports and exports.
    pub fn check(&self, name: &str, code: Code, contract: Contract) -> Result<Component, LoadError> {
        Component::new(self, name, code, contract)
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

/// Compiles a component's bytes (binary) for [`Runtime::adopt`] of this same program; loads and runs nothing.
///
/// # Errors
/// Why the bytes are no component that can be compiled.
pub fn precompile(bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
    Engine::new(&config())?.precompile_component(bytes)
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
        .max_wasm_stack(1 << 20)
        .memory_init_cow(takes_images());
    config
}

/// Bytes of the largest memory that a function can have.
const LARGEST_IMAGE_BYTES: libc::rlim_t = 4 << 30;

/// Whether any memory's first content can be a file that instances map. It is one in memory, but this process's limit on
/// the size of files (`ulimit -f`) holds for it all the same; then no function would start. Where there is a limit, each
/// instance has the content copied into its memory. A child that compiles has the same limit, and so the same settings.
fn takes_images() -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes `limit` and nothing else.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) } == 0;
    known && limit.rlim_cur >= LARGEST_IMAGE_BYTES
}
