//! `docs/manifest.md` says what the code does.

#![allow(clippy::unwrap_used, reason = "the manifest that is taken apart here is the test's own")]

mod common;

use common::{errors, read, with_every_table};
use toml_edit::{DocumentMut, Item, Table, value};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/manifest.md");

#[test]
fn the_page_is_the_one_that_the_code_makes() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    assert!(
        page == tallow_manifest::reference(),
        "docs/manifest.md is stale: cargo run --release -p tallow-manifest --example reference > docs/manifest.md"
    );
}

/// What stands for the NAME of a heading: a job's of any kind, and a component's.
const NAME: &str = "window";

/// Each table's heading with its keys and their defaults, as the page gives them.
fn documented() -> Vec<(String, Vec<(String, String)>)> {
    let mut tables: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for line in tallow_manifest::reference().lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            tables.push((heading.trim_matches('`').replace("NAME", NAME), Vec::new()));
        } else if let (Some(row), Some((heading, keys))) = (line.strip_prefix("| `"), tables.last_mut())
            && heading.starts_with('[')
        {
            let cells: Vec<&str> = row.split(" | ").collect();
            keys.push((cells[0].trim_end_matches('`').to_owned(), cells[2].to_owned()));
        }
    }
    tables
}

fn table_mut<'a>(document: &'a mut DocumentMut, heading: &str) -> &'a mut Table {
    let mut item: &mut Item = document.as_item_mut();
    for key in heading.trim_matches(['[', ']']).split('.') {
        let table = item.as_table_mut().unwrap();
        item = table.entry(key).or_insert(Item::Table(Table::new()));
        if matches!(item, Item::ArrayOfTables(_)) {
            item = &mut item[0];
        }
    }
    item.as_table_mut().unwrap()
}

/// A manifest with every table, with one key set.
fn with_key(heading: &str, key: &str, to: Item) -> String {
    let mut document: DocumentMut = with_every_table(NAME).parse().unwrap();
    table_mut(&mut document, heading).insert(key, to);
    document.to_string()
}

#[test]
fn every_documented_key_is_read() {
    let tables = documented();
    assert_eq!(tables.iter().filter(|(heading, _)| heading.starts_with('[')).count(), 11);
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
