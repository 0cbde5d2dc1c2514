//! The contract `tallow:parse` around [`crate::message`]: rows to columns. It need not be changed.

wit_bindgen::generate!({
    path: ["wit/types", "wit/parse"],
    world: "tallow:parse/parse-function",
    generate_all,
});

use std::collections::BTreeMap;

use exports::tallow::parse::parse as contract;
use tallow::types::types::{Batch, Column, ColumnData, Decimals, Table, Text};

use crate::message::{Apart, COLUMNS, KINDS, Row, Type, Value, read};

struct Component;

export!(Component);

impl contract::Guest for Component {
    fn describe() -> contract::Description {
        let columns = COLUMNS.iter().map(|column| contract::ColumnInfo {
            name: column.name.to_owned(),
            type_: match column.column_type {
                Type::Integer => contract::ColumnType::Int64,
                Type::Time => contract::ColumnType::TimestampUs,
                Type::Decimal => contract::ColumnType::Decimal,
                Type::Float => contract::ColumnType::Float64,
                Type::Boolean => contract::ColumnType::Boolean,
                Type::Text => contract::ColumnType::Text,
            },
            meaning: column.meaning.to_owned(),
        });
        contract::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kinds: KINDS.map(str::to_owned).to_vec(),
            columns: columns.collect(),
            wants_keys: false,
            wants_headers: false,
        }
    }

    fn parse(batch: Batch, options: contract::Options) -> Result<contract::Parsed, String> {
        let wanted = wanted(&options)?;
        let mut answer = Answer::default();
        let mut from = 0;
        for (record, end) in (0..).zip(&batch.values.ends) {
            let message = &batch.values.bytes[from..*end as usize];
            from = *end as usize;
            if batch.values.nulls.binary_search(&record).is_ok() {
                answer.ignored.push(record, "tombstone");
                continue;
            }
            match read(message).and_then(|rows| scaled(rows, &wanted)) {
                Ok(rows) => answer.take(record, rows, &options.kinds),
                Err(Apart::Ignored(reason)) => answer.ignored.push(record, reason),
                Err(Apart::Rejected(reason)) => answer.rejected.push(record, &reason),
            }
        }
        Ok(answer.finish(&wanted))
    }
}

/// A wanted column: its index in [`COLUMNS`] and its scale.
struct Wanted {
    index: usize,
    scale: u8,
}

fn wanted(options: &contract::Options) -> Result<Vec<Wanted>, String> {
    if let Some((name, _)) = options.settings.first() {
        return Err(format!("there is no setting `{name}`"));
    }
    if let Some(kind) = options.kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
        return Err(format!("there is no kind `{kind}`"));
    }
    let columns = options.columns.iter().map(|wanted| {
        let index = COLUMNS.iter().position(|column| column.name == wanted.name);
        let index = index.ok_or_else(|| format!("there is no column `{}`", wanted.name))?;
        Ok(Wanted { index, scale: wanted.scale })
    });
    columns.collect()
}

/// A row with the mantissas of its wanted decimals.
struct Scaled {
    row: Row,
    mantissas: BTreeMap<usize, i128>,
    rounded: u64,
}

fn scaled(rows: Vec<Row>, wanted: &[Wanted]) -> Result<Vec<Scaled>, Apart> {
    if rows.is_empty() {
        return Err(Apart::Ignored("nothing in it"));
    }
    let scale_row = |row: Row| {
        let (mut mantissas, mut rounded) = (BTreeMap::new(), 0);
        for Wanted { index, scale } in wanted {
            let Some(Value::Decimal(decimal)) = row.values[*index] else { continue };
            let name = COLUMNS[*index].name;
            let (mantissa, cut) = decimal
                .at_scale(*scale)
                .ok_or_else(|| Apart::Rejected(format!("`{name}` does not fit {scale} places")))?;
            mantissas.insert(*index, mantissa);
            rounded += u64::from(cut);
        }
        Ok(Scaled { row, mantissas, rounded })
    };
    rows.into_iter().map(scale_row).collect()
}

#[derive(Default)]
struct Answer {
    records: Vec<u32>,
    rows: Vec<Scaled>,
    ignored: Marks,
    rejected: Marks,
    rounded: u64,
}

impl Answer {
    fn take(&mut self, record: u32, mut rows: Vec<Scaled>, kinds: &[String]) {
        rows.retain(|it| kinds.is_empty() || kinds.iter().any(|kind| kind == it.row.kind));
        if rows.is_empty() {
            return self.ignored.push(record, "not asked for");
        }
        self.records.extend(rows.iter().map(|_| record));
        self.rounded += rows.iter().map(|it| it.rounded).sum::<u64>();
        self.rows.append(&mut rows);
    }

    fn finish(self, wanted: &[Wanted]) -> contract::Parsed {
        contract::Parsed {
            rows: Table {
                rows: self.rows.len() as u32,
                columns: wanted.iter().map(|wanted| column(wanted, &self.rows)).collect(),
            },
            kinds: dictionary(self.rows.iter().map(|it| it.row.kind)),
            records: self.records,
            ignored: self.ignored.finish(),
            rejected: self.rejected.finish(),
            rounded: self.rounded,
        }
    }
}

fn column(wanted: &Wanted, rows: &[Scaled]) -> Column {
    let Wanted { index, scale } = *wanted;
    let info = &COLUMNS[index];
    let values = || rows.iter().map(|it| it.row.values[index].as_ref());
    let integer = |value: Option<&Value>| match value {
        Some(Value::Integer(value) | Value::Time(value)) => *value,
        _ => 0,
    };
    let data = match info.column_type {
        Type::Integer => ColumnData::Int64(values().map(integer).collect()),
        Type::Time => ColumnData::TimestampUs(values().map(integer).collect()),
        Type::Decimal => {
            let mantissas: Vec<i128> =
                rows.iter().map(|it| it.mantissas.get(&index).copied().unwrap_or(0)).collect();
            let wide = mantissas.iter().any(|mantissa| i64::try_from(*mantissa).is_err());
            let high = || mantissas.iter().map(|mantissa| (mantissa >> 64) as i64).collect();
            ColumnData::Decimal(Decimals {
                scale,
                high: wide.then(high),
                values: mantissas.iter().map(|mantissa| *mantissa as i64).collect(),
            })
        }
        Type::Float => ColumnData::Float64(
            values()
                .map(|value| match value {
                    Some(Value::Float(value)) if value.is_nan() => f64::NAN,
                    Some(Value::Float(value)) => *value,
                    _ => 0.0,
                })
                .collect(),
        ),
        Type::Boolean => {
            ColumnData::Boolean(values().map(|value| value == Some(&Value::Boolean(true))).collect())
        }
        Type::Text => ColumnData::Text(dictionary(values().map(|value| match value {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        }))),
    };
    Column { name: info.name.to_owned(), data, validity: validity(values().map(|value| value.is_some())) }
}

/// One bit per row, if any row is null.
fn validity(valid: impl Iterator<Item = bool>) -> Option<Vec<u8>> {
    let valid: Vec<bool> = valid.collect();
    if valid.iter().all(|valid| *valid) {
        return None;
    }
    let mut bits = vec![0u8; valid.len().div_ceil(8)];
    for (row, valid) in valid.into_iter().enumerate() {
        bits[row / 8] |= u8::from(valid) << (row % 8);
    }
    Some(bits)
}

fn dictionary<'a>(texts: impl Iterator<Item = &'a str>) -> Text {
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    let mut out = Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() };
    for text in texts {
        let code = *known.entry(text).or_insert_with(|| {
            out.bytes.extend_from_slice(text.as_bytes());
            out.ends.push(out.bytes.len() as u32);
            out.ends.len() as u32 - 1
        });
        out.codes.push(code);
    }
    out
}

/// Records set apart, with their reasons.
#[derive(Default)]
struct Marks {
    records: Vec<u32>,
    reasons: Vec<String>,
}

impl Marks {
    fn push(&mut self, record: u32, reason: &str) {
        self.records.push(record);
        self.reasons.push(reason.to_owned());
    }

    fn finish(self) -> contract::Marked {
        contract::Marked {
            reasons: dictionary(self.reasons.iter().map(String::as_str)),
            records: self.records,
        }
    }
}
