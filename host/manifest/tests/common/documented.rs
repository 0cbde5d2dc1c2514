//! What the reference says of each key.

#![allow(clippy::unwrap_used, reason = "the manifest that is taken apart here is the test's own")]

use toml_edit::{DocumentMut, Item, Table};

use super::with_every_table;

/// What stands for the NAME of a heading: a job's of any kind, and a component's.
pub const NAME: &str = "window";

/// Each table's heading with its keys and their defaults, as the page gives them.
pub fn documented() -> Vec<(String, Vec<(String, String)>)> {
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

pub fn table_mut<'a>(document: &'a mut DocumentMut, heading: &str) -> &'a mut Table {
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
pub fn with_key(heading: &str, key: &str, to: Item) -> String {
    let mut document: DocumentMut = with_every_table(NAME).parse().unwrap();
    table_mut(&mut document, heading).insert(key, to);
    document.to_string()
}
