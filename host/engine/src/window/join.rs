//! Pieces of an answer, put together.

use crate::bindings::types::{Column, ColumnData, Decimals, Table, Text};
use crate::validate::{self, bit};
use crate::{Output, Part};

/// Adds pieces to what came before: a table a spec.
///
/// # Errors
/// The pieces of a spec differ in their columns, or are no tables.
pub(super) fn add(outputs: &mut Vec<Output>, pieces: Vec<Output>) -> Result<(), String> {
    for piece in pieces {
        match outputs.iter_mut().find(|output| output.spec == piece.spec) {
            None => outputs.push(piece),
            Some(output) => {
                validate::table(&piece.table)?;
                output.assignments = output.assignments.saturating_add(piece.assignments);
                append(&mut output.table, piece.table)?;
            }
        }
    }
    Ok(())
}

/// Adds the bytes of parts to those that came before.
pub(super) fn add_parts(parts: &mut Vec<Part>, pieces: Vec<Part>) {
    for piece in pieces {
        match parts.last_mut().filter(|last| (last.spec, last.group) == (piece.spec, piece.group)) {
            Some(last) => last.bytes.extend_from_slice(&piece.bytes),
            None => parts.push(piece),
        }
    }
}

/// What a table takes, about.
pub(super) fn bytes(table: &Table) -> u64 {
    let column = |column: &Column| {
        let data = match &column.data {
            ColumnData::Int64(values) | ColumnData::TimestampUs(values) => 8 * values.len(),
            ColumnData::Decimal(decimals) => {
                8 * (decimals.values.len() + decimals.high.as_ref().map_or(0, Vec::len))
            }
            ColumnData::Float64(values) => 8 * values.len(),
            ColumnData::Boolean(values) => values.len(),
            ColumnData::Text(text) => text.bytes.len() + 4 * (text.ends.len() + text.codes.len()),
        };
        (data + column.name.len()) as u64
    };
    table.columns.iter().map(column).sum()
}

fn append(table: &mut Table, more: Table) -> Result<(), String> {
    let (before, rows) = (table.rows as usize, more.rows as usize);
    if table.columns.len() != more.columns.len() {
        return Err("pieces of an output differ in how many columns they have".to_owned());
    }
    for (column, more) in table.columns.iter_mut().zip(more.columns) {
        if column.name != more.name {
            return Err(format!("pieces of an output have columns `{}` and `{}`", column.name, more.name));
        }
        if column.validity.is_some() || more.validity.is_some() {
            let left = column.validity.take();
            column.validity = Some(bits(left.as_deref(), before, more.validity.as_deref(), rows));
        }
        append_data(&mut column.data, more.data)
            .map_err(|why| format!("pieces of column `{}` {why}", column.name))?;
    }
    let total = table.rows.checked_add(more.rows);
    table.rows = total.ok_or_else(|| "an output has more rows than 32 bits count".to_owned())?;
    Ok(())
}

fn append_data(data: &mut ColumnData, more: ColumnData) -> Result<(), String> {
    match (data, more) {
        (ColumnData::Int64(values), ColumnData::Int64(more))
        | (ColumnData::TimestampUs(values), ColumnData::TimestampUs(more)) => values.extend(more),
        (ColumnData::Float64(values), ColumnData::Float64(more)) => values.extend(more),
        (ColumnData::Boolean(values), ColumnData::Boolean(more)) => values.extend(more),
        (ColumnData::Decimal(decimals), ColumnData::Decimal(more)) if decimals.scale == more.scale => {
            append_decimals(decimals, more);
        }
        (ColumnData::Text(text), ColumnData::Text(more)) => append_text(text, more)?,
        _ => return Err("have different types".to_owned()),
    }
    Ok(())
}

fn append_decimals(decimals: &mut Decimals, more: Decimals) {
    let signs = |values: &[i64]| values.iter().map(|value| value >> 63).collect::<Vec<i64>>();
    if decimals.high.is_some() || more.high.is_some() {
        let mut high = decimals.high.take().unwrap_or_else(|| signs(&decimals.values));
        high.extend(more.high.unwrap_or_else(|| signs(&more.values)));
        decimals.high = Some(high);
    }
    decimals.values.extend(more.values);
}

fn append_text(text: &mut Text, more: Text) -> Result<(), String> {
    let (entries, bytes) = (text.ends.len() as u32, text.bytes.len() as u64);
    if bytes + more.bytes.len() as u64 > u64::from(u32::MAX) {
        return Err("have more text than 32 bits count".to_owned());
    }
    text.bytes.extend(more.bytes);
    text.ends.extend(more.ends.into_iter().map(|end| end + bytes as u32));
    text.codes.extend(more.codes.into_iter().map(|code| code.saturating_add(entries)));
    Ok(())
}

/// Validity of rows that follow each other.
fn bits(first: Option<&[u8]>, rows: usize, second: Option<&[u8]>, more: usize) -> Vec<u8> {
    let mut joined = vec![0; (rows + more).div_ceil(8)];
    let valid = |bits: Option<&[u8]>, row| bits.is_none_or(|bits| bit(bits, row));
    let all = (0..rows).map(|row| valid(first, row)).chain((0..more).map(|row| valid(second, row)));
    for (row, valid) in all.enumerate() {
        joined[row / 8] |= u8::from(valid) << (row % 8);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(entries: &[&str], codes: &[u32]) -> ColumnData {
        let mut text = Text { bytes: Vec::new(), ends: Vec::new(), codes: codes.to_vec() };
        for entry in entries {
            text.bytes.extend_from_slice(entry.as_bytes());
            text.ends.push(text.bytes.len() as u32);
        }
        ColumnData::Text(text)
    }

    fn output(spec: u32, rows: u32, columns: Vec<(ColumnData, Option<Vec<u8>>)>) -> Output {
        let named = |(index, (data, validity))| Column { name: format!("c{index}"), data, validity };
        let columns = columns.into_iter().enumerate().map(named).collect();
        Output { spec, table: Table { rows, columns }, assignments: u64::from(rows) }
    }

    fn decimals(values: &[i64], high: Option<&[i64]>) -> ColumnData {
        ColumnData::Decimal(Decimals { scale: 2, values: values.to_vec(), high: high.map(<[i64]>::to_vec) })
    }

    #[test]
    fn pieces_make_the_rows_that_they_hold_one_after_the_other() {
        let first = output(
            1,
            3,
            vec![(text(&["a", "b"], &[1, 0, 1]), None), (decimals(&[1, -1, 2], None), Some(vec![0b101]))],
        );
        let other = output(0, 1, vec![(ColumnData::Int64(vec![7]), None)]);
        let second =
            output(1, 2, vec![(text(&["c"], &[0, 0]), None), (decimals(&[0, 3], Some(&[1, 0])), None)]);
        let mut joined = Vec::new();
        add(&mut joined, vec![first]).unwrap();
        add(&mut joined, vec![other, second]).unwrap();
        assert_eq!(joined.iter().map(|it| (it.spec, it.assignments)).collect::<Vec<_>>(), [(1, 5), (0, 1)]);
        let shown = crate::golden::json_rows(&joined[0].table);
        let expected = serde_json::json!([
            {"c0": "b", "c1": "0.01"}, {"c0": "a", "c1": null}, {"c0": "b", "c1": "0.02"},
            {"c0": "c", "c1": "184467440737095516.16"}, {"c0": "c", "c1": "0.03"},
        ]);
        assert_eq!(serde_json::Value::Array(shown), expected);
        assert_eq!(validate::table(&joined[0].table), Ok(()));
    }

    #[test]
    fn pieces_that_differ_in_their_columns_are_refused_by_name() {
        let whole = |data| output(0, 1, vec![(data, None)]);
        let mut joined = vec![whole(ColumnData::Int64(vec![1]))];
        let error = add(&mut joined, vec![whole(ColumnData::Float64(vec![1.0]))]).unwrap_err();
        assert_eq!(error, "pieces of column `c0` have different types");
    }

    #[test]
    fn the_bytes_of_a_part_are_joined_across_pieces() {
        let part = |spec, group, bytes: &[u8]| Part { spec, group, bytes: bytes.to_vec() };
        let mut parts = vec![part(0, 3, b"ab")];
        add_parts(&mut parts, vec![part(0, 3, b"c"), part(1, 3, b"d")]);
        let joined: Vec<_> = parts.iter().map(|it| (it.spec, it.group, &it.bytes[..])).collect();
        assert_eq!(joined, [(0, 3, &b"abc"[..]), (1, 3, &b"d"[..])]);
    }
}
