//! The vectors of `golden/`: options, records, and what must come of them. Written by hand from the contract and
//! the exchange's documentation, and run against the built component too.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use parse_market::{Batch, ByteColumn, Marked, Options, Parsed, WantedColumn, parse};
use serde_json::{Value, json};
use tallow_contract::json::Times;

#[test]
fn every_golden_vector_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let vector: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let parsed = parse(&batch(&vector["records"]), &options(&vector["options"])).unwrap();
        let actual = json!({
            "rows": (0..parsed.rows.rows as usize).map(|row| shown_row(&parsed, row)).collect::<Vec<_>>(),
            "ignored": shown_marked(&parsed.ignored),
            "rejected": shown_marked(&parsed.rejected),
            "rounded": parsed.rounded,
        });
        assert_eq!(actual, vector["expected"], "{}", file.display());
    }
}

fn options(options: &Value) -> Options {
    let texts = |value: &Value| {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let columns = options["columns"].as_array().unwrap().iter().map(|column| WantedColumn {
        name: column["name"].as_str().unwrap().to_owned(),
        scale: column["scale"].as_u64().unwrap() as u8,
    });
    let settings = options["settings"].as_object().unwrap().iter();
    Options {
        kinds: texts(&options["kinds"]),
        columns: columns.collect(),
        settings: settings.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
    }
}

fn batch(records: &Value) -> Batch {
    let mut keys = ByteColumn::default();
    let mut batch = Batch::default();
    for record in records.as_array().unwrap() {
        batch.values.push(bytes(&record["value"]).as_deref());
        keys.push(bytes(&record["key"]).as_deref());
    }
    batch.keys = Some(keys);
    batch
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(base64(other["base64"].as_str().unwrap())),
    }
}

fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text
        .trim_end_matches('=')
        .bytes()
        .map(|byte| alphabet.iter().position(|known| *known == byte).unwrap());
    let bits: Vec<u8> =
        digits.flat_map(|digit| (0..6).rev().map(move |bit| (digit >> bit & 1) as u8)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

fn shown_row(parsed: &Parsed, row: usize) -> Value {
    let mut shown = tallow_contract::json::row(&parsed.rows, row, Times::Micros).unwrap();
    shown.insert("record".to_owned(), json!(parsed.records[row]));
    shown.insert("kind".to_owned(), json!(parsed.kinds.get(row)));
    shown.into()
}

fn shown_marked(marked: &Marked) -> Vec<Value> {
    let records = marked.records.iter().enumerate();
    records.map(|(index, record)| json!({ "record": record, "reason": marked.reasons.get(index) })).collect()
}
