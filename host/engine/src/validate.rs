//! What the types of the contract cannot say: equal lengths, indices in range, every record accounted for.
//! A function's answer is not used before it has passed.

use std::collections::BTreeSet;

use crate::bindings::merge_contract::Merged;
use crate::bindings::parse_contract::{Marked, Parsed};
use crate::bindings::types::{ByteColumn, Column, ColumnData, Table, Text};

/// Checks a parse function's answer to a batch of `records` records.
pub(crate) fn parsed(parsed: &Parsed, records: usize) -> Result<(), String> {
    table(&parsed.rows)?;
    let rows = parsed.rows.rows as usize;
    same("records", parsed.records.len(), rows)?;
    same("kinds", parsed.kinds.codes.len(), rows)?;
    text("kinds", &parsed.kinds, None)?;
    marked("ignored", &parsed.ignored)?;
    marked("rejected", &parsed.rejected)?;
    every_record_once(parsed, records)
}

/// Merges the three ascending lists: each record must come up in exactly one of them (rows may repeat theirs).
fn every_record_once(parsed: &Parsed, records: usize) -> Result<(), String> {
    let (rows, ignored, rejected) = (&parsed.records, &parsed.ignored.records, &parsed.rejected.records);
    // A clean stream of trades is a row a record; without a way out of the loop this is one vector pass.
    let in_place = rows.iter().zip(0..).fold(true, |all, (row, record)| all & (*row == record));
    if in_place && rows.len() == records && ignored.is_empty() && rejected.is_empty() {
        return Ok(());
    }
    let (mut row, mut ign, mut rej) = (0, 0, 0);
    for record in 0..records as u32 {
        let first_row = row;
        while rows.get(row) == Some(&record) {
            row += 1;
        }
        let mut homes = usize::from(row > first_row);
        if ignored.get(ign) == Some(&record) {
            ign += 1;
            homes += 1;
        }
        if rejected.get(rej) == Some(&record) {
            rej += 1;
            homes += 1;
        }
        if homes != 1 {
            return Err(format!("record {record} of {records} is in {homes} of rows, ignored and rejected"));
        }
    }
    if (row, ign, rej) != (rows.len(), ignored.len(), rejected.len()) {
        return Err("record indices are out of order or beyond the batch".into());
    }
    Ok(())
}

fn marked(name: &str, marked: &Marked) -> Result<(), String> {
    same(name, marked.reasons.codes.len(), marked.records.len())?;
    text(name, &marked.reasons, None)
}

/// Checks a merge function's answer: windows by time, each once, and gaps that are ranges.
pub(crate) fn merged(merged: &Merged) -> Result<(), String> {
    table(&merged.table)?;
    let start = merged.table.columns.iter().find(|column| column.name == "window_start");
    match start.map(|column| (&column.data, &column.validity)) {
        Some((ColumnData::TimestampUs(starts), None)) if starts.is_sorted_by(|one, next| one < next) => {}
        None if merged.table.rows == 0 => {}
        _ => return Err("`window_start` does not name each window once, by time".to_owned()),
    }
    match merged.gaps.iter().find(|gap| gap.span.from_us >= gap.span.to_us) {
        None => Ok(()),
        Some(gap) => Err(format!("a gap goes from {} µs to {} µs", gap.span.from_us, gap.span.to_us)),
    }
}

/// Checks a table that a function gave back.
pub(crate) fn table(table: &Table) -> Result<(), String> {
    let mut names = BTreeSet::new();
    if let Some(twice) = table.columns.iter().find(|column| !names.insert(&column.name)) {
        return Err(format!("column `{}` is there twice", twice.name));
    }
    table.columns.iter().try_for_each(|it| column(it, table.rows as usize))
}

fn column(column: &Column, rows: usize) -> Result<(), String> {
    let name = &column.name;
    let len = match &column.data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => values.len(),
        ColumnData::Decimal(decimals) => {
            if decimals.scale > 38 {
                return Err(format!("column `{name}` has a scale of {}", decimals.scale));
            }
            if let Some(high) = &decimals.high {
                same(name, high.len(), rows)?;
            }
            decimals.values.len()
        }
        ColumnData::Float64(values) => values.len(),
        ColumnData::Boolean(values) => values.len(),
        ColumnData::Text(it) => {
            text(name, it, column.validity.as_deref())?;
            it.codes.len()
        }
    };
    same(name, len, rows)?;
    match &column.validity {
        Some(bits) if bits.len() < rows.div_ceil(8) => {
            Err(format!("column `{name}` has {} bytes of validity for {rows} rows", bits.len()))
        }
        _ => Ok(()),
    }
}

fn text(name: &str, text: &Text, validity: Option<&[u8]>) -> Result<(), String> {
    if !text.ends.is_sorted() || text.ends.last().map_or(0, |end| *end as usize) != text.bytes.len() {
        return Err(format!("the dictionary of `{name}` does not end where its bytes do"));
    }
    let utf8 = std::str::from_utf8(&text.bytes).ok();
    if !utf8.is_some_and(|utf8| text.ends.iter().all(|end| utf8.is_char_boundary(*end as usize))) {
        return Err(format!("the dictionary of `{name}` is not UTF-8"));
    }
    let entries = text.ends.len();
    if text.codes.iter().max().is_none_or(|code| (*code as usize) < entries) {
        return Ok(());
    }
    let valid = |row: usize| validity.is_none_or(|bits| bit(bits, row));
    match text.codes.iter().enumerate().find(|(row, code)| **code as usize >= entries && valid(*row)) {
        Some((row, code)) => Err(format!("`{name}` row {row} has code {code} of {entries}")),
        None => Ok(()),
    }
}

/// Checks a column of byte strings without nulls.
pub(crate) fn byte_column(name: &str, column: &ByteColumn) -> Result<(), String> {
    if !column.ends.is_sorted() || column.ends.last().map_or(0, |end| *end as usize) != column.bytes.len() {
        return Err(format!("`{name}` do not end where their bytes do"));
    }
    if column.nulls.is_empty() { Ok(()) } else { Err(format!("some of `{name}` are null")) }
}

/// The host puts the manifest's host before a path: nothing may lead to another one.
pub(crate) fn path(path: &str) -> Result<(), String> {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\'));
    if path.starts_with('/') && !path.starts_with("//") && plain {
        return Ok(());
    }
    Err(format!("a request for `{}`, which is no path", path.escape_default()))
}

/// Whether a row has a value, by a validity that nothing has been checked of.
pub(crate) fn bit(bits: &[u8], row: usize) -> bool {
    bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

fn same(name: &str, found: usize, wanted: usize) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("`{name}` has {found} entries for {wanted}")) }
}

/// A dictionary's entries.
pub(crate) fn texts(text: &Text) -> Result<Vec<String>, String> {
    let mut from = 0;
    text.ends
        .iter()
        .map(|end| {
            let entry = text.bytes.get(from..*end as usize).ok_or("a dictionary entry is out of range")?;
            from = *end as usize;
            String::from_utf8(entry.to_vec()).map_err(|_| "a dictionary entry is not UTF-8".to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::types::Decimals;

    fn dictionary(bytes: &[u8], ends: &[u32], codes: &[u32]) -> Text {
        Text { bytes: bytes.into(), ends: ends.into(), codes: codes.into() }
    }

    fn one_column(rows: u32, data: ColumnData, validity: Option<Vec<u8>>) -> Result<(), String> {
        table(&Table { rows, columns: vec![Column { name: "c".into(), data, validity }] })
    }

    fn marks(records: &[u32]) -> Marked {
        let codes = vec![0; records.len()];
        Marked { records: records.into(), reasons: dictionary(b"why", &[3], &codes) }
    }

    fn answer(rows: &[u32], ignored: &[u32], rejected: &[u32]) -> Parsed {
        Parsed {
            rows: Table { rows: rows.len() as u32, columns: Vec::new() },
            records: rows.into(),
            kinds: dictionary(b"trade", &[5], &vec![0; rows.len()]),
            ignored: marks(ignored),
            rejected: marks(rejected),
            rounded: 0,
        }
    }

    #[test]
    fn dictionaries_end_where_their_bytes_do_and_hold_utf8() {
        for (bytes, ends, codes) in [
            (&b""[..], &[][..], &[][..]),
            (b"ab", &[2], &[0]),
            (b"ab", &[0, 1, 1, 2], &[3, 0, 1]),
            ("\u{20ac}x".as_bytes(), &[3, 4], &[1]),
        ] {
            assert_eq!(text("t", &dictionary(bytes, ends, codes), None), Ok(()), "{bytes:?} {ends:?}");
        }
        for (bytes, ends, codes, wrong) in [
            (&b"ab"[..], &[][..], &[][..], "does not end"),
            (b"ab", &[1], &[], "does not end"),
            (b"ab", &[3], &[], "does not end"),
            (b"ab", &[2, 1, 2], &[], "does not end"),
            (b"\xff", &[1], &[], "not UTF-8"),
            ("\u{20ac}x".as_bytes(), &[2, 4], &[], "not UTF-8"),
            (b"", &[], &[0], "has code 0 of 0"),
            (b"ab", &[1, 2], &[1, 2], "row 1 has code 2 of 2"),
            (b"ab", &[1, 2], &[u32::MAX], "has code 4294967295 of 2"),
        ] {
            let error = text("t", &dictionary(bytes, ends, codes), None).unwrap_err();
            assert!(error.contains(wrong), "{bytes:?} {ends:?} {codes:?}: {error}");
        }
    }

    #[test]
    fn a_null_row_may_have_any_code() {
        let data = || ColumnData::Text(dictionary(b"a", &[1], &[0, 99]));
        assert_eq!(one_column(2, data(), Some(vec![0b01])), Ok(()));
        assert!(one_column(2, data(), Some(vec![0b11])).unwrap_err().contains("code 99"));
        assert_eq!(one_column(1, ColumnData::Text(dictionary(b"", &[], &[7])), Some(vec![0])), Ok(()));
    }

    #[test]
    fn validity_has_a_bit_a_row() {
        let nine = || ColumnData::Int64(vec![0; 9]);
        assert_eq!(one_column(9, nine(), Some(vec![255, 1])), Ok(()));
        assert!(
            one_column(9, nine(), Some(vec![255])).unwrap_err().contains("1 bytes of validity for 9 rows")
        );
    }

    #[test]
    fn both_halves_of_a_decimal_column_have_its_length_and_its_scale_fits_128_bits() {
        let decimals = |scale, values, high: Option<usize>| {
            let high = high.map(|len| vec![0; len]);
            one_column(2, ColumnData::Decimal(Decimals { scale, values: vec![0; values], high }), None)
        };
        assert_eq!(decimals(38, 2, None), Ok(()));
        assert_eq!(decimals(8, 2, Some(2)), Ok(()));
        assert!(decimals(39, 2, None).is_err());
        assert!(decimals(8, 2, Some(1)).is_err());
        assert!(decimals(8, 3, Some(2)).is_err());
    }

    #[test]
    fn every_record_is_in_one_list_however_they_are_mixed() {
        for (rows, ignored, rejected) in [
            (&[0, 1, 2, 3][..], &[][..], &[][..]),
            (&[0, 0, 3, 3, 3], &[1], &[2]),
            (&[], &[0, 2], &[1, 3]),
            (&[3], &[0, 1, 2], &[]),
        ] {
            assert_eq!(
                parsed(&answer(rows, ignored, rejected), 4),
                Ok(()),
                "{rows:?} {ignored:?} {rejected:?}"
            );
        }
        for (rows, ignored, rejected) in [
            (&[0, 1, 2][..], &[][..], &[][..]),
            (&[0, 1, 2, 4], &[], &[]),
            (&[0, 1, 2, 3, 4], &[], &[]),
            (&[0, 1, 3, 2], &[], &[]),
            (&[0, 1, 2, 3], &[3], &[]),
            (&[0, 1, 2, 3], &[], &[3]),
            (&[0, 1], &[2], &[2, 3]),
            (&[0, 1], &[3, 2], &[]),
            (&[0, 1], &[2, 2], &[3]),
            (&[0, 1, 2, 3, 0], &[], &[]),
            (&[0, 1, 2, 3], &[u32::MAX], &[]),
        ] {
            assert!(
                parsed(&answer(rows, ignored, rejected), 4).is_err(),
                "{rows:?} {ignored:?} {rejected:?}"
            );
        }
    }

    #[test]
    fn a_merged_table_has_each_window_once_by_time_and_gaps_that_are_ranges() {
        use crate::bindings::merge_contract::{Gap, Lack, Range};
        let starts = |starts: &[i64], validity: Option<Vec<u8>>| {
            let data = ColumnData::TimestampUs(starts.to_vec());
            let column = Column { name: "window_start".into(), data, validity };
            Table { rows: starts.len() as u32, columns: vec![column] }
        };
        let checked = |table: Table, spans: &[(i64, i64)]| {
            let gap = |&(from_us, to_us): &(i64, i64)| Gap {
                lack: Lack::Missing,
                span: Range { from_us, to_us },
                windows: 1,
            };
            merged(&Merged { table, gaps: spans.iter().map(gap).collect() })
        };
        assert_eq!(checked(starts(&[-1, 0, 5], None), &[(0, 1)]), Ok(()));
        assert_eq!(checked(Table { rows: 0, columns: Vec::new() }, &[]), Ok(()));
        for twice_or_back in [&[0, 0][..], &[1, 0]] {
            assert!(checked(starts(twice_or_back, None), &[]).unwrap_err().contains("each window once"));
        }
        assert!(checked(starts(&[0, 1], Some(vec![0b01])), &[]).is_err(), "a window without a start");
        assert!(checked(Table { rows: 1, columns: Vec::new() }, &[]).is_err());
        assert!(checked(starts(&[0], None), &[(5, 5)]).unwrap_err().contains("from 5 µs to 5 µs"));
    }
}
