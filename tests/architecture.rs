//! The map in ARCHITECTURE.md is the law: which crate may use which, and that no modules form a circle.

#![allow(clippy::unwrap_used)]

#[path = "architecture/imports.rs"]
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tallow_tests::paths;

/// The layer of each crate, by its folder.
fn layers() -> BTreeMap<String, usize> {
    let text = fs::read_to_string(paths::root().join("ARCHITECTURE.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("layer "));
    let mut layers = BTreeMap::new();
    for line in lines {
        let (number, folders) = line.split_once(' ').unwrap();
        for folder in folders.split_whitespace() {
            let before = layers.insert(folder.to_owned(), number.parse().unwrap());
            assert_eq!(before, None, "{folder} is in two layers");
        }
    }
    assert!(layers.len() > 20, "the map is not found in ARCHITECTURE.md");
    layers
}

/// By folder: the folders of the workspace's crates that it uses. Tests and benchmarks are outside the map.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let asked = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(paths::root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let folder = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap().strip_prefix(paths::root()).unwrap();
        folder.display().to_string()
    };
    let by_name: BTreeMap<&str, String> =
        packages.iter().map(|it| (it["name"].as_str().unwrap(), folder(it))).collect();
    let uses = |package: &Value| -> BTreeSet<String> {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let of_code = dependencies.filter(|it| it["kind"].is_null());
        of_code.filter_map(|it| by_name.get(it["name"].as_str()?).cloned()).collect()
    };
    let all = packages.iter().map(|it| (folder(it), uses(it)));
    all.filter(|(folder, _)| !folder.starts_with("tests")).collect()
}

#[test]
fn every_crate_uses_lower_layers_alone() {
    let layers = layers();
    let crates = crates();
    let listed: BTreeSet<&String> = layers.keys().collect();
    assert_eq!(listed, crates.keys().collect(), "the map's crates are the workspace's");
    for (folder, uses) in &crates {
        for used in uses {
            assert!(!used.starts_with("tests"), "{folder} uses {used}, which is for tests only");
            assert!(
                layers[used] < layers[folder],
                "{folder} (layer {}) uses {used} (layer {})",
                layers[folder],
                layers[used]
            );
        }
    }
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    for folder in crates().keys() {
        let circles = imports::circles(&paths::root().join(folder).join("src"));
        assert!(circles.is_empty(), "{folder}: {circles:#?}");
    }
}

#[test]
fn a_circle_of_modules_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod a;\nmod b;\nmod c;\n");
    write("a.rs", "use crate::{b::One, c};\n// use crate::d;\npub struct A;\n");
    write("b.rs", "pub fn one() -> super::c::Two { todo!() }\n");
    write("c.rs", "use super::b;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n");
    assert_eq!(imports::circles(folder.path()), [BTreeSet::from(["b".to_owned(), "c".to_owned()])]);
    fs::create_dir(folder.path().join("c")).unwrap();
    write("c.rs", "mod d;\npub struct Two;\n");
    write("c/d.rs", "use super::Two;\n");
    assert!(imports::circles(folder.path()).is_empty(), "a parent and its child may know each other");
}
