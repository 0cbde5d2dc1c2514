//! Where things are.

use std::path::{Path, PathBuf};

/// The checkout.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are a folder of the checkout").to_owned()
}

/// Cargo's target folder: the running test is `<target>/release/deps/<test>-<hash>`.
pub fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().nth(3).expect("a test lies three folders deep").to_owned()
}

/// A program of the workspace, built with the same profile as the running test.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let path = test.ancestors().nth(2).expect("a test lies two folders deep").join(name);
    assert!(path.exists(), "{} is not there: run `make build` first", path.display());
    path
}

/// Built components.
pub fn functions() -> PathBuf {
    let folder = target().join("functions");
    assert!(folder.exists(), "{} is not there: run `make functions` first", folder.display());
    folder
}
