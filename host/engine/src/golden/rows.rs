//! Rows as JSON objects, made into tables and into what a window function takes.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::GoldenError;
use crate::bindings::types::Run;
use crate::{Column, ColumnData, Decimals, Rows, Table, Text};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnJson {
    name: String,
    #[serde(rename = "type")]
    kind: TypeJson,
    #[serde(default)]
    scale: u8,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TypeJson {
    Int64,
    TimestampUs,
    Decimal,
    Float64,
    Boolean,
    Text,
}

/// A row: its kind, the place of its record, and a value a column (null where there is none). Rows of one place
/// that follow each other come from one record.
#[derive(Deserialize)]
pub struct RowJson {
    kind: String,
    topic: String,
    partition: i32,
    offset: i64,
    #[serde(flatten)]
    values: Map<String, Value>,
}

impl RowJson {
    fn place(&self) -> (&str, i32, i64) {
        (&self.topic, self.partition, self.offset)
    }
}

/// Rows of a vector's `columns` and of one of its updates.
pub fn rows_of_json(columns: &Value, values: &[Value]) -> Result<Rows, GoldenError> {
    let columns = Vec::<ColumnJson>::deserialize(columns)?;
    let values = values.iter().map(RowJson::deserialize).collect::<Result<Vec<_>, _>>()?;
    rows(&columns, &values)
}

/// A table of rows that have a value a column by name; null where there is none.
pub fn table(columns: &[ColumnJson], rows: &[&Map<String, Value>]) -> Result<Table, GoldenError> {
    let known = |name: &String| columns.iter().any(|column| column.name == *name);
    if let Some(name) = rows.iter().flat_map(|row| row.keys()).find(|name| !known(name)) {
        return Err(GoldenError::Vector(format!("a row has `{name}`, which is not in `columns`")));
    }
    let columns = columns.iter().map(|it| column(it, rows)).collect::<Result<_, _>>()?;
    Ok(Table { rows: rows.len() as u32, columns })
}

pub fn rows(columns: &[ColumnJson], rows: &[RowJson]) -> Result<Rows, GoldenError> {
    let values: Vec<&Map<String, Value>> = rows.iter().map(|row| &row.values).collect();
    let mut out = Rows {
        table: table(columns, &values)?,
        kinds: dictionary(rows.iter().map(|row| row.kind.as_str())),
        records: Vec::new(),
        topics: Vec::new(),
        runs: Vec::new(),
        offsets: Vec::new(),
    };
    let mut previous: Option<&RowJson> = None;
    for row in rows {
        if previous.is_none_or(|previous| previous.place() != row.place()) {
            push_record(&mut out, row);
        }
        out.records.push(out.offsets.len() as u32 - 1);
        previous = Some(row);
    }
    Ok(out)
}

fn push_record(out: &mut Rows, row: &RowJson) {
    let topic = out.topics.iter().position(|topic| *topic == row.topic).unwrap_or_else(|| {
        out.topics.push(row.topic.clone());
        out.topics.len() - 1
    }) as u32;
    match out.runs.last_mut() {
        Some(run) if (run.topic, run.partition) == (topic, row.partition) => run.records += 1,
        _ => out.runs.push(Run { topic, partition: row.partition, records: 1 }),
    }
    out.offsets.push(row.offset);
}

fn column(column: &ColumnJson, rows: &[&Map<String, Value>]) -> Result<Column, GoldenError> {
    let values: Vec<&Value> = rows.iter().map(|row| row.get(&column.name).unwrap_or(&Value::Null)).collect();
    let data = match column.kind {
        TypeJson::Int64 => ColumnData::Int64(read(column, &values, Value::as_i64)?),
        TypeJson::TimestampUs => ColumnData::TimestampUs(read(column, &values, Value::as_i64)?),
        TypeJson::Float64 => ColumnData::Float64(read(column, &values, Value::as_f64)?),
        TypeJson::Boolean => ColumnData::Boolean(read(column, &values, Value::as_bool)?),
        TypeJson::Text => ColumnData::Text(dictionary(read(column, &values, Value::as_str)?.into_iter())),
        TypeJson::Decimal => {
            let mantissas = read(column, &values, |value| mantissa(value.as_str()?, column.scale))?;
            let wide = mantissas.iter().any(|mantissa| i64::try_from(*mantissa).is_err());
            let high = || mantissas.iter().map(|mantissa| (mantissa >> 64) as i64).collect();
            ColumnData::Decimal(Decimals {
                scale: column.scale,
                high: wide.then(high),
                values: mantissas.iter().map(|mantissa| *mantissa as i64).collect(),
            })
        }
    };
    Ok(Column { name: column.name.clone(), data, validity: validity(&values) })
}

/// The values of a column; a default where there is none.
fn read<'a, T: Default>(
    column: &ColumnJson,
    values: &[&'a Value],
    of: impl Fn(&'a Value) -> Option<T>,
) -> Result<Vec<T>, GoldenError> {
    let read = |value: &&'a Value| match value {
        Value::Null => Ok(T::default()),
        value => of(value).ok_or_else(|| {
            GoldenError::Vector(format!("column `{}`: {value} is not of its type", column.name))
        }),
    };
    values.iter().map(read).collect()
}

fn validity(values: &[&Value]) -> Option<Vec<u8>> {
    let mut bits = vec![0u8; values.len().div_ceil(8)];
    for (row, value) in values.iter().enumerate() {
        bits[row / 8] |= u8::from(!value.is_null()) << (row % 8);
    }
    values.iter().any(|value| value.is_null()).then_some(bits)
}

fn dictionary<'a>(texts: impl Iterator<Item = &'a str>) -> Text {
    let mut entries: Vec<&str> = Vec::new();
    let codes = texts.map(|text| {
        let code = entries.iter().position(|entry| *entry == text).unwrap_or_else(|| {
            entries.push(text);
            entries.len() - 1
        });
        code as u32
    });
    let codes = codes.collect();
    let ends = entries.iter().scan(0, |end, entry| {
        *end += entry.len() as u32;
        Some(*end)
    });
    Text { codes, ends: ends.collect(), bytes: entries.concat().into_bytes() }
}

/// A decimal with all of its column's places.
fn mantissa(decimal: &str, scale: u8) -> Option<i128> {
    let places = decimal.split_once('.').map_or(0, |(_, places)| places.len());
    if places == usize::from(scale) { decimal.replacen('.', "", 1).parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_rows(columns: Value, values: Value) -> Result<Rows, GoldenError> {
        rows_of_json(&columns, values.as_array().unwrap())
    }

    fn row(offset: i64, values: Value) -> Value {
        let mut row = json!({"kind": "k", "topic": "t", "partition": 0, "offset": offset});
        row.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
        row
    }

    #[test]
    fn rows_of_one_place_are_one_records_and_partitions_are_runs() {
        let mut other = row(7, json!({}));
        other["partition"] = json!(1);
        let rows = json!([row(5, json!({})), row(5, json!({})), row(6, json!({})), other]);
        let read = read_rows(json!([]), rows).unwrap();
        assert_eq!(read.records, [0, 0, 1, 2]);
        assert_eq!(read.offsets, [5, 6, 7]);
        let runs: Vec<_> = read.runs.iter().map(|run| (run.topic, run.partition, run.records)).collect();
        assert_eq!(runs, [(0, 0, 2), (0, 1, 1)]);
    }

    #[test]
    fn a_wide_decimal_is_split_and_a_missing_value_is_null() {
        let columns = json!([{"name": "d", "type": "decimal", "scale": 2}]);
        let rows = json!([row(0, json!({"d": "-92233720368547758.09"})), row(1, json!({}))]);
        let read = read_rows(columns, rows).unwrap();
        let column = &read.table.columns[0];
        assert_eq!(column.validity, Some(vec![0b01]));
        match &column.data {
            ColumnData::Decimal(decimals) => {
                assert_eq!(decimals.values, [i64::MAX, 0]);
                assert_eq!(decimals.high, Some(vec![-1, 0]));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_of_another_type_and_unknown_columns_are_mistakes_of_the_vector() {
        let columns = || json!([{"name": "d", "type": "decimal", "scale": 2}]);
        for value in [json!({"d": "1.5"}), json!({"d": 1.5}), json!({"e": 1})] {
            let error = read_rows(columns(), json!([row(0, value)])).err();
            assert!(matches!(error, Some(GoldenError::Vector(_))), "{error:?}");
        }
    }
}
