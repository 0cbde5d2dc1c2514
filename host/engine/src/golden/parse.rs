//! Vectors of parse functions: `options`, `records`, and as `expected` the rows and the records set apart.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tallow_contract::json::pairs;
use tallow_record::Batch;

use super::{GoldenError, difference, row_as_json, text_as_json};
use crate::{Component, Limits, Marked, ParseFunction, ParseOptions, Parsed, WantedColumn};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    options: Options,
    records: Vec<Record>,
    /// `rows`, `ignored`, `rejected`, `rounded`.
    expected: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    kinds: Vec<String>,
    columns: Vec<WantedColumn>,
    #[serde(deserialize_with = "pairs")]
    settings: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    topic: String,
    partition: i32,
    offset: i64,
    timestamp_us: i64,
    key: Option<Bytes>,
    value: Option<Bytes>,
}

/// Text as it is, other bytes as `{"base64": "…"}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bytes {
    Text(String),
    Other { base64: String },
}

impl From<Options> for ParseOptions {
    fn from(json: Options) -> Self {
        Self { kinds: json.kinds, columns: json.columns, settings: json.settings }
    }
}

/// What a vector puts into a parse function.
pub fn parse_input(vector: &str) -> Result<(ParseOptions, Batch), GoldenError> {
    let vector: Vector = serde_json::from_str(vector)?;
    let batch = batch(&vector.records)?;
    Ok((vector.options.into(), batch))
}

/// Parses the vector's records in one call and compares what comes out with what the vector expects.
pub fn run_parse(component: &Component, limits: Limits, vector: &str) -> Result<(), GoldenError> {
    let vector: Vector = serde_json::from_str(vector)?;
    let mut batch = batch(&vector.records)?;
    let options = vector.options.into();
    let mut function = ParseFunction::new(component, limits, options)
        .map_err(|error| GoldenError::Call { step: "describe".to_owned(), error })?;
    let parsed =
        function.parse(&mut batch).map_err(|error| GoldenError::Call { step: "parse".to_owned(), error })?;
    difference::same("", &vector.expected, &shown(&parsed))
}

fn batch(records: &[Record]) -> Result<Batch, GoldenError> {
    let mut batch = Batch::default();
    for record in records {
        let topic = batch.topic_index(&Arc::from(record.topic.as_str()));
        let (key, value) = (bytes(&record.key)?, bytes(&record.value)?);
        let (key, value) = (key.as_deref(), value.as_deref());
        batch.push(topic, record.partition, record.offset, record.timestamp_us, 0, key, value);
    }
    Ok(batch)
}

fn bytes(bytes: &Option<Bytes>) -> Result<Option<Vec<u8>>, GoldenError> {
    Ok(match bytes {
        None => None,
        Some(Bytes::Text(text)) => Some(text.clone().into_bytes()),
        Some(Bytes::Other { base64 }) => {
            let decoded = BASE64_STANDARD.decode(base64);
            Some(decoded.map_err(|error| GoldenError::Vector(format!("base64 `{base64}`: {error}")))?)
        }
    })
}

fn shown(parsed: &Parsed) -> Value {
    let rows = &parsed.rows;
    let shown_row = |row: usize| {
        let begin = [
            ("record".to_owned(), json!(rows.records[row])),
            ("kind".to_owned(), text_as_json(&rows.kinds, row)),
        ];
        row_as_json(&rows.table, row, Map::from_iter(begin))
    };
    json!({
        "rows": (0..rows.records.len()).map(shown_row).collect::<Vec<_>>(),
        "ignored": shown_marked(&parsed.ignored),
        "rejected": shown_marked(&parsed.rejected),
        "rounded": parsed.rounded,
    })
}

fn shown_marked(marked: &Marked) -> Vec<Value> {
    marked.iter().map(|(record, reason)| json!({ "record": record, "reason": reason })).collect()
}
