//! What the tests of this crate share.

use parse_json::{Way, parse_by};
use serde_json::{Value, json};
use tallow_contract::json::{Times, to_rows};
use tallow_contract::parse::{Marked, Options, Parsed, WantedColumn};
use tallow_contract::schema::{SETTING, Schema};
use tallow_contract::{Batch, Run};

/// Options that want every column of a schema, at scale 8. The schema is written as its setting is.
pub fn options(schema: Value) -> Options {
    let schema = Schema::from_setting(&schema.to_string()).unwrap();
    let names = schema.columns.iter().map(|field| field.name.clone()).chain(schema.raw.clone());
    Options {
        kinds: Vec::new(),
        columns: names.map(|name| WantedColumn { name, scale: 8 }).collect(),
        settings: vec![(SETTING.to_owned(), schema.to_setting())],
    }
}

/// A schema with an event time `ts` in milliseconds and these columns beside it.
pub fn schema(columns: Value) -> Value {
    let mut all =
        vec![json!({ "name": "ts", "type": { "timestamp": "milliseconds" }, "source": { "value": "ts" } })];
    all.extend(columns.as_array().unwrap().iter().cloned());
    json!({ "event-time": "ts", "kind": { "fixed": "json" }, "columns": all })
}

/// A column at the path of its name.
pub fn column(name: &str, type_: &str) -> Value {
    json!({ "name": name, "type": type_, "source": { "value": name } })
}

pub fn batch<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Batch {
    let mut batch = Batch { topics: vec!["market".to_owned()], ..Batch::default() };
    for (offset, value) in (0..).zip(values) {
        batch.values.push(Some(value.as_ref()));
        batch.offsets.push(offset);
        batch.timestamps_us.push(1_700_000_000_000_000 + offset);
    }
    batch.runs = vec![Run { topic: 0, partition: 3, records: batch.offsets.len() as u32 }];
    batch
}

/// Parses in all ways, which must agree, and shows rows and what was set apart.
#[allow(dead_code)]
pub fn parsed<V: AsRef<[u8]>>(schema: Value, values: impl IntoIterator<Item = V>) -> Value {
    shown(&both_ways(&batch(values), &options(schema)))
}

pub fn both_ways(batch: &Batch, options: &Options) -> Parsed {
    let full = parse_by(Way::FullOnly, batch, options).unwrap();
    for way in [Way::Quick, Way::AnyOrder] {
        let fast = parse_by(way, batch, options).unwrap();
        // Not their dictionaries: a message that goes to the full reader after all may leave a text in them.
        assert_eq!(shown(&fast), shown(&full), "{way:?}");
    }
    full
}

pub fn shown(parsed: &Parsed) -> Value {
    let marked = |marked: &Marked| -> Vec<Value> {
        let records = marked.records.iter().enumerate();
        records.map(|(at, record)| json!([record, marked.reasons.get(at)])).collect()
    };
    json!({
        "rows": to_rows(&parsed.rows, Times::Micros).unwrap(),
        "records": parsed.records,
        "kinds": (0..parsed.records.len()).map(|row| parsed.kinds.get(row)).collect::<Vec<_>>(),
        "rounded": parsed.rounded,
        "ignored": marked(&parsed.ignored),
        "rejected": marked(&parsed.rejected),
    })
}
