//! Functions, limits and batches that the tests share.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use tallow_engine::{Component, Contract, Limits, ParseFunction, ParseOptions, Runtime, WantedColumn};
use tallow_record::Batch;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

pub const LIMITS: Limits =
    Limits { memory_bytes: 32 << 20, deadline: Duration::from_millis(300), output_bytes: 4 << 20 };

pub const COLUMNS: [&str; 5] = ["symbol", "event_time", "price", "id", "quantity"];

pub const GOOD: &str = "BTCUSDT 1000000 60123.5 17 0.25";

pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new(None).unwrap())
}

/// A component of a core module in WebAssembly text that exports `tallow:parse/parse`. `imports`: of each interface that
/// it imports beside, the name and the WIT of its package.
pub fn component(wat: &str, imports: &[(&str, &str)]) -> Vec<u8> {
    let mut module = wat::parse_str(wat).unwrap();
    let mut wit = wit_parser::Resolve::default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
    for contract in ["types", "parse"] {
        wit.push_path(format!("{folder}/{contract}")).unwrap();
    }
    imports.iter().for_each(|(_, package)| _ = wit.push_str("import.wit", package).unwrap());
    let imported = imports.iter().map(|(import, _)| format!("import {import};"));
    let world = format!(
        "package test:test; world test {{ {} export tallow:parse/parse@0.1.0; }}",
        imported.collect::<String>()
    );
    let package = wit.push_str("world.wit", &world).unwrap();
    let world = wit.select_world(&[package], None).unwrap();
    embed_component_metadata(&mut module, &wit, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).and_then(|mut it| it.encode()).unwrap()
}

pub fn hostile_bytes(name: &str) -> Vec<u8> {
    let file =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../target/functions/test/{name}.wasm"));
    std::fs::read(&file).unwrap_or_else(|error| {
        panic!("{}: {error}: build it with `target/release/tallow-functions-build tests`", file.display())
    })
}

pub fn hostile_parse() -> &'static Component {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        runtime().load("hostile-parse", &hostile_bytes("hostile-parse"), Contract::Parse).unwrap()
    })
}

pub fn hostile_window() -> &'static Component {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        runtime().load("hostile-window", &hostile_bytes("hostile-window"), Contract::Window).unwrap()
    })
}

/// A function of the contract before this one.
pub fn old_window() -> &'static Component {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    COMPONENT
        .get_or_init(|| runtime().load("window-0-1", &hostile_bytes("window-0-1"), Contract::Window).unwrap())
}

pub fn options() -> ParseOptions {
    let columns = COLUMNS.map(|name| WantedColumn { name: name.to_owned(), scale: 8 });
    ParseOptions { columns: columns.into(), ..ParseOptions::default() }
}

pub fn parse_function(limits: Limits) -> ParseFunction {
    ParseFunction::new(hostile_parse(), limits, options()).unwrap()
}

pub fn batch(values: &[&str]) -> Batch {
    let mut batch = Batch::default();
    let topic = batch.topic_index(&"trades".into());
    for (offset, value) in (0..).zip(values) {
        batch.push(topic, 0, offset, -1, 0, Some(b"key"), Some(value.as_bytes()));
    }
    batch
}
