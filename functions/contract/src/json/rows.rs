//! Rows as JSON objects to a table, and back.

use serde_json::{Map, Value};

use super::{ColumnInfo, time};
use crate::decimal::MAX_SCALE;
use crate::number::Number;
use crate::{Column, ColumnData, ColumnType, Decimals, Refusal, Table, Text, refuse, validity};

/// Places of a decimal column without a scale.
const SCALE: u8 = 8;

/// The values of one row, by column.
pub type Row = Map<String, Value>;

/// How times are written. Both ways are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// RFC 3339 in UTC.
    Text,
    /// Microseconds since 1970-01-01 UTC.
    Micros,
}

/// A table of these columns. A row may leave some out. Other keys than the columns and `also` are refused.
///
/// # Errors
/// Names the row by its index, and the column whose type its value does not fit.
pub fn from_rows(columns: &[ColumnInfo], rows: &[Row], also: &[&str]) -> Result<Table, Refusal> {
    for (index, row) in rows.iter().enumerate() {
        let known = |key: &String| columns.iter().any(|it| it.name == *key) || also.contains(&key.as_str());
        if let Some(key) = row.keys().find(|key| !known(key)) {
            refuse!("row {index}: `{key}` is none of `columns`");
        }
    }
    let columns = columns.iter().map(|info| column(info, rows)).collect::<Result<_, _>>()?;
    Ok(Table { rows: rows.len() as u32, columns })
}

/// The rows of a table.
///
/// # Errors
/// A column is shorter than the table, or a text is not UTF-8.
pub fn to_rows(table: &Table, times: Times) -> Result<Vec<Row>, Refusal> {
    (0..table.rows as usize).map(|at| row(table, at, times)).collect()
}

/// One row of a table.
///
/// # Errors
/// As [`to_rows`].
pub fn row(table: &Table, row: usize, times: Times) -> Result<Row, Refusal> {
    let cells = table.columns.iter().map(|column| {
        let cell = cell(column, row, times);
        let cell = cell.ok_or_else(|| format!("column `{}` has no value for row {row}", column.name))?;
        Ok((column.name.clone(), cell))
    });
    cells.collect()
}

/// Whether any of the rows has a value in it.
pub fn has_values(column: &Column, rows: usize) -> bool {
    let Some(bits) = &column.validity else { return rows > 0 };
    (0..rows).any(|row| bits.get(row / 8).is_some_and(|byte| byte & (1 << (row % 8)) != 0))
}

/// A value of a column; `None` if the column is too short for the row, or its text is not UTF-8.
pub fn cell(column: &Column, row: usize, times: Times) -> Option<Value> {
    if let Some(bits) = &column.validity
        && bits.get(row / 8)? & (1 << (row % 8)) == 0
    {
        return Some(Value::Null);
    }
    Some(match &column.data {
        ColumnData::TimestampUs(values) if times == Times::Text => time::to_json(*values.get(row)?),
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => (*values.get(row)?).into(),
        ColumnData::Float64(values) => (*values.get(row)?).into(),
        ColumnData::Boolean(values) => (*values.get(row)?).into(),
        ColumnData::Text(text) => text.get(row)?.into(),
        ColumnData::Decimal(decimals) => {
            let halves = decimals.high.as_ref().map_or(decimals.len(), |high| high.len().min(decimals.len()));
            (row < halves).then(|| decimals.text(row))?.into()
        }
    })
}

fn column(info: &ColumnInfo, rows: &[Row]) -> Result<Column, Refusal> {
    let cells: Vec<Option<&Value>> =
        rows.iter().map(|row| row.get(&info.name).filter(|value| !value.is_null())).collect();
    let data = match info.column_type {
        ColumnType::Int64 => ColumnData::Int64(each(info, &cells, "a whole number", Value::as_i64)?),
        ColumnType::TimestampUs => {
            ColumnData::TimestampUs(each(info, &cells, "a time", |cell| match cell {
                Value::String(text) => time::from_text(text),
                value => value.as_i64(),
            })?)
        }
        ColumnType::Float64 => ColumnData::Float64(each(info, &cells, "a number", Value::as_f64)?),
        ColumnType::Boolean => ColumnData::Boolean(each(info, &cells, "true or false", Value::as_bool)?),
        ColumnType::Text => ColumnData::Text(Text::from_iter(each(info, &cells, "text", Value::as_str)?)),
        ColumnType::Decimal => ColumnData::Decimal(decimals(info, &cells)?),
    };
    Ok(Column { name: info.name.clone(), data, validity: validity(&cells) })
}

/// The values of a column; a default for a null row.
fn each<'a, T: Default>(
    info: &ColumnInfo,
    cells: &[Option<&'a Value>],
    what: &str,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Result<Vec<T>, Refusal> {
    let values = cells.iter().enumerate().map(|(row, cell)| {
        let Some(cell) = cell else { return Ok(T::default()) };
        read(cell).ok_or_else(|| format!("row {row}: `{}` is {cell}, which is not {what}", info.name).into())
    });
    values.collect()
}

fn decimals(info: &ColumnInfo, cells: &[Option<&Value>]) -> Result<Decimals, Refusal> {
    let scale = info.scale.unwrap_or(SCALE);
    if scale > MAX_SCALE {
        refuse!("`{}`: scale {scale}; {MAX_SCALE} is the largest", info.name);
    }
    let what = format!("a decimal of {scale} places");
    let mantissas = each(info, cells, &what, |cell| match cell {
        Value::String(text) => mantissa(text, scale),
        Value::Number(number) => mantissa(&number.to_string(), scale),
        _ => None,
    })?;
    Ok(Decimals::of(scale, mantissas.into_iter()))
}

/// The mantissa of a number; `None` if it has more places or more digits than are kept.
fn mantissa(text: &str, scale: u8) -> Option<i128> {
    let scaled = Number::read(text.as_bytes())?.at_scale(scale).ok()?;
    (!scaled.rounded).then_some(scaled.mantissa)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn info(name: &str, column_type: ColumnType, scale: Option<u8>) -> ColumnInfo {
        ColumnInfo { name: name.into(), column_type, scale }
    }

    fn columns() -> Vec<ColumnInfo> {
        vec![
            info("symbol", ColumnType::Text, None),
            info("at", ColumnType::TimestampUs, None),
            info("price", ColumnType::Decimal, Some(8)),
            info("id", ColumnType::Int64, None),
            info("ratio", ColumnType::Float64, None),
            info("maker", ColumnType::Boolean, None),
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
        assert_eq!(to_rows(&table, Times::Text).unwrap(), rows);
        assert_eq!(table.columns.iter().map(ColumnInfo::of).collect::<Vec<_>>(), columns());
        assert_eq!(row(&table, 1, Times::Micros).unwrap()["at"], 1_704_067_201_000_000_i64);
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
            let error = from_rows(&columns(), &rows(json!([row])), &[]).unwrap_err().to_string();
            assert!(error.starts_with("row 0: ") && error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_decimal_may_be_written_as_any_number_is() {
        for (price, shown) in
            [(json!("1e5"), "100000.00000000"), (json!(1e-7), "0.00000010"), (json!(2), "2.00000000")]
        {
            let table = from_rows(&columns(), &rows(json!([{"price": price}])), &[]).unwrap();
            assert_eq!(row(&table, 0, Times::Text).unwrap()["price"], shown);
        }
    }
}
