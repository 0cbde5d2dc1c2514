//! `[component.*]`: where the functions are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tallow_digest::Digest;

use crate::error::Report;
use crate::node::{Node, Place, Value};
use crate::secret::Secret;

/// A WebAssembly component of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub name: String,
    pub source: Source,
    /// The commands that build it, as `[component.NAME.build]` gives them.
    pub build: Vec<String>,
    pub(crate) place: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An absolute path; the file need not be there.
    Local(PathBuf),
    Url {
        url: String,
        /// Written as `sha256:` and 64 hexadecimal digits.
        digest: Digest,
    },
    Registry {
        /// None: the default registry.
        registry: Option<String>,
        package: String,
        version: String,
    },
    /// A gateway that a pipeline names; not a component of the manifest's own.
    Remote { url: String, token: Option<Secret> },
}

impl Component {
    /// Takes the file NAME.wasm in `folder` where the manifest names one that is not there. A file of another name
    /// has no substitute.
    pub(crate) fn look_in(&mut self, folder: &Path) {
        let Source::Local(path) = &mut self.source else { return };
        let name = format!("{}.wasm", self.name);
        let standard = folder.join(&name);
        if !path.is_file() && path.ends_with(&name) && standard.is_file() {
            *path = standard;
        }
    }
}

/// Every component of the manifest by name; relative sources start from `folder`.
pub(crate) fn read(root: &Node, folder: &Path, report: &mut Report) -> BTreeMap<String, Component> {
    let mut components = BTreeMap::new();
    let Some(tables) = root.find(&["component"]).and_then(Node::as_table) else { return components };
    for entry in &tables.entries {
        let Some(source) = entry.node.find(&["source"]) else { continue };
        let Some(found) = read_source(source, folder, report) else { continue };
        let component = Component {
            name: entry.key.clone(),
            source: found,
            build: build_commands(&entry.node),
            place: source.place,
        };
        components.insert(entry.key.clone(), component);
    }
    components
}

fn read_source(node: &Node, folder: &Path, report: &mut Report) -> Option<Source> {
    if let Some(path) = node.as_str() {
        if path.is_empty() {
            return report.refuse(node, "this is empty; write the path of a .wasm file");
        }
        return Some(Source::Local(folder.join(path)));
    }
    let text = |key: &str| node.find(&[key]).and_then(Node::as_str).map(str::to_owned);
    node.as_table()?;
    match (text("url"), text("digest"), text("package"), text("version")) {
        (Some(url), Some(digest), None, None) => {
            let digits = digest.strip_prefix("sha256:").map(str::to_ascii_lowercase);
            match digits.and_then(|digits| digits.parse().ok()) {
                Some(digest) => Some(Source::Url { url, digest }),
                None => report.refuse(node, "`digest` must be `sha256:` and 64 hexadecimal digits"),
            }
        }
        (None, None, Some(package), Some(version)) => {
            Some(Source::Registry { registry: text("registry"), package, version })
        }
        _ => report.refuse(
            node,
            "write a path, or { url = \"…\", digest = \"sha256:…\" }, \
                 or { registry = \"…\", package = \"…\", version = \"…\" }",
        ),
    }
}

fn build_commands(component: &Node) -> Vec<String> {
    let Some(command) = component.find(&["build", "command"]) else { return Vec::new() };
    match &command.value {
        Value::Text(text) => vec![text.text.clone()],
        Value::List(items) => items.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
