//! The lock file that `spin up` hands to a trigger, turned back into the tree of the manifest that it was made of. So one
//! reader checks and resolves both, and messages name the keys that the user wrote.

mod places;
mod requirements;
mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::error::{Errors, Report};
use crate::manifest::Manifest;
use crate::resolve::{Overrides, resolve_in};
use crate::toml;

/// What the file is called in messages where no manifest is known.
const NAME: &str = "spin.lock";

/// As Spin 2.0 to 4.1 write it. What is not here is Spin's own affair: files, environments, other triggers' settings.
#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    must_understand: Vec<String>,
    #[serde(default)]
    metadata: BTreeMap<String, Value>,
    #[serde(default)]
    host_requirements: BTreeMap<String, Value>,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    triggers: Vec<Trigger>,
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Variable {
    description: Option<String>,
    default: Option<String>,
    #[serde(default)]
    secret: bool,
}

#[derive(Deserialize)]
struct Trigger {
    id: String,
    trigger_type: String,
    trigger_config: Value,
}

#[derive(Deserialize)]
struct Component {
    id: String,
    #[serde(default)]
    metadata: BTreeMap<String, Value>,
    source: Content,
    #[serde(default)]
    host_requirements: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Content {
    /// A URL. Spin fetches what is not on this machine, and then names the file.
    source: Option<String>,
}

/// Reads the text of a lock file, with `env` and `overrides` as for a manifest. Relative paths start from the folder of the
/// manifest that Spin made it of, or from the current one where that is not on this machine.
pub fn load_locked(
    text: &str,
    env: &BTreeMap<String, String>,
    overrides: &Overrides,
) -> Result<Manifest, Errors> {
    let mut report = Report::new(Path::new(NAME));
    let lock = read(text, &mut report);
    let lock = report.finish(lock)?;
    let origin = lock.origin();
    let path = origin.as_deref().map_or_else(|| PathBuf::from(NAME), shown);
    let folder = origin.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let mut report = Report::new(&path);
    requirements::check_application(&lock, &mut report);
    report.finish(Some(()))?;
    let manifest = resolve_in(&path, folder, env, overrides, |report| {
        let mut root = lock.tree(report);
        if let Some(written) = origin.as_deref().and_then(written) {
            places::arrange(&mut root, &written);
        }
        Some(root)
    })?;
    let mut report = Report::new(&path);
    requirements::check_components(&lock, &manifest, &mut report);
    report.finish(Some(manifest))
}

fn read(text: &str, report: &mut Report) -> Option<Lock> {
    #[derive(Deserialize)]
    struct Version {
        spin_lock_version: Value,
    }
    // The parser's own words are left out: they quote values, and there may be a password among them.
    let mut refuse = |error: &serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        let problem = format!(
            "this is not a lock file as Spin writes it (line {line}, column {column}); run it with `spin up`"
        );
        report.add(None, "", problem);
    };
    let version: Version = serde_json::from_str(text).map_err(|error| refuse(&error)).ok()?;
    if !matches!(version.spin_lock_version.as_u64(), Some(0 | 1)) {
        let problem = format!(
            "{} is not known to this version of tallow, which reads 0 and 1 (Spin 2.0 to 4.1); take a newer plugin",
            version.spin_lock_version
        );
        report.add(None, "spin_lock_version", problem);
        return None;
    }
    serde_json::from_str(text).map_err(|error| refuse(&error)).ok()
}

impl Lock {
    /// The manifest that Spin made the lock from; `None` if it came from a registry.
    fn origin(&self) -> Option<PathBuf> {
        Url::parse(self.metadata.get("origin")?.as_str()?).ok()?.to_file_path().ok()
    }
}

/// The manifest as it is written: for places and order only, so that nothing in it can be wrong.
fn written(path: &Path) -> Option<crate::node::Node> {
    let text = std::fs::read_to_string(path).ok()?;
    toml::read(&text, &mut Report::new(Path::new(NAME)))
}

/// A path as short as it can be said from here.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.as_ref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path).to_owned()
}
