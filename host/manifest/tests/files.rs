//! Manifests and components on the disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot write its files fails")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::MINIMAL;
use tallow_manifest::{Manifest, Overrides, Source, load};
use tempfile::TempDir;

fn folder_with_manifest() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spin.toml");
    fs::write(&path, MINIMAL).unwrap();
    (folder, path)
}

fn load_with(path: &Path, overrides: &Overrides) -> Manifest {
    load(path, &BTreeMap::new(), overrides).unwrap_or_else(|errors| panic!("{errors}"))
}

fn source(manifest: &Manifest, component: &str) -> PathBuf {
    match &manifest.components[component].source {
        Source::Local(path) => path.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_repositorys_own_manifest_loads() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml"));
    let manifest = load_with(path, &Overrides::default());
    let candles = manifest.pipeline("candles").unwrap();
    let windows: Vec<&str> = candles.windows.iter().map(|window| window.name.as_str()).collect();
    assert_eq!((windows, candles.kinds()), (vec!["1m", "1d"], vec!["trade".to_owned()]));
    for window in &candles.windows {
        let columns: Vec<&str> = window.aggregates.iter().map(|aggregate| aggregate.name.as_str()).collect();
        assert_eq!(columns, ["open", "high", "low", "close", "volume", "quote_volume", "trades"]);
    }
    assert_eq!(manifest.kafka.brokers, "localhost:9092");
    let lake = path.parent().unwrap().canonicalize().unwrap().join("lake");
    assert_eq!(manifest.kafka.lake, format!("file://{}", lake.display()));
    assert!(source(&manifest, "parse-market").ends_with("target/functions/parse-market.wasm"));
}

#[test]
fn loading_needs_no_component_and_checking_files_names_the_one_that_is_missing() {
    let (folder, path) = folder_with_manifest();
    let text = MINIMAL
        .replace("source = \"window.wasm\"", "source = \"window.wasm\"\nbuild = { command = \"make it\" }");
    fs::write(&path, text).unwrap();
    let manifest = load_with(&path, &Overrides::default());
    let errors = manifest.check_files().unwrap_err().to_string();
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert!(
        lines[0].contains(
            ":25:10: component.parse-market.source: pipeline `candles` needs the component `parse-market`"
        ),
        "{errors}"
    );
    assert!(lines[0].ends_with("parse-market.wasm; build it, or correct the path"), "{errors}");
    assert!(lines[1].ends_with("window.wasm; build it with `make it`"), "{errors}");
    for name in ["parse-market.wasm", "window.wasm"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    assert_eq!(manifest.check_files(), Ok(()));
}

#[test]
fn a_standard_component_stands_in_only_where_the_manifests_own_is_missing() {
    let (folder, path) = folder_with_manifest();
    let standard = TempDir::new().unwrap();
    for name in ["parse-market.wasm", "window.wasm"] {
        fs::write(standard.path().join(name), "").unwrap();
    }
    fs::write(folder.path().join("window.wasm"), "").unwrap();
    let overrides = Overrides { components_dir: Some(standard.path().to_owned()), ..Overrides::default() };
    let manifest = load_with(&path, &overrides);
    assert_eq!(source(&manifest, "parse-market"), standard.path().join("parse-market.wasm"));
    assert_eq!(source(&manifest, "window"), folder.path().canonicalize().unwrap().join("window.wasm"));
    assert_eq!(manifest.check_files(), Ok(()));
}

#[test]
fn golden_vectors_start_from_the_manifests_folder_and_a_star_names_all_that_are_alike() {
    let (folder, path) = folder_with_manifest();
    let vetting = "[application.trigger.kafka.functions.window]\ngolden = \"golden/*.json\"\n";
    fs::write(&path, format!("{MINIMAL}\n{vetting}")).unwrap();
    let manifest = load_with(&path, &Overrides::default());
    assert_eq!(manifest.vetting["parse-market"].golden_files(), Ok(Vec::new()));
    let files = || manifest.vetting["window"].golden_files();
    assert!(files().unwrap_err().to_string().contains("golden/*.json"), "{:?}", files());
    fs::create_dir(folder.path().join("golden")).unwrap();
    assert!(files().unwrap_err().to_string().ends_with("no file has such a name"), "{:?}", files());
    for name in ["b.json", "a.json", "a.txt"] {
        fs::write(folder.path().join("golden").join(name), "").unwrap();
    }
    let names: Vec<_> = files().unwrap().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["a.json", "b.json"]);
}

#[test]
fn a_lake_from_the_command_line_starts_from_the_current_folder() {
    let (_folder, path) = folder_with_manifest();
    let overrides = Overrides { lake: Some("here".to_owned()), ..Overrides::default() };
    let here = std::env::current_dir().unwrap().join("here");
    assert_eq!(load_with(&path, &overrides).kafka.lake, format!("file://{}", here.display()));
}

#[test]
fn a_manifest_that_is_not_there_is_named() {
    let errors = load(Path::new("/no/such/spin.toml"), &BTreeMap::new(), &Overrides::default()).unwrap_err();
    assert!(errors.to_string().starts_with("/no/such/spin.toml: cannot be read: "), "{errors}");
}
