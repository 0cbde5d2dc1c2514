//! Where things are.

use std::path::{Path, PathBuf};

/// The checkout.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are a folder of the checkout").to_owned()
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    release().parent().expect("the profile's folder lies in the target folder").to_owned()
}

/// A program of the workspace, built with the same profile as the running one.
pub fn program(name: &str) -> PathBuf {
    let path = release().join(name);
    assert!(path.exists(), "{} is not there: run `make build` first", path.display());
    path
}

/// Where the programs are: `<target>/release`. A test runs from `deps` in it, a benchmark from itself.
fn release() -> PathBuf {
    let running = std::env::current_exe().expect("a program knows its own path");
    let folder = running.parent().expect("a program lies in a folder");
    let tests = folder.ends_with("deps").then(|| folder.parent()).flatten();
    tests.unwrap_or(folder).to_owned()
}

/// Built components.
pub fn functions() -> PathBuf {
    let folder = target().join("functions");
    assert!(folder.exists(), "{} is not there: run `make functions` first", folder.display());
    folder
}
