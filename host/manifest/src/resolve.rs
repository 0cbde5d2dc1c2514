//! From a manifest's text to the manifest: read, overridden, expanded, resolved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cluster::Cluster;
use crate::component;
use crate::component_checks::{self, Users};
use crate::error::{Errors, Report};
use crate::manifest::{Application, Manifest};
use crate::node::{Node, Table, Value};
use crate::pipeline::Pipeline;
use crate::places::Places;
use crate::section::Written;
use crate::variables::Variables;
use crate::{backfill, batch, feed, forecast, function, json, merge, remote_components, spin, toml, values};

/// What the command line says instead of the manifest.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// A URL or a folder; a relative folder starts from the current one.
    pub lake: Option<String>,
    pub brokers: Option<String>,
    /// A folder of `<component>.wasm`, for components whose own file is not there.
    pub components_dir: Option<PathBuf>,
}

impl Overrides {
    /// Makes a relative lake start from the current folder.
    fn start_here(&mut self) -> std::io::Result<()> {
        if let Some(lake) = self.lake.as_mut().filter(|lake| !lake.is_empty() && !lake.contains("://")) {
            *lake = std::path::absolute(&*lake)?.to_string_lossy().into_owned();
        }
        Ok(())
    }
}

/// Reads a manifest file. `env` holds the environment's variables, of which `SPIN_VARIABLE_<NAME>` count.
///
/// # Errors
/// Every mistake in the file.
pub fn load(path: &Path, env: &BTreeMap<String, String>, overrides: &Overrides) -> Result<Manifest, Errors> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    resolve_in(path, folder, env, overrides, |report| match std::fs::read_to_string(path) {
        Ok(text) => toml::read(&text, report),
        Err(error) => {
            report.add(None, "", format!("cannot be read: {error}"));
            None
        }
    })
}

/// The same for a text that is in no file: `name` is for messages, relative paths start from the current folder.
pub fn resolve_here(
    text: &str,
    name: &Path,
    env: &BTreeMap<String, String>,
    overrides: &Overrides,
) -> Result<Manifest, Errors> {
    resolve_in(name, Path::new("."), env, overrides, |report| toml::read(text, report))
}

/// The same for a manifest that a program made.
pub fn resolve_json(
    manifest: &serde_json::Value,
    name: &Path,
    env: &BTreeMap<String, String>,
    overrides: &Overrides,
) -> Result<Manifest, Errors> {
    resolve_in(name, Path::new("."), env, overrides, |report| Some(json::node("", manifest, report)))
}

/// Resolves a manifest's text. `path` is its name in messages, `folder` the absolute folder that relative
/// paths start from. Touches no file.
pub fn resolve(
    text: &str,
    path: &Path,
    folder: &Path,
    env: &BTreeMap<String, String>,
    overrides: &Overrides,
) -> Result<Manifest, Errors> {
    let mut report = Report::new(path);
    let root = toml::read(text, &mut report);
    let manifest = root.and_then(|root| resolve_tree(&root, path, folder, env, overrides, &mut report));
    report.finish(manifest)
}

/// Resolves a tree whose relative paths start from `folder`, and looks for its components.
pub(crate) fn resolve_in(
    path: &Path,
    folder: &Path,
    env: &BTreeMap<String, String>,
    overrides: &Overrides,
    read: impl FnOnce(&mut Report) -> Option<Node>,
) -> Result<Manifest, Errors> {
    let mut report = Report::new(path);
    let Some(root) = read(&mut report) else { return report.finish(None) };
    let mut overrides = overrides.clone();
    let folder = match folder.canonicalize().and_then(|folder| overrides.start_here().map(|()| folder)) {
        Ok(folder) => folder,
        Err(error) => {
            report.add(None, "", format!("a folder cannot be read: {error}"));
            return report.finish(None);
        }
    };
    let mut manifest = resolve_tree(&root, path, &folder, env, &overrides, &mut report);
    if let (Some(manifest), Some(components_dir)) = (&mut manifest, &overrides.components_dir) {
        manifest.components.values_mut().for_each(|component| component.look_in(components_dir));
    }
    report.finish(manifest)
}

fn resolve_tree(
    root: &Node,
    path: &Path,
    folder: &Path,
    env: &BTreeMap<String, String>,
    overrides: &Overrides,
    report: &mut Report,
) -> Option<Manifest> {
    spin::check_manifest(root, report);
    let variables = Variables::read(root, env, report);
    let cluster = cluster_node(root, overrides, &variables, report);
    let kafka = Cluster::read(&cluster, folder, report);
    let vetting = function::read(root, &cluster, folder, report);
    let has_jobs = ["batch", "merge", "feed", "forecast"].iter().any(|jobs| cluster.find(&[jobs]).is_some());
    let pipelines = read_pipelines(root, &variables, has_jobs, report);
    let mut backfills = backfill::read_all(&cluster, &pipelines, report);
    let feeds = feed::read_all(&cluster, report);
    let batches = batch::read_all(&cluster, folder, report);
    let merges = merge::read_all(&cluster, &pipelines, report);
    let forecasts = forecast::read_all(&cluster, report);
    forecast::check_auto(&forecasts, &merges, report);
    merge::check_columns(&merges, &pipelines, &batches, report);
    backfills.iter_mut().for_each(|(_, backfill)| backfill.cover_by(&merges));
    let mut components = component::read(root, folder, report);
    let remotes = remote_components::components(&pipelines, report);
    let users = Users {
        pipelines: &pipelines,
        backfills: &backfills,
        feeds: &feeds,
        batches: &batches,
        merges: &merges,
        forecasts: &forecasts,
    };
    component_checks::check(root, &remotes, &users, report);
    components.extend(remotes);
    check_tables(&pipelines, report);
    Some(Manifest {
        path: path.to_owned(),
        application: read_application(root),
        kafka: kafka?,
        pipelines: without_nodes(pipelines),
        backfills: without_nodes(backfills),
        feeds: without_nodes(feeds),
        batches: without_nodes(batches),
        merges: without_nodes(merges),
        forecasts: without_nodes(forecasts),
        components,
        vetting,
        skipped_triggers: skipped_triggers(root),
        secrets: report.secrets.clone(),
        places: Places::of(root),
    })
}

fn without_nodes<T>(jobs: Vec<Written<T>>) -> Vec<T> {
    jobs.into_iter().map(|(_, job)| job).collect()
}

fn read_application(root: &Node) -> Application {
    let text = |key| root.find(&["application", key]).and_then(Node::as_str).unwrap_or_default().to_owned();
    let authors = match root.find(&["application", "authors"]).map(|node| &node.value) {
        Some(Value::List(items)) => items.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Application { name: text("name"), version: text("version"), description: text("description"), authors }
}

/// `[application.trigger.kafka]`, overridden and expanded.
fn cluster_node(root: &Node, overrides: &Overrides, variables: &Variables, report: &mut Report) -> Node {
    const PATH: &str = "application.trigger.kafka";
    let absent = || Node { place: None, path: PATH.to_owned(), value: Value::Table(Table::default()) };
    let mut node = root.find(&["application", "trigger", "kafka"]).cloned().unwrap_or_else(absent);
    if let Some(table) = node.as_table_mut() {
        // Before the variables: what is overridden need not have a value.
        for (key, value) in [("lake", &overrides.lake), ("brokers", &overrides.brokers)] {
            if let Some(value) = value {
                table.set_text(PATH, key, value);
            }
        }
    }
    variables.expand(&mut node, report);
    node
}

fn read_pipelines(
    root: &Node,
    variables: &Variables,
    has_jobs: bool,
    report: &mut Report,
) -> Vec<Written<Pipeline>> {
    let Some(node) = root.find(&["trigger", "kafka"]) else {
        if !has_jobs {
            report.at(root, "there is no [[trigger.kafka]]: tallow has nothing to run");
        }
        return Vec::new();
    };
    let mut node = node.clone();
    variables.expand(&mut node, report);
    let mut pipelines: Vec<Written<Pipeline>> = Vec::new();
    for item in values::list(&node, "[[trigger.kafka]] with two brackets", report).unwrap_or_default() {
        let Some(pipeline) = Pipeline::read(item, report) else { continue };
        if pipelines.iter().any(|(_, other)| other.id == pipeline.id) {
            let problem =
                format!("a pipeline `{}` is there already; ids are unique in a manifest", pipeline.id);
            report.at(item, problem);
        }
        pipelines.push((item.clone(), pipeline));
    }
    pipelines
}

/// Pipeline `a` with window `b_c` and pipeline `a_b` with window `c` would share a table.
fn check_tables(pipelines: &[Written<Pipeline>], report: &mut Report) {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for (node, pipeline) in pipelines {
        for window in &pipeline.windows {
            let table = pipeline.table(window);
            match owners.get(&table) {
                Some(owner) if *owner != pipeline.id => {
                    let problem = format!(
                        "window `{}` would write the table `{table}`, as pipeline `{owner}` does; rename one",
                        window.name
                    );
                    report.at(node, problem);
                }
                _ => _ = owners.insert(table, &pipeline.id),
            }
        }
    }
}

fn skipped_triggers(root: &Node) -> Vec<String> {
    let triggers = root.find(&["trigger"]).and_then(Node::as_table);
    let names = triggers.into_iter().flat_map(|table| &table.entries).map(|entry| &entry.key);
    names.filter(|name| *name != "kafka").cloned().collect()
}
