//! Which packages of the workspace are functions.

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
    /// The function crates, by name.
    pub guests: Vec<Guest>,
}

/// A package that becomes a component.
#[derive(Debug, PartialEq)]
pub struct Guest {
    pub name: String,
}

impl Workspace {
    /// The workspace that holds the current folder, with the function crates under `folder` of it.
    pub fn here(folder: &str) -> Result<Self> {
        let metadata = Metadata::of(Path::new("."))?;
        let functions = metadata.workspace_root.join(folder);
        Self::from_metadata(metadata, &functions)
    }

    /// The workspace that holds a folder, with the function crates in and under that folder.
    pub fn at(folder: &Path) -> Result<Self> {
        let functions = folder.canonicalize().with_context(|| folder.display().to_string())?;
        Self::from_metadata(Metadata::of(folder)?, &functions)
    }

    fn from_metadata(metadata: Metadata, functions: &Path) -> Result<Self> {
        let mut guests: Vec<Guest> = metadata
            .packages
            .into_iter()
            .filter(|package| package.is_function(functions))
            .map(|package| Guest { name: package.name })
            .collect();
        guests.sort_by(|a, b| a.name.cmp(&b.name));
        ensure!(!guests.is_empty(), "no package with a cdylib under {}", functions.display());
        Ok(Self { root: metadata.workspace_root, target: metadata.target_directory, guests })
    }
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

impl Metadata {
    /// What cargo says of the workspace that holds a folder.
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
    }

    #[test]
    fn a_workspace_without_functions_is_an_error_that_names_the_folder() {
        let json = br#"{"workspace_root":"/w","target_directory":"/t","packages":[]}"#;
        let metadata = Metadata::read(json).unwrap();
        let error = Workspace::from_metadata(metadata, Path::new("/w/functions")).err().unwrap().to_string();
        assert!(error.contains("/w/functions"), "{error}");
    }
}
