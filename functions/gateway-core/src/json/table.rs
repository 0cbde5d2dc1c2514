//! Rows as JSON objects to a table, and back.

use function_table::decimal::{self, MAX_SCALE};
use parse_base::decimal::Number;
use serde_json::{Map, Value};

use super::columns::{ColumnInfo, ColumnKind};
use super::time;
use crate::contracts::types::{Column, ColumnData, Decimals, Table, Text};

pub type Row = Map<String, Value>;

/// A table of these columns. A row need not have them all; what else it has is refused, `also` aside.
pub fn from_rows(columns: &[ColumnInfo], rows: &[Row], also: &[&str]) -> Result<Table, String> {
    for (index, row) in rows.iter().enumerate() {
        let known = |key: &String| columns.iter().any(|it| it.name == *key) || also.contains(&key.as_str());
        if let Some(key) = row.keys().find(|key| !known(key)) {
            return Err(format!("row {index}: `{key}` is none of `columns`"));
        }
    }
    let columns = columns.iter().map(|info| column(info, rows)).collect::<Result<_, _>>()?;
    Ok(Table { rows: rows.len() as u32, columns })
}

fn column(info: &ColumnInfo, rows: &[Row]) -> Result<Column, String> {
    let cells: Vec<Option<&Value>> =
        rows.iter().map(|row| row.get(&info.name).filter(|value| !value.is_null())).collect();
    let data = match info.kind {
        ColumnKind::Int64 => ColumnData::Int64(each(info, &cells, "a whole number", |cell| {
            cell.map_or(Some(0), Value::as_i64)
        })?),
        ColumnKind::TimestampUs => {
            ColumnData::TimestampUs(each(info, &cells, "a time", |cell| match cell {
                None => Some(0),
                Some(Value::String(text)) => time::from_text(text),
                Some(value) => value.as_i64(),
            })?)
        }
        ColumnKind::Float64 => {
            ColumnData::Float64(each(info, &cells, "a number", |cell| cell.map_or(Some(0.0), Value::as_f64))?)
        }
        ColumnKind::Boolean => ColumnData::Boolean(each(info, &cells, "true or false", |cell| {
            cell.map_or(Some(false), Value::as_bool)
        })?),
        ColumnKind::Text => {
            text(each(info, &cells, "text", |cell| cell.map_or(Some(""), Value::as_str).map(str::to_owned))?)
        }
        ColumnKind::Decimal => decimals(info, &cells)?,
    };
    let validity = cells.contains(&None).then(|| bits(&cells));
    Ok(Column { name: info.name.clone(), data, validity })
}

fn each<T>(
    info: &ColumnInfo,
    cells: &[Option<&Value>],
    what: &str,
    read: impl Fn(Option<&Value>) -> Option<T>,
) -> Result<Vec<T>, String> {
    let values = cells.iter().enumerate().map(|(row, cell)| {
        read(*cell).ok_or_else(|| {
            format!("row {row}: `{}` is {}, which is not {what}", info.name, cell.unwrap_or(&Value::Null))
        })
    });
    values.collect()
}

fn bits(cells: &[Option<&Value>]) -> Vec<u8> {
    let mut bits = vec![0_u8; cells.len().div_ceil(8)];
    for (row, _) in cells.iter().enumerate().filter(|(_, cell)| cell.is_some()) {
        bits[row / 8] |= 1 << (row % 8);
    }
    bits
}

pub fn text(values: Vec<String>) -> ColumnData {
    ColumnData::Text(dictionary(values.iter().map(String::as_str)))
}

/// Equal text has one entry, in the order in which it came.
pub fn dictionary<'a>(values: impl Iterator<Item = &'a str>) -> Text {
    let mut text = Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() };
    let mut known = std::collections::HashMap::new();
    for value in values {
        let code = *known.entry(value).or_insert_with(|| {
            text.bytes.extend_from_slice(value.as_bytes());
            text.ends.push(text.bytes.len() as u32);
            text.ends.len() as u32 - 1
        });
        text.codes.push(code);
    }
    text
}

fn decimals(info: &ColumnInfo, cells: &[Option<&Value>]) -> Result<ColumnData, String> {
    let scale = info.scale.unwrap_or(8);
    if scale > MAX_SCALE {
        return Err(format!("`{}`: scale {scale}; {MAX_SCALE} is the largest", info.name));
    }
    let what = format!("a decimal of {scale} places");
    let mantissas = each(info, cells, &what, |cell| match cell {
        None => Some(0),
        Some(Value::String(text)) => mantissa(text, scale),
        Some(Value::Number(number)) => mantissa(&number.to_string(), scale),
        Some(_) => None,
    })?;
    let narrow = mantissas.iter().all(|mantissa| i64::try_from(*mantissa).is_ok());
    Ok(ColumnData::Decimal(Decimals {
        scale,
        values: mantissas.iter().map(|mantissa| *mantissa as i64).collect(),
        high: (!narrow).then(|| mantissas.iter().map(|mantissa| (*mantissa >> 64) as i64).collect()),
    }))
}

/// The mantissa of a number; none where it has more places, or more digits than are kept.
fn mantissa(text: &str, scale: u8) -> Option<i128> {
    let scaled = Number::read(text.as_bytes())?.at_scale(scale).ok()?;
    (!scaled.rounded).then_some(scaled.mantissa)
}

/// What a table's columns are, and its rows.
pub fn to_rows(table: &Table) -> Result<(Vec<ColumnInfo>, Vec<Row>), String> {
    let mut rows = vec![Row::new(); table.rows as usize];
    for column in &table.columns {
        for (row, object) in rows.iter_mut().enumerate() {
            object
                .insert(column.name.clone(), cell(column, row).ok_or("a column is shorter than its table")?);
        }
    }
    Ok((table.columns.iter().map(ColumnInfo::of).collect(), rows))
}

/// Whether any of the rows has a value in it.
pub fn has_values(column: &Column, rows: usize) -> bool {
    let Some(bits) = &column.validity else { return rows > 0 };
    (0..rows).any(|row| bits.get(row / 8).is_some_and(|byte| byte & (1 << (row % 8)) != 0))
}

fn cell(column: &Column, row: usize) -> Option<Value> {
    if let Some(bits) = &column.validity
        && bits.get(row / 8)? & (1 << (row % 8)) == 0
    {
        return Some(Value::Null);
    }
    Some(match &column.data {
        ColumnData::Int64(values) => (*values.get(row)?).into(),
        ColumnData::TimestampUs(values) => time::to_json(*values.get(row)?),
        ColumnData::Float64(values) => (*values.get(row)?).into(),
        ColumnData::Boolean(values) => (*values.get(row)?).into(),
        ColumnData::Text(text) => entry(text, row)?.into(),
        ColumnData::Decimal(decimals) => {
            let low = *decimals.values.get(row)?;
            let mantissa = match &decimals.high {
                Some(high) => i128::from(*high.get(row)?) << 64 | i128::from(low as u64),
                None => i128::from(low),
            };
            decimal::text(mantissa, decimals.scale).into()
        }
    })
}

/// The text of a row of dictionary text.
pub fn entry(text: &Text, row: usize) -> Option<&str> {
    let code = *text.codes.get(row)? as usize;
    let start = match code {
        0 => 0,
        _ => *text.ends.get(code - 1)? as usize,
    };
    std::str::from_utf8(text.bytes.get(start..*text.ends.get(code)? as usize)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn info(name: &str, kind: ColumnKind, scale: Option<u8>) -> ColumnInfo {
        ColumnInfo { name: name.into(), kind, scale }
    }

    fn columns() -> Vec<ColumnInfo> {
        vec![
            info("symbol", ColumnKind::Text, None),
            info("at", ColumnKind::TimestampUs, None),
            info("price", ColumnKind::Decimal, Some(8)),
            info("id", ColumnKind::Int64, None),
            info("ratio", ColumnKind::Float64, None),
            info("maker", ColumnKind::Boolean, None),
        ]
    }

    fn rows(value: Value) -> Vec<Row> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn rows_come_back_as_they_went_with_nulls_negatives_and_more_than_64_bits() {
        let rows = rows(json!([
            {"symbol": "A", "at": "2024-01-01T00:00:00Z", "price": "-0.00000001", "id": 9_007_199_254_740_993_i64,
             "ratio": 0.1, "maker": true},
            {"symbol": "B", "at": "2024-01-01T00:00:01Z", "price": "123456789012345678901.50000000", "id": -1,
             "ratio": -2.5, "maker": false},
            {"symbol": "A", "at": null, "price": null, "id": null, "ratio": null, "maker": null},
        ]));
        let table = from_rows(&columns(), &rows, &[]).unwrap();
        assert_eq!(to_rows(&table).unwrap(), (columns(), rows));
    }

    #[test]
    fn a_column_has_values_unless_every_row_of_it_is_null() {
        let column = |bits: Option<Vec<u8>>| Column {
            name: "id".to_owned(),
            data: ColumnData::Int64(vec![0; 9]),
            validity: bits,
        };
        assert!(has_values(&column(None), 9));
        assert!(has_values(&column(Some(vec![0, 1])), 9));
        // Bits behind the last row mean nothing.
        assert!(!has_values(&column(Some(vec![0, 2])), 9));
        assert!(!has_values(&column(Some(vec![0, 0])), 9) && !has_values(&column(None), 0));
    }

    #[test]
    fn a_cell_that_does_not_fit_its_column_is_named_with_its_row() {
        for (row, part) in [
            (
                json!({"price": "1.000000001"}),
                "`price` is \"1.000000001\", which is not a decimal of 8 places",
            ),
            (json!({"price": "1e-9"}), "not a decimal"),
            (json!({"price": 1e40}), "not a decimal"),
            (json!({"price": "1,5"}), "not a decimal"),
            (json!({"price": ""}), "not a decimal"),
            (json!({"price": "9".repeat(40)}), "not a decimal"),
            (json!({"id": 1.5}), "not a whole number"),
            (json!({"at": "yesterday"}), "not a time"),
            (json!({"maker": 1}), "not true or false"),
            (json!({"prize": 1}), "`prize` is none of `columns`"),
        ] {
            let error = from_rows(&columns(), &rows(json!([row])), &[]).unwrap_err();
            assert!(error.starts_with("row 0: ") && error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_decimal_may_be_written_as_any_number_is() {
        for (price, shown) in
            [(json!("1e5"), "100000.00000000"), (json!(1e-7), "0.00000010"), (json!(2), "2.00000000")]
        {
            let table = from_rows(&columns(), &rows(json!([{"price": price}])), &[]).unwrap();
            assert_eq!(to_rows(&table).unwrap().1[0]["price"], shown);
        }
    }
}
