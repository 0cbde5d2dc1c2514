//! Answers as bytes, to be compared: exactly as they came, or by what they mean.

use tallow_engine::{Column, ColumnData, Marked, Output, Parsed, Report, Table, Text, bit};

/// The one bit pattern that NaN has, as the engine makes it.
const NAN: u64 = 0x7ff8_0000_0000_0000;

/// A parsed batch exactly as it came.
pub fn parsed(parsed: &Parsed) -> Vec<u8> {
    let mut out = Vec::new();
    table(&parsed.rows.table, &mut out);
    text(&parsed.rows.kinds, &mut out);
    numbers(&parsed.rows.records, &mut out);
    marked(&parsed.ignored, &mut out);
    marked(&parsed.rejected, &mut out);
    out.extend(parsed.rounded.to_le_bytes());
    out
}

/// Windows exactly as they came.
pub fn outputs(outputs: &[Output]) -> Vec<u8> {
    let mut out = Vec::new();
    for output in outputs {
        out.extend(output.spec.to_le_bytes());
        out.extend(output.assignments.to_le_bytes());
        table(&output.table, &mut out);
    }
    out
}

pub fn reports(reports: &[Report]) -> Vec<u8> {
    let mut out = Vec::new();
    for report in reports {
        let counts = [
            report.taken,
            report.assignments,
            report.accepted,
            report.untracked,
            report.late,
            report.duplicate,
            report.conflict,
        ];
        counts.iter().for_each(|count| out.extend(count.to_le_bytes()));
        for rows in [&report.invalid, &report.late_rows, &report.conflict_rows] {
            numbers(rows, &mut out);
        }
    }
    out
}

/// What a row says, whatever its dictionary's codes are.
pub fn row(table: &Table, row: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for column in &table.columns {
        bytes(column.name.as_bytes(), &mut out);
        cell(column, row, &mut out);
    }
    out
}

/// The rows of windows, by what they say.
pub fn rows(outputs: &[Output]) -> Vec<(u32, Vec<u8>)> {
    let rows = outputs
        .iter()
        .flat_map(|output| (0..output.table.rows as usize).map(|at| (output.spec, row(&output.table, at))));
    rows.collect()
}

/// A dictionary entry's bytes; empty where the code has none.
pub fn entry(text: &Text, code: u32) -> &[u8] {
    let code = code as usize;
    let from = if code == 0 { 0 } else { text.ends.get(code - 1).map_or(0, |end| *end as usize) };
    let to = text.ends.get(code).map_or(from, |end| *end as usize);
    text.bytes.get(from..to).unwrap_or_default()
}

/// Whether a row of a column has a value.
pub fn is_valid(column: &Column, row: usize) -> bool {
    column.validity.as_ref().is_none_or(|bits| bit(bits, row))
}

/// The first value of a table that is a NaN of another bit pattern than the one that replays go by: its column and
/// row.
pub fn odd_nan(table: &Table) -> Option<(&str, usize)> {
    table.columns.iter().find_map(|column| match &column.data {
        ColumnData::Float64(values) => {
            let odd = values.iter().position(|value| value.is_nan() && value.to_bits() != NAN)?;
            Some((column.name.as_str(), odd))
        }
        _ => None,
    })
}

fn table(table: &Table, out: &mut Vec<u8>) {
    out.extend(table.rows.to_le_bytes());
    for column in &table.columns {
        bytes(column.name.as_bytes(), out);
        match &column.data {
            ColumnData::Int64(values) | ColumnData::TimestampUs(values) => longs(values, out),
            ColumnData::Decimal(decimals) => {
                out.push(decimals.scale);
                longs(&decimals.values, out);
                decimals.high.iter().for_each(|high| longs(high, out));
            }
            ColumnData::Float64(values) => {
                values.iter().for_each(|value| out.extend(value.to_bits().to_le_bytes()));
            }
            ColumnData::Boolean(values) => out.extend(values.iter().map(|value| u8::from(*value))),
            ColumnData::Text(it) => text(it, out),
        }
        column.validity.iter().for_each(|bits| bytes(bits, out));
    }
}

fn cell(column: &Column, row: usize, out: &mut Vec<u8>) {
    if !is_valid(column, row) {
        out.push(0);
        return;
    }
    out.push(1);
    match &column.data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => {
            out.extend(values[row].to_le_bytes());
        }
        ColumnData::Decimal(decimals) => {
            let low = decimals.values[row];
            let high = decimals.high.as_ref().map_or(low >> 63, |high| high[row]);
            out.push(decimals.scale);
            out.extend(low.to_le_bytes());
            out.extend(high.to_le_bytes());
        }
        ColumnData::Float64(values) => out.extend(values[row].to_bits().to_le_bytes()),
        ColumnData::Boolean(values) => out.push(u8::from(values[row])),
        ColumnData::Text(text) => bytes(entry(text, text.codes[row]), out),
    }
}

fn text(text: &Text, out: &mut Vec<u8>) {
    bytes(&text.bytes, out);
    numbers(&text.ends, out);
    numbers(&text.codes, out);
}

fn marked(marked: &Marked, out: &mut Vec<u8>) {
    for (record, reason) in marked.iter() {
        out.extend((record as u64).to_le_bytes());
        bytes(reason.as_bytes(), out);
    }
    out.extend((marked.len() as u64).to_le_bytes());
}

fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn numbers(numbers: &[u32], out: &mut Vec<u8>) {
    out.extend((numbers.len() as u64).to_le_bytes());
    numbers.iter().for_each(|number| out.extend(number.to_le_bytes()));
}

fn longs(numbers: &[i64], out: &mut Vec<u8>) {
    out.extend((numbers.len() as u64).to_le_bytes());
    numbers.iter().for_each(|number| out.extend(number.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use tallow_engine::Decimals;

    use super::*;

    fn one(data: ColumnData, validity: Option<Vec<u8>>) -> Table {
        Table { rows: 1, columns: vec![Column { name: "c".into(), data, validity }] }
    }

    fn dictionary(bytes: &[u8], ends: &[u32], code: u32) -> ColumnData {
        ColumnData::Text(Text { bytes: bytes.into(), ends: ends.into(), codes: vec![code] })
    }

    fn exactly(it: &Table) -> Vec<u8> {
        let mut out = Vec::new();
        table(it, &mut out);
        out
    }

    #[test]
    fn a_row_says_the_same_under_other_codes_and_does_not_come_the_same() {
        let (left, right) =
            (one(dictionary(b"ab", &[1, 2], 1), None), one(dictionary(b"ba", &[1, 2], 0), None));
        assert_eq!(row(&left, 0), row(&right, 0));
        assert_ne!(exactly(&left), exactly(&right));
    }

    #[test]
    fn a_decimal_says_the_same_with_and_without_its_high_half() {
        let decimal = |high| one(ColumnData::Decimal(Decimals { scale: 2, values: vec![-5], high }), None);
        assert_eq!(row(&decimal(None), 0), row(&decimal(Some(vec![-1])), 0));
        assert_ne!(row(&decimal(None), 0), row(&decimal(Some(vec![0])), 0));
    }

    #[test]
    fn null_is_not_zero_and_zero_is_not_minus_zero() {
        let float = |value, validity| row(&one(ColumnData::Float64(vec![value]), validity), 0);
        assert_ne!(float(0.0, None), float(0.0, Some(vec![0])));
        assert_ne!(float(0.0, None), float(-0.0, None));
        assert_eq!(float(1.0, Some(vec![0])), float(2.0, Some(vec![0])));
    }

    #[test]
    fn a_nan_of_another_pattern_is_found_whether_its_row_is_null_or_not() {
        let odd = f64::from_bits(NAN | 1);
        assert_eq!(odd_nan(&one(ColumnData::Float64(vec![f64::from_bits(NAN)]), None)), None);
        assert_eq!(odd_nan(&one(ColumnData::Float64(vec![odd]), None)), Some(("c", 0)));
        assert_eq!(odd_nan(&one(ColumnData::Float64(vec![odd]), Some(vec![0]))), Some(("c", 0)));
    }
}
