//! `POST /parse`: records to rows.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tallow_contract::json::{ColumnInfo, Row, has_values, pairs};
use tallow_contract::{Batch, ByteColumn, Run};

use crate::contracts::parse;
use crate::http::{Refused, Response};
use crate::limits;

/// Places that are kept of a decimal by default.
const SCALE: u8 = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    /// A string is the record; any other value is a record of that JSON; null is a tombstone.
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
    #[serde(default)]
    kinds: Vec<String>,
    /// Names of columns, with the places kept of decimal ones. Absent: those in which some row has a value.
    columns: Option<Vec<Wanted>>,
    #[serde(default, deserialize_with = "pairs")]
    settings: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    #[serde(default = "scale")]
    scale: u8,
}

fn scale() -> u8 {
    SCALE
}

#[derive(Serialize)]
struct Answer {
    columns: Vec<ColumnInfo>,
    /// With `record` (index of the record it came from) and `kind`.
    rows: Vec<Row>,
    ignored: Vec<Marked>,
    rejected: Vec<Marked>,
    rounded: u64,
}

#[derive(Serialize)]
struct Marked {
    record: u32,
    reason: String,
}

pub fn answer(body: &[u8]) -> Result<Response, Refused> {
    let body: Body<'_> = super::read(body)?;
    limits::records(body.records.len())?;
    let batch = batch(&body.records)?;
    let asked = body.columns.is_some();
    let columns = match body.columns {
        Some(columns) => columns.into_iter().map(|it| (it.name, it.scale)).collect::<Vec<_>>(),
        None => parse::describe().columns.into_iter().map(|it| (it.name, SCALE)).collect(),
    };
    let options = parse::Options {
        kinds: body.kinds,
        columns: columns.into_iter().map(|(name, scale)| parse::WantedColumn { name, scale }).collect(),
        settings: body.settings,
    };
    let mut parsed = parse::parse(&batch, &options).map_err(Refused::by_function)?;
    if !asked {
        let rows = parsed.rows.rows as usize;
        parsed.rows.columns.retain(|column| has_values(column, rows));
    }
    let (columns, mut rows) = super::table(&parsed.rows)?;
    for (index, row) in rows.iter_mut().enumerate() {
        let record = parsed.records.get(index).copied();
        row.insert("record".to_owned(), record.into());
        row.insert("kind".to_owned(), parsed.kinds.get(index).into());
    }
    let (ignored, rejected) = (marked(&parsed.ignored), marked(&parsed.rejected));
    Ok(Response::json(200, &Answer { columns, rows, ignored, rejected, rounded: parsed.rounded }))
}

fn batch(records: &[&RawValue]) -> Result<Batch, Refused> {
    let mut values = ByteColumn::default();
    for (index, record) in records.iter().enumerate() {
        match record.get() {
            "null" => values.nulls.push(index as u32),
            text if text.starts_with('"') => {
                let text: String = serde_json::from_str(text)
                    .map_err(|error| Refused::malformed(format!("record {index}: {error}")))?;
                values.bytes.extend_from_slice(text.as_bytes());
            }
            json => values.bytes.extend_from_slice(json.as_bytes()),
        }
        values.ends.push(values.bytes.len() as u32);
    }
    Ok(Batch {
        topics: vec![String::new()],
        runs: vec![Run { topic: 0, partition: 0, records: records.len() as u32 }],
        offsets: (0..records.len() as i64).collect(),
        timestamps_us: vec![-1; records.len()],
        values,
        keys: None,
        headers: None,
    })
}

fn marked(marked: &parse::Marked) -> Vec<Marked> {
    let reason = |index| marked.reasons.get(index).unwrap_or_default().to_owned();
    marked
        .records
        .iter()
        .enumerate()
        .map(|(index, record)| Marked { record: *record, reason: reason(index) })
        .collect()
}
