//! What the tests of this crate share.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use parse_market::{Batch, COLUMNS, Options, WantedColumn};

/// Options for every column at one scale.
pub fn all_columns(kinds: &[&str], scale: u8) -> Options {
    Options {
        kinds: kinds.iter().map(|kind| kind.to_string()).collect(),
        columns: COLUMNS.iter().map(|info| WantedColumn { name: info.name.to_owned(), scale }).collect(),
        settings: Vec::new(),
    }
}

#[allow(dead_code)]
pub fn batch<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Batch {
    let mut batch = Batch::default();
    values.into_iter().for_each(|value| batch.values.push(Some(value.as_ref())));
    batch
}

/// A folder of the recordings; says so where they are absent.
pub fn recordings(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(folder);
    if !path.is_dir() {
        println!("skipped: no recordings at {}", path.display());
        return None;
    }
    Some(path)
}

/// Messages of the four recordings of trades, without the time of receipt before each.
#[allow(dead_code)]
pub fn recorded_messages() -> Option<Vec<String>> {
    let folder = recordings("trades")?;
    let mut messages = Vec::new();
    for name in ["btcusdt_20240808", "btcusdt_20240809", "ethusdt_20240808", "ethusdt_20240809"] {
        let file = File::open(folder.join(name).with_extension("gz")).unwrap();
        let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
        messages.extend(lines.map(|line| line.unwrap().split_once(' ').unwrap().1.to_owned()));
    }
    Some(messages)
}
