//! The gate that a function passes before it runs, whichever command runs it: the rules of `tallow functions check`,
//! golden vectors included. A start, a swap, a changed file, a batch, a merge and a backfill all go through it.

mod jobs;
mod last_good;
mod passed;

use std::collections::BTreeMap;

use tallow_engine::{ColumnInfo, Component, Contract, Descriptor, Limits, ParseOptions, Runtime, Spec};
use tallow_env::{Clock, SystemClock};
use tallow_manifest::{Manifest, Vetting};
use tallow_vet::{
    Candidate, CompileLimits, Compiler, Description, Vector, Vetted, describe, load, try_rules,
};

pub use self::jobs::{OfBackfill, OfBatch, OfPipeline};
use self::passed::Passed;
use super::functions::find;
use super::{Failure, settings};

/// What the manifest says about its components, the program that compiles, and what has passed before.
pub struct Gate {
    vetting: BTreeMap<String, Vetting>,
    compiler: Compiler,
    passed: Passed,
}

/// What a function will be used for.
#[derive(Clone, Copy, Default)]
pub struct Use<'a> {
    pub limits: Limits,
    /// What is asked of a parse function.
    pub options: Option<&'a ParseOptions>,
    /// What is asked of a window function, and what its columns are.
    pub specs: &'a [Spec],
    pub columns: &'a [ColumnInfo],
    /// The function whose state it is to take over.
    pub predecessor: Option<&'a Component>,
}

/// A function that was compiled and said what it is, and has not been tried.
pub struct Opened {
    name: String,
    pub bytes: Vec<u8>,
    /// Where the bytes come from.
    pub origin: String,
    vetted: Vetted,
    /// It was let in by an earlier run.
    has_run: bool,
}

/// A function that may run.
pub struct Admitted {
    pub component: Component,
    pub bytes: Vec<u8>,
    pub origin: String,
}

impl Opened {
    pub fn description(&self) -> &Description {
        &self.vetted.description
    }

    pub fn component(&self) -> &Component {
        &self.vetted.component
    }

    /// The error as a mistake of the manifest.
    fn failure(&self, why: impl std::fmt::Display) -> Failure {
        failure(&self.name, &self.origin, why)
    }
}

fn failure(name: &str, origin: &str, why: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("[component.{name}]: {origin}: {why}"))
}

impl Gate {
    pub fn new(manifest: &Manifest) -> Result<Self, Failure> {
        let compiler = find::compiler()?;
        let passed = Passed::new(settings::cache_folder("vetted"), &compiler.program);
        Ok(Self { vetting: manifest.vetting.clone(), compiler, passed })
    }

    /// Compiles a component of the manifest, and asks what it says about itself.
    pub fn open(
        &self,
        manifest: &Manifest,
        runtime: &Runtime,
        name: &str,
        contract: Contract,
    ) -> Result<Opened, Failure> {
        let (bytes, origin) = settings::component_bytes(manifest, name, contract)?;
        let vetted = self.open_bytes(runtime, name, &bytes, contract);
        let vetted = vetted.map_err(|why| failure(name, &origin, why))?;
        Ok(Opened { name: name.to_owned(), bytes, origin, vetted, has_run: false })
    }

    fn open_bytes(
        &self,
        runtime: &Runtime,
        name: &str,
        bytes: &[u8],
        contract: Contract,
    ) -> Result<Vetted, String> {
        if Descriptor::is_one(bytes) {
            let component = runtime.load(name, bytes, contract).map_err(|error| error.to_string())?;
            let description = describe(&component, Limits::default()).map_err(|error| error.to_string())?;
            return Ok(Vetted { component, description, passed: Vec::new() });
        }
        let compile = self.compile_limits(name);
        let candidate = Candidate { contract: Some(contract), compile, ..Candidate::new(name, bytes) };
        load(runtime, &self.compiler, &candidate, &mut |_| {}).map_err(|refusal| refusal.to_string())
    }

    /// Lets a component of the manifest in, if it keeps to the rules.
    pub fn admit(&self, opened: Opened, used: Use<'_>) -> Result<Admitted, Failure> {
        let tried = match opened.has_run {
            true => Ok(opened.vetted.component.clone()),
            false => self.try_it(&opened.name, &opened.bytes, opened.vetted.clone(), used),
        };
        let component = tried.map_err(|why| opened.failure(why))?;
        Ok(Admitted { component, bytes: opened.bytes, origin: opened.origin })
    }

    /// Lets bytes in that are to take the place of the function `name`. The error says which rule is broken and what to
    /// do.
    pub fn admit_bytes(
        &self,
        runtime: &Runtime,
        (name, bytes): (&str, &[u8]),
        contract: Contract,
        used: Use<'_>,
    ) -> Result<Vetted, String> {
        let vetted = self.open_bytes(runtime, name, bytes, contract)?;
        let description = vetted.description.clone();
        let component = self.try_it(name, bytes, vetted, used)?;
        Ok(Vetted { component, description, passed: Vec::new() })
    }

    fn try_it(&self, name: &str, bytes: &[u8], vetted: Vetted, used: Use<'_>) -> Result<Component, String> {
        // A gateway's functions are vetted where they are composed.
        if Descriptor::is_one(bytes) {
            return Ok(vetted.component);
        }
        let golden = self.golden(name)?;
        let candidate = Candidate {
            contract: Some(vetted.component.contract()),
            compile: self.compile_limits(name),
            limits: used.limits,
            golden: &golden,
            options: used.options,
            specs: used.specs,
            columns: used.columns,
            predecessor: used.predecessor,
            ..Candidate::new(name, bytes)
        };
        let key = self.passed.key(&candidate);
        if self.passed.has(&key) {
            return Ok(vetted.component);
        }
        let clock = SystemClock::new();
        let start = clock.ticks();
        let vetted = try_rules(vetted, &candidate, &mut |_| {}).map_err(|refusal| refusal.to_string())?;
        self.passed.note(&key);
        let took_ms = clock.ticks().since(start).as_millis() as u64;
        tracing::info!(function = name, vectors = golden.len(), took_ms, "vetted");
        Ok(vetted.component)
    }

    fn compile_limits(&self, name: &str) -> CompileLimits {
        self.vetting.get(name).map_or_else(Default::default, find::compile_limits)
    }

    fn golden(&self, name: &str) -> Result<Vec<Vector>, String> {
        let files = self.vetting.get(name).map(Vetting::golden_files).transpose()?.unwrap_or_default();
        find::vectors(&files).map_err(|Failure { text, .. }| text)
    }
}
