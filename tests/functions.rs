//! The built components: what they import and export, and that their bytes depend on nothing but the source
//! and the compiler.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use tallow_tests::paths;
use wit_component::DecodedWasm;

#[test]
fn functions_import_types_only_and_export_their_contract_only() {
    for (function, export) in [
        ("parse-json", "tallow:parse/parse@0.1.0"),
        ("parse-kline", "tallow:parse/parse@0.1.0"),
        ("parse-market", "tallow:parse/parse@0.1.0"),
        ("window", "tallow:window/window@0.2.0"),
        ("backfill-binance", "tallow:backfill/backfill@0.1.0"),
        ("backfill-coinbase", "tallow:backfill/backfill@0.1.0"),
        ("feed-binance", "tallow:feed/feed@0.1.0"),
        ("feed-coinbase", "tallow:feed/feed@0.1.0"),
        ("forecast-naive", "tallow:forecast/forecast@0.1.0"),
        ("forecast-prophet", "tallow:forecast/forecast@0.1.0"),
        ("forecast-ets", "tallow:forecast/forecast@0.1.0"),
    ] {
        let path = paths::functions().join(format!("{function}.wasm"));
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let DecodedWasm::Component(resolve, world) = wit_component::decode(&bytes).unwrap() else {
            panic!("{function} is not a component");
        };
        let world = &resolve.worlds[world];
        let imports: Vec<_> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
        let exports: Vec<_> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
        assert_eq!(imports, ["tallow:types/types@0.1.0"], "imports of {function}");
        assert_eq!(exports, [export], "exports of {function}");
    }
}

#[test]
fn two_folders_give_the_same_components() {
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("another folder/with a longer path");
    copy_sources(&paths::root(), &copy);

    build(&paths::root());
    build(&copy);
    let (here, there) = (components(&paths::functions()), components(&copy.join("target/functions")));
    assert!(there.len() >= 6, "only {:?}", there.keys());
    // Here there may be gateways, too.
    for (name, bytes) in &there {
        assert!(
            here.get(name) == Some(bytes),
            "{name} differs: a path of the machine is in it (strings {name} | grep /)"
        );
    }
}

/// Builds the functions of a checkout, into its own target folder.
fn build(checkout: &Path) {
    let mut command = Command::new(paths::program("tallow-functions-build"));
    if checkout != paths::root() {
        command.env_remove("CARGO_TARGET_DIR");
        // What else somebody who builds it may have set.
        command.env("CARGO_INCREMENTAL", "1").env("RUSTFLAGS", "-C debuginfo=2");
    }
    let output = command.current_dir(checkout).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn components(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let components = entries.filter(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    components
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect()
}

/// A folder that a pipeline has written, and no crate of that name.
fn is_lake(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "lake") && !folder.join("Cargo.toml").exists()
}

/// Copies a folder without what was built in it and without hidden files.
fn copy_sources(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        let target = to.join(&name);
        if entry.path().is_file() {
            fs::copy(entry.path(), target).unwrap();
        } else if entry.path().is_dir()
            && name != "target"
            && !is_lake(&entry.path())
            && !name.to_string_lossy().starts_with('.')
        {
            copy_sources(&entry.path(), &target);
        }
    }
}
