//! Which function is meant: a file, or a component of the manifest; and what the manifest says about it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tallow_engine::{Component, Contract, Runtime};
use tallow_manifest::{Manifest, Source, Vetting, parse_bytes, parse_duration};
use tallow_vet::{Candidate, CompileLimits, Compiler, Description, Rule, Vector, load};

use crate::cli::report::LineReporter;
use crate::cli::{Failure, compile_function, settings};

use tallow_worker::plan::{Mode, Plan};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Treat it as this component of the manifest: its vectors, limits, columns and windows
    #[arg(long = "for", value_name = "NAME")]
    component: Option<String>,
    /// Largest file [default: the manifest's, or 8MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    max_size: Option<u64>,
    /// Time that compiling may take [default: the manifest's, or 30s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    compile_time: Option<Duration>,
    /// Memory that compiling may take [default: the manifest's, or 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    compile_memory: Option<u64>,
    /// Time that all trial calls may take together [default: the manifest's, or 2m]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    check_time: Option<Duration>,
}

/// A function and what is known of it.
pub struct Found {
    /// The file, or the component's name.
    pub name: String,
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    pub manifest: Option<Manifest>,
    /// The component of the manifest that it is, or is to be.
    pub component: Option<String>,
    /// What compiling it may take.
    pub compile: CompileLimits,
}

impl Args {
    /// `function`: a file, or a component of the manifest.
    pub fn find(&self, function: &str) -> Result<Found, Failure> {
        let is_file = function.ends_with(".wasm") || function.contains('/') || Path::new(function).is_file();
        let component = match (&self.component, is_file) {
            (Some(component), _) => Some(component.clone()),
            (None, true) => None,
            (None, false) => Some(function.to_owned()),
        };
        let manifest = component.as_ref().map(|_| self.settings.load()).transpose()?;
        let path = match (&manifest, is_file) {
            (Some(manifest), false) => file_of(manifest, function)?,
            _ => PathBuf::from(function),
        };
        if let (Some(manifest), Some(component)) = (&manifest, &component) {
            file_of(manifest, component)?;
        }
        let bytes = std::fs::read(&path).map_err(|error| {
            Failure::usage(format!("{}: {error}; build it, or correct the path", path.display()))
        })?;
        let mut found = Found {
            name: function.to_owned(),
            path,
            bytes,
            manifest,
            component,
            compile: CompileLimits::default(),
        };
        found.compile = self.compile_limits(found.vetting());
        Ok(found)
    }

    fn compile_limits(&self, vetting: Option<&Vetting>) -> CompileLimits {
        let limits = vetting.map_or_else(CompileLimits::default, compile_limits);
        CompileLimits {
            size_bytes: self.max_size.unwrap_or(limits.size_bytes),
            time: self.compile_time.unwrap_or(limits.time),
            memory_bytes: self.compile_memory.unwrap_or(limits.memory_bytes),
            check_time: self.check_time.unwrap_or(limits.check_time),
        }
    }
}

pub fn compile_limits(vetting: &Vetting) -> CompileLimits {
    CompileLimits {
        size_bytes: vetting.max_size_bytes,
        time: vetting.compile_time,
        memory_bytes: vetting.compile_memory_bytes,
        check_time: vetting.check_time,
    }
}

/// The file of a component of the manifest.
fn file_of(manifest: &Manifest, name: &str) -> Result<PathBuf, Failure> {
    let file = manifest.path.display();
    match manifest.components.get(name).map(|component| &component.source) {
        Some(Source::Local(path)) => Ok(path.clone()),
        Some(_) => Err(Failure::usage(format!("{file}: [component.{name}] is not a local file"))),
        None => {
            let known: Vec<&str> = manifest.components.keys().map(String::as_str).collect();
            let text =
                format!("{file}: no [component.{name}] (and no such file); there are: {}", known.join(", "));
            Err(Failure::usage(text))
        }
    }
}

impl Found {
    /// What runs the function, and those beside it in its manifest.
    pub fn runtime(&self) -> Result<Runtime, Failure> {
        match &self.manifest {
            Some(manifest) => settings::runtime_of(manifest, Arc::default()),
            None => settings::runtime(),
        }
    }

    pub fn vetting(&self) -> Option<&Vetting> {
        self.manifest.as_ref()?.vetting.get(self.component.as_ref()?)
    }

    /// The first pipeline of the manifest that runs the component.
    pub fn plan(&self) -> Option<Plan> {
        let component = self.component.as_ref()?;
        let pipelines = &self.manifest.as_ref()?.pipelines;
        let its = |pipeline: &&tallow_manifest::Pipeline| {
            pipeline.parse == *component || pipeline.window_function() == component
        };
        pipelines.iter().find(its).map(|pipeline| Plan::new(pipeline, Mode::default()))
    }

    /// Compiles the function and asks what it says about itself.
    pub fn load(
        &self,
        runtime: &Runtime,
        contract: Option<Contract>,
        json: bool,
    ) -> Result<(Component, Description), Failure> {
        let limits = self.plan().map_or_else(Default::default, |plan| plan.limits);
        let candidate =
            Candidate { contract, compile: self.compile, limits, ..Candidate::new(&self.name, &self.bytes) };
        let mut progress = LineReporter::new(json);
        let loaded =
            load(runtime, &compiler()?, &candidate, &mut |rule| begin(&mut progress, &self.name, rule));
        progress.finish();
        let loaded = loaded.map_err(Failure::failed)?;
        Ok((loaded.component, loaded.description))
    }
}

/// This program, as it compiles in a child process.
pub fn compiler() -> Result<Compiler, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("this program's own file: {error}")))?;
    Ok(Compiler { program, arguments: vec![compile_function::NAME.to_owned()] })
}

/// Shows which rule is being looked at.
pub fn begin(progress: &mut LineReporter, function: &str, rule: Rule) {
    progress.show(
        Duration::ZERO,
        &format!("{function}: {rule}"),
        || serde_json::json!({ "function": function, "rule": rule.name() }),
    );
}

/// Golden vectors, read.
pub fn vectors(files: &[PathBuf]) -> Result<Vec<Vector>, Failure> {
    let read = files.iter().map(|path| match std::fs::read_to_string(path) {
        Ok(text) => Ok(Vector { name: shown(path), text }),
        Err(error) => Err(Failure::file(path, error)),
    });
    read.collect()
}

/// A path as short as it can be said from here.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let short = here.as_ref().and_then(|here| path.strip_prefix(here).ok());
    short.unwrap_or(path).display().to_string()
}

/// `name=value` pairs.
pub fn pairs(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pairs = texts.iter().map(|text| match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(Failure::usage(format!("`{text}`: write NAME=VALUE"))),
    });
    pairs.collect()
}
