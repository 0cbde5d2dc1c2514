//! Rows and outputs as plain values, for the tests.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;

use window::Output;
use window::spec::{Aggregate, IdColumns, Operation, Shape, Spec};
use window::table::{Column, ColumnData, Decimals, Rows, Run, Table, Text};

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Int(i64),
    /// Mantissa and scale.
    Decimal(i128, u8),
    Float(f64),
    Bool(bool),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Int64,
    TimestampUs,
    Decimal(u8),
    Float64,
    Boolean,
    Text,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub kind: String,
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// A value for each column of the schema.
    pub values: Vec<Value>,
}

/// One row of an output, by column.
pub type Candle = BTreeMap<String, Value>;

/// Builds an update. Rows of one topic, partition and offset that follow each other are one record's; a run
/// ends where offsets go back.
pub fn rows(schema: &[(String, Type)], rows: &[Row]) -> Rows {
    let mut out = Rows { table: Table { rows: rows.len() as u32, columns: vec![] }, ..Rows::default() };
    let mut previous: Option<&Row> = None;
    for row in rows {
        let kind = text_code(&mut out.kinds, &row.kind);
        out.kinds.codes.push(kind);
        let same_partition = previous.is_some_and(|other| {
            (&other.topic, other.partition) == (&row.topic, row.partition) && other.offset <= row.offset
        });
        if !same_partition {
            let topic = out.topics.iter().position(|topic| *topic == row.topic).unwrap_or_else(|| {
                out.topics.push(row.topic.clone());
                out.topics.len() - 1
            });
            out.runs.push(Run { topic: topic as u32, partition: row.partition, records: 0 });
        }
        if !same_partition || previous.is_some_and(|other| other.offset != row.offset) {
            out.offsets.push(row.offset);
            out.runs.last_mut().unwrap().records += 1;
        }
        out.records.push(out.offsets.len() as u32 - 1);
        previous = Some(row);
    }
    for (index, (name, kind)) in schema.iter().enumerate() {
        let values: Vec<&Value> = rows.iter().map(|row| &row.values[index]).collect();
        out.table.columns.push(column(name, *kind, &values));
    }
    out
}

fn text_code(text: &mut Text, entry: &str) -> u32 {
    let known = (0..text.ends.len() as u32).find(|&code| text.entry(code) == entry.as_bytes());
    known.unwrap_or_else(|| text.push_entry(entry.as_bytes()))
}

fn column(name: &str, kind: Type, values: &[&Value]) -> Column {
    let int = |value: &&Value| match value {
        Value::Int(value) => *value,
        Value::Null => 0,
        other => panic!("{name}: {other:?} is no integer"),
    };
    let data = match kind {
        Type::Int64 => ColumnData::Int64(values.iter().map(int).collect()),
        Type::TimestampUs => ColumnData::TimestampUs(values.iter().map(int).collect()),
        Type::Float64 => {
            let float = |value: &&Value| if let Value::Float(float) = value { *float } else { 0.0 };
            ColumnData::Float64(values.iter().map(float).collect())
        }
        Type::Boolean => {
            ColumnData::Boolean(values.iter().map(|value| **value == Value::Bool(true)).collect())
        }
        Type::Decimal(scale) => {
            let mantissas: Vec<i128> = values
                .iter()
                .map(|value| if let Value::Decimal(mantissa, _) = value { *mantissa } else { 0 })
                .collect();
            ColumnData::Decimal(Decimals::of(scale, mantissas.into_iter()))
        }
        Type::Text => {
            let mut text = Text::default();
            for value in values {
                let code =
                    if let Value::Text(value) = value { text_code(&mut text, value) } else { u32::MAX };
                text.codes.push(code);
            }
            ColumnData::Text(text)
        }
    };
    let mut bits = vec![0u8; values.len().div_ceil(8)];
    for (row, value) in values.iter().enumerate() {
        bits[row / 8] |= u8::from(**value != Value::Null) << (row % 8);
    }
    let validity = values.contains(&&Value::Null).then_some(bits);
    Column { name: name.to_owned(), data, validity }
}

/// The rows of an output.
pub fn candles(table: &Table) -> Vec<Candle> {
    (0..table.rows as usize)
        .map(|row| table.columns.iter().map(|column| (column.name.clone(), cell(column, row))).collect())
        .collect()
}

fn cell(column: &Column, row: usize) -> Value {
    if !window::table::is_valid(column.validity.as_deref(), row) {
        return Value::Null;
    }
    match &column.data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => Value::Int(values[row]),
        ColumnData::Float64(values) => Value::Float(values[row]),
        ColumnData::Boolean(values) => Value::Bool(values[row]),
        ColumnData::Text(text) => {
            Value::Text(String::from_utf8(text.entry(text.codes[row]).to_vec()).unwrap())
        }
        ColumnData::Decimal(decimals) => Value::Decimal(decimals.mantissa(row), decimals.scale),
    }
}

/// The candles of each of `specs` specs, empty for those that gave none.
pub fn by_spec(outputs: &[Output], specs: usize) -> Vec<Vec<Candle>> {
    let mut lists = vec![Vec::new(); specs];
    for output in outputs {
        lists[output.spec as usize].extend(candles(&output.table));
    }
    lists
}

/// A spec over trades: columns `symbol`, `time`, `id`, and the aggregates given as (name, operation,
/// column, by), with "" for none.
pub fn spec(
    name: &str,
    shape: Shape,
    ids: Option<(&str, &str)>,
    aggregates: &[(&str, Operation, &str, &str)],
) -> Spec {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Spec {
        name: name.to_owned(),
        kinds: vec!["trade".to_owned()],
        keys: vec!["symbol".to_owned()],
        time: "time".to_owned(),
        ids: ids.map(|(first, last)| IdColumns::unbounded(first, last)),
        shape,
        offset_us: 0,
        aggregates: aggregates
            .iter()
            .map(|&(name, operation, column, by)| Aggregate {
                name: name.to_owned(),
                operation,
                column: some(column),
                by: some(by),
            })
            .collect(),
    }
}

/// Open, high, low, close, volume, quote volume and count.
pub const OHLCV: [(&str, Operation, &str, &str); 7] = [
    ("open", Operation::First, "price", ""),
    ("high", Operation::Max, "price", ""),
    ("low", Operation::Min, "price", ""),
    ("close", Operation::Last, "price", ""),
    ("volume", Operation::Sum, "quantity", ""),
    ("quote_volume", Operation::SumProduct, "price", "quantity"),
    ("trades", Operation::Count, "", ""),
];
