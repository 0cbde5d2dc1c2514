//! `docs/manifest.md` and `docs/manifest.schema.json` say what the code does.

#![allow(clippy::unwrap_used, reason = "the manifest that is taken apart here is the test's own")]

mod common;

use common::documented::{NAME, documented, table_mut, with_key};
use common::{errors, read, with_every_table};
use toml_edit::{DocumentMut, value};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/manifest.md");
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/manifest.schema.json");

#[test]
fn the_page_is_the_one_that_the_code_makes() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    assert!(
        page == tallow_manifest::reference(),
        "docs/manifest.md is stale: cargo run --release -p tallow-manifest --example reference > docs/manifest.md"
    );
}

#[test]
fn the_schema_is_the_one_that_the_code_makes() {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert!(
        parsed(&std::fs::read_to_string(SCHEMA).unwrap()) == parsed(&tallow_manifest::json_schema()),
        "docs/manifest.schema.json is stale: cargo run --release -p tallow-manifest --example reference schema > \
         docs/manifest.schema.json"
    );
}

#[test]
fn every_documented_key_is_read() {
    let tables = documented();
    assert_eq!(tables.iter().filter(|(heading, _)| heading.starts_with('[')).count(), 20);
    for (heading, keys) in tables {
        for (key, _) in keys {
            let text = with_key(&heading, &key, value("1979-05-27".parse::<toml_edit::Datetime>().unwrap()));
            let errors = errors(&text);
            let said = |error: &String| error.contains(&format!("{key}: ")) && !error.contains("unknown key");
            assert!(errors.iter().any(said), "{heading} {key}: {errors:#?}");
        }
    }
}

#[test]
fn every_documented_default_written_out_means_the_same_as_leaving_it_out() {
    let plain = read(&with_every_table(NAME)).unwrap();
    let mut checked = 0;
    for (heading, keys) in documented() {
        for (key, default) in keys {
            let Some(default) = default.strip_prefix('`').and_then(|text| text.strip_suffix('`')) else {
                continue;
            };
            let text = with_key(&heading, &key, value(default.parse::<toml_edit::Value>().unwrap()));
            let mut manifest = read(&text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
            manifest.components.clone_from(&plain.components);
            manifest.places.clone_from(&plain.places);
            assert_eq!(manifest, plain, "{heading} {key}");
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked}");
}

#[test]
fn every_documented_key_that_is_required_is_missed() {
    for (heading, keys) in documented() {
        for (key, default) in keys {
            if default == "**required**" {
                let mut document: DocumentMut = with_every_table(NAME).parse().unwrap();
                table_mut(&mut document, &heading).remove(&key);
                let errors = errors(&document.to_string());
                assert!(errors.iter().any(|e| e.contains(&format!("`{key}` is missing"))), "{errors:#?}");
            }
        }
    }
}
