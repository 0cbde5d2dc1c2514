//! Which packages of the workspace are functions, and which are gateways.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// The checkout as cargo sees it.
pub struct Workspace {
    /// Folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// Whether its lock file is to stay as it is: a build that would change it fails.
    pub locked: bool,
    /// The function crates, by name.
    pub guests: Vec<Guest>,
    /// The gateway crates, by name.
    pub gateways: Vec<Guest>,
}

/// A package that becomes a component.
#[derive(Debug, PartialEq)]
pub struct Guest {
    pub name: String,
    /// What the component may import beside types, as `package.metadata.tallow.imports` names it: packages of WIT, with
    /// a version or without. A function has none.
    pub imports: Vec<String>,
}

impl Workspace {
    /// The workspace that holds the current folder, with the function crates under `folder` of it.
    pub fn here(folder: &str) -> Result<Self> {
        let metadata = Metadata::of(Path::new("."))?;
        let functions = metadata.workspace_root.join(folder);
        let locked = metadata.workspace_root.join("Cargo.lock").exists();
        Ok(Self { locked, ..Self::from_metadata(metadata, &functions)? })
    }

    /// The workspace that holds a folder, with the function crates in and under that folder. Its lock file follows its
    /// manifest, as with `cargo build`: a new version or dependency is taken in.
    pub fn at(folder: &Path) -> Result<Self> {
        let functions = folder.canonicalize().with_context(|| folder.display().to_string())?;
        Self::from_metadata(Metadata::of(folder)?, &functions)
    }

    fn from_metadata(metadata: Metadata, functions: &Path) -> Result<Self> {
        let found = metadata.packages.into_iter().filter(|package| package.is_function(functions));
        let mut found: Vec<Guest> = found.map(Package::into_guest).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        ensure!(!found.is_empty(), "no package with a cdylib under {}", functions.display());
        let (guests, gateways) = found.into_iter().partition(|guest| guest.imports.is_empty());
        let (root, target) = (metadata.workspace_root, metadata.target_directory);
        Ok(Self { root, target, locked: false, guests, gateways })
    }
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

impl Metadata {
    /// What cargo says about the workspace that holds a folder.
    fn of(folder: &Path) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .current_dir(folder)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .context("cannot run cargo; is Rust installed? https://rustup.rs")?;
        if !output.status.success() {
            bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Self::read(&output.stdout)
    }

    fn read(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).context("cargo metadata is not as expected")
    }
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    #[serde(default)]
    metadata: Option<PackageMetadata>,
}

#[derive(Deserialize)]
struct PackageMetadata {
    #[serde(default)]
    tallow: TallowMetadata,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TallowMetadata {
    #[serde(default)]
    imports: Vec<String>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Package {
    fn is_function(&self, functions: &Path) -> bool {
        self.manifest_path.starts_with(functions)
            && self.targets.iter().any(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
    }

    fn into_guest(self) -> Guest {
        Guest { name: self.name, imports: self.metadata.map(|it| it.tallow.imports).unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_the_packages_under_functions_that_make_a_cdylib() {
        let package = |name: &str, folder: &str, kind: &str| {
            format!(
                r#"{{"name":"{name}","manifest_path":"/w/{folder}/Cargo.toml","targets":[{{"crate_types":["{kind}"]}}]}}"#
            )
        };
        let json = format!(
            r#"{{"workspace_root":"/w","target_directory":"/w/target","packages":[{},{},{},{}]}}"#,
            package("window", "functions/window", "cdylib"),
            package("parse-market", "functions/parse-market", "cdylib"),
            package("tallow-functions-build", "functions/build", "bin"),
            package("tallow-python", "host/python", "cdylib"),
        );
        let workspace =
            Workspace::from_metadata(Metadata::read(json.as_bytes()).unwrap(), Path::new("/w/functions"))
                .unwrap();
        let names: Vec<_> = workspace.guests.iter().map(|guest| guest.name.as_str()).collect();
        assert_eq!(names, ["parse-market", "window"]);
        assert!(workspace.gateways.is_empty());
    }

    #[test]
    fn a_package_that_names_imports_is_a_gateway() {
        let json = br#"{"workspace_root":"/w","target_directory":"/t","packages":[
            {"name":"gateway","manifest_path":"/w/functions/gateway/Cargo.toml","targets":[{"crate_types":["cdylib"]}],
             "metadata":{"docs":{},"tallow":{"imports":["wasi:http@0.3","tallow:parse"]}}},
            {"name":"window","manifest_path":"/w/functions/window/Cargo.toml","targets":[{"crate_types":["cdylib"]}],
             "metadata":null}]}"#;
        let workspace =
            Workspace::from_metadata(Metadata::read(json).unwrap(), Path::new("/w/functions")).unwrap();
        assert_eq!(workspace.guests, [Guest { name: "window".into(), imports: Vec::new() }]);
        assert_eq!(workspace.gateways[0].imports, ["wasi:http@0.3", "tallow:parse"]);
    }

    #[test]
    fn a_workspace_without_functions_is_an_error_that_names_the_folder() {
        let json = br#"{"workspace_root":"/w","target_directory":"/t","packages":[]}"#;
        let metadata = Metadata::read(json).unwrap();
        let error = Workspace::from_metadata(metadata, Path::new("/w/functions")).err().unwrap().to_string();
        assert!(error.contains("/w/functions"), "{error}");
    }
}
