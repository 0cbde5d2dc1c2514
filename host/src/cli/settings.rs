//! The manifest and what the command line changes of it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Map, Value, json};
use tallow_engine::{Component, Contract, LoadError, Runtime};
use tallow_env::{SystemClock, SystemRandom};
use tallow_manifest::{Errors, Manifest, Overrides, Pipeline, Source};

use super::Failure;
use crate::remote::Gateways;
use crate::say;
use tallow_env::exit;

/// The manifest's file where none is named.
pub const MANIFEST: &str = "spin.toml";

#[derive(clap::Args)]
pub struct Args {
    /// The manifest
    #[arg(short = 'f', long = "file", value_name = "FILE", default_value = MANIFEST)]
    pub file: PathBuf,
    #[command(flatten)]
    pub changes: Changes,
}

/// What the command line says instead of the manifest.
#[derive(clap::Args)]
pub struct Changes {
    /// Where tables, logs and state are kept, instead of the manifest's: a folder or file://, s3://, gs://, az://
    #[arg(long, value_name = "URL")]
    pub lake: Option<String>,
    /// Kafka brokers, instead of the manifest's
    #[arg(long, value_name = "LIST")]
    pub brokers: Option<String>,
    /// Folder with components as NAME.wasm, for those whose file is not where the manifest says
    #[arg(long, value_name = "DIR")]
    pub functions: Option<PathBuf>,
}

impl Args {
    pub fn load(&self) -> Result<Manifest, Failure> {
        if !self.file.exists() {
            let text = format!(
                "{}: there is no such file. `-f FILE` names the manifest; `tallow init NAME` makes a folder with one",
                self.file.display()
            );
            return Err(Failure::usage(text));
        }
        read(tallow_manifest::load(&self.file, &variables(), &self.changes.overrides()))
    }

    /// The same for commands that work without a manifest: `None` if nobody named one and none is here.
    pub fn load_if_there(&self) -> Result<Option<Manifest>, Failure> {
        let named = self.file != Path::new(MANIFEST) || self.file.exists();
        named.then(|| self.load()).transpose()
    }

    /// A manifest that is in no file: `text`, called `name` in messages.
    pub fn resolve(&self, text: &str, name: &Path) -> Result<Manifest, Failure> {
        read(tallow_manifest::resolve_here(text, name, &variables(), &self.changes.overrides()))
    }

    /// A manifest of one batch, called `name` in messages. `job` has the keys of the batch's table.
    pub fn one_batch(&self, table: &str, job: &Value, name: &Path) -> Result<Manifest, Failure> {
        let source = |function: &str| json!({ "source": format!("target/functions/{function}.wasm") });
        let kafka = json!({ "brokers": "localhost", "lake": "lake", "batch": { table: job } });
        let manifest = json!({
            "spin_manifest_version": 2,
            "application": { "name": "batch", "trigger": { "kafka": kafka } },
            // Spin's schema wants a trigger; nothing runs this one.
            "trigger": { "none": [{ "component": "parse-kline" }] },
            "component": {
                "parse-kline": source("parse-kline"), "window": source("window"), "merge": source("merge"),
            },
        });
        read(tallow_manifest::resolve_json(&manifest, name, &variables(), &self.changes.overrides()))
    }

    /// A manifest of one forecast, called `name`, and of the batch that reads its files; `shown` is the manifest's name in
    /// messages. `job` and `batch` have the keys of their tables.
    pub fn one_forecast(
        &self,
        name: &str,
        mut job: Map<String, Value>,
        batch: Option<Value>,
        shown: &Path,
    ) -> Result<Manifest, Failure> {
        let source = |function: &str| json!({ "source": format!("target/functions/{function}.wasm") });
        let mut components = json!({
            "parse-kline": source("parse-kline"), "window": source("window"), "merge": source("merge"),
            "forecast-naive": source("forecast-naive"),
        });
        let function = job.get("function").and_then(Value::as_str).unwrap_or("forecast-prophet").to_owned();
        // A file of its own goes by its name.
        let stem =
            function.strip_suffix(".wasm").map(|path| path.rsplit('/').next().unwrap_or(path).to_owned());
        match stem {
            Some(stem) => {
                components[&stem] = json!({ "source": function });
                job.insert("function".to_owned(), json!(stem));
            }
            None => components[&function] = source(&function),
        }
        let mut kafka = json!({ "brokers": "localhost", "lake": "lake", "forecast": { name: job } });
        if let Some(batch) = batch {
            kafka["batch"] = json!({ name: batch });
        }
        let manifest = json!({
            "spin_manifest_version": 2,
            "application": { "name": "forecast", "trigger": { "kafka": kafka } },
            // Spin's schema wants a trigger; nothing runs this one.
            "trigger": { "none": [{ "component": "forecast-naive" }] },
            "component": components,
        });
        read(tallow_manifest::resolve_json(&manifest, shown, &variables(), &self.changes.overrides()))
    }

    /// A manifest of one feed, of the function of that name or in that file. `feed` has the other keys of its table.
    pub fn one_feed(&self, function: &str, mut feed: Value) -> Result<Manifest, Failure> {
        let (name, source) = match Path::new(function).extension() {
            Some(extension) if extension == "wasm" => ("feed", function.to_owned()),
            _ => (function, format!("target/functions/{function}.wasm")),
        };
        feed["function"] = json!(name);
        let kafka = json!({ "brokers": "localhost", "lake": "lake", "feed": { "feed": feed } });
        let manifest = json!({
            "spin_manifest_version": 2,
            "application": { "name": "feed", "trigger": { "kafka": kafka } },
            // Spin's schema wants a trigger; nothing runs this one.
            "trigger": { "none": [{ "component": name }] },
            "component": { name: { "source": source } },
        });
        let shown = Path::new("--source feed");
        read(tallow_manifest::resolve_json(&manifest, shown, &variables(), &self.changes.overrides()))
    }
}

/// From here on, the manifest's secrets are hidden.
fn read(manifest: Result<Manifest, Errors>) -> Result<Manifest, Failure> {
    manifest.inspect(|manifest| say::hide(&manifest.secrets)).map_err(Failure::usage)
}

impl Changes {
    pub fn overrides(&self) -> Overrides {
        Overrides {
            lake: self.lake.clone(),
            brokers: self.brokers.clone(),
            components_dir: self.functions.clone().or_else(installed_functions),
        }
    }
}

/// The pipelines to run: all, or the one that was named.
pub fn pipelines<'a>(manifest: &'a Manifest, only: Option<&str>) -> Result<Vec<&'a Pipeline>, Failure> {
    let Some(only) = only else { return Ok(manifest.pipelines.iter().collect()) };
    Ok(vec![named(manifest, "pipeline", &manifest.pipelines, |it| &it.id, only)?])
}

/// The item of that name; the error says which ones there are. `kind`: what an item is.
pub fn named<'a, T>(
    manifest: &Manifest,
    kind: &str,
    items: &'a [T],
    name_of: impl Fn(&T) -> &str,
    name: &str,
) -> Result<&'a T, Failure> {
    items.iter().find(|item| name_of(item) == name).ok_or_else(|| {
        let names: Vec<&str> = items.iter().map(name_of).collect();
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failure::usage(format!("{}: no {kind} `{name}`; there are: {there}", manifest.path.display()))
    })
}

/// A component of the manifest, compiled and not vetted: for commands that look at functions. What runs comes through the
/// [`Gate`](super::gate::Gate).
pub fn component(
    manifest: &Manifest,
    runtime: &Runtime,
    name: &str,
    contract: Contract,
) -> Result<Component, Failure> {
    let (bytes, origin) = component_bytes(manifest, name, contract)?;
    runtime
        .load(name, &bytes, contract)
        .map_err(|error| Failure::usage(format!("[component.{name}]: {origin}: {error}")))
}

/// A component's bytes, or the descriptor of a remote function; and where they come from.
pub fn component_bytes(
    manifest: &Manifest,
    name: &str,
    contract: Contract,
) -> Result<(Vec<u8>, String), Failure> {
    if let Some(Source::Remote { url, .. }) = manifest.components.get(name).map(|it| &it.source) {
        let descriptor = gateways(manifest, Arc::default()).describe(url, contract);
        let descriptor = descriptor.map_err(|error| Failure::new(exit::UNAVAILABLE, error))?;
        let bytes = descriptor.to_bytes().map_err(Failure::failed)?;
        return Ok((bytes, url.clone()));
    }
    let path = component_file(manifest, name)?;
    let bytes = std::fs::read(path).map_err(|error| {
        let hint = if error.kind() == ErrorKind::NotFound { no_component(name) } else { String::new() };
        let error = LoadError::Unreadable { path: path.to_owned(), why: error.to_string() };
        Failure::usage(format!("[component.{name}]: {error}{hint}"))
    })?;
    Ok((bytes, path.display().to_string()))
}

/// Where else a component could have been.
fn no_component(name: &str) -> String {
    let beside = match installed_functions() {
        Some(folder) => format!("nor is there a {}", folder.join(format!("{name}.wasm")).display()),
        None => "and no functions are installed beside the program".to_owned(),
    };
    format!(", {beside}; correct `source`, or say where {name}.wasm is with `--functions DIR`")
}

/// What calls the manifest's remote functions.
pub fn gateways(manifest: &Manifest, stop: Arc<AtomicBool>) -> Gateways {
    let tokens = manifest.components.values().filter_map(|component| match &component.source {
        Source::Remote { url, token: Some(token) } => Some((url.clone(), token.clone())),
        _ => None,
    });
    Gateways {
        tokens: tokens.collect(),
        clock: Arc::new(SystemClock::new()),
        random: Arc::new(SystemRandom),
        stop,
    }
}

/// The file that the manifest names for a component.
pub fn component_file<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a Path, Failure> {
    match manifest.components.get(name).map(|component| &component.source) {
        Some(Source::Local(path)) => Ok(path),
        Some(_) => Err(Failure::usage(format!(
            "[component.{name}]: only local files are supported as `source` by this version of tallow"
        ))),
        None => Err(Failure::usage(format!("{}: no [component.{name}]", manifest.path.display()))),
    }
}

/// What runs the functions of a manifest, the remote ones included.
pub fn runtime_of(manifest: &Manifest, stop: Arc<AtomicBool>) -> Result<Runtime, Failure> {
    Ok(runtime()?.with_callers(Arc::new(gateways(manifest, stop))))
}

/// Compiled code is kept in the user's cache folder.
pub fn runtime() -> Result<Runtime, Failure> {
    Runtime::new(cache_folder("compiled")).map_err(Failure::failed)
}

/// A folder of ours in the user's cache; `None` if there is no such place.
pub fn cache_folder(name: &str) -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    cache.map(|cache| cache.join("tallow").join(name))
}

/// The variables that Spin, too, takes from the environment.
pub fn variables() -> BTreeMap<String, String> {
    std::env::vars().filter(|(name, _)| name.starts_with("SPIN_VARIABLE_")).collect()
}

/// Where functions are kept beside the program: `share/tallow` beside its `bin`, as a package installs it; `functions`
/// beside its folder, as a build leaves it; `functions` in its folder, as a copy by hand has it.
pub fn installed_functions() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let bin = program.parent()?;
    let beside =
        bin.parent().into_iter().flat_map(|above| [above.join("share/tallow"), above.join("functions")]);
    beside.chain([bin.join("functions")]).find(|folder| folder.join("window.wasm").is_file())
}
