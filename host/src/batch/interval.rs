//! How far apart the rows of a file are.

use tallow_engine::{ColumnData, Rows, bit};

/// Units of fixed length, longest first.
const UNITS: [(char, i64); 5] = [
    ('w', 604_800_000_000),
    ('d', 86_400_000_000),
    ('h', 3_600_000_000),
    ('m', 60_000_000),
    ('s', 1_000_000),
];

/// The column in which a parse function says it.
pub const COLUMN: &str = "interval";

/// What the first row that says anything says.
pub fn named(rows: &Rows) -> Option<String> {
    let column = rows.table.columns.iter().find(|column| column.name == COLUMN)?;
    let ColumnData::Text(text) = &column.data else { return None };
    let row =
        (0..text.codes.len()).find(|row| column.validity.as_deref().is_none_or(|bits| bit(bits, *row)))?;
    let code = text.codes[row] as usize;
    let start = if code == 0 { 0 } else { text.ends[code - 1] as usize };
    let name = std::str::from_utf8(&text.bytes[start..text.ends[code] as usize]).ok()?;
    Some(name.to_owned())
}

/// The most frequent distance from a row to the next of its key, µs; the shorter of two that are as frequent. None
/// where no row follows another by whole seconds.
pub fn most_frequent_us(rows: &Rows, time: &str, key: &str) -> Option<i64> {
    let column = |name: &str| rows.table.columns.iter().find(|column| column.name == name);
    let times = column(time)?;
    let ColumnData::TimestampUs(values) = &times.data else { return None };
    let keys = match column(key).map(|column| &column.data) {
        Some(ColumnData::Text(text)) => text.codes.clone(),
        _ => vec![0; values.len()],
    };
    let is_valid = |row: usize| times.validity.as_deref().is_none_or(|bits| bit(bits, row));
    let mut of_key: Vec<(u32, i64)> =
        (0..values.len()).filter(|row| is_valid(*row)).map(|row| (keys[row], values[row])).collect();
    of_key.sort_unstable();
    let mut distances: Vec<i64> = of_key
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0)
        .map(|pair| pair[1].1 - pair[0].1)
        .filter(|distance| *distance > 0 && distance % 1_000_000 == 0)
        .collect();
    distances.sort_unstable();
    let runs = distances.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| (run.len(), std::cmp::Reverse(run[0]))).map(|run| run[0])
}

/// As kline intervals are written: `1m`, `4h`, `1d`.
pub fn name(interval_us: i64) -> Option<String> {
    let (unit, unit_us) = UNITS.into_iter().find(|(_, unit_us)| interval_us % unit_us == 0)?;
    Some(format!("{}{unit}", interval_us / unit_us))
}

/// The length of an interval that is written so; none for calendar months, which have none.
pub fn length_us(name: &str) -> Option<i64> {
    let (unit, unit_us) = UNITS.into_iter().find(|(unit, _)| name.ends_with(*unit))?;
    name.strip_suffix(unit)?.parse::<i64>().ok()?.checked_mul(unit_us)
}

#[cfg(test)]
mod tests {
    use tallow_engine::{Column, Table, Text};

    use super::*;

    fn rows(rows: &[(u32, i64)]) -> Rows {
        let text = Text {
            bytes: b"AB".to_vec(),
            ends: vec![1, 2],
            codes: rows.iter().map(|(key, _)| *key).collect(),
        };
        let times = rows.iter().map(|(_, seconds)| seconds * 1_000_000).collect();
        let columns = [("symbol", ColumnData::Text(text)), ("event_time", ColumnData::TimestampUs(times))];
        let columns = columns
            .into_iter()
            .map(|(name, data)| Column { name: name.to_owned(), data, validity: None })
            .collect();
        Rows {
            table: Table { rows: rows.len() as u32, columns },
            kinds: Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() },
            records: Vec::new(),
            topics: Vec::new(),
            runs: Vec::new(),
            offsets: Vec::new(),
        }
    }

    fn most_frequent(of: &[(u32, i64)]) -> Option<i64> {
        most_frequent_us(&rows(of), "event_time", "symbol").map(|us| us / 1_000_000)
    }

    #[test]
    fn holes_duplicates_and_other_keys_do_not_count() {
        assert_eq!(
            most_frequent(&[(0, 0), (1, 30), (0, 60), (0, 60), (1, 90), (0, 300), (0, 360)]),
            Some(60)
        );
        assert_eq!(most_frequent(&[(0, 120), (0, 0), (0, 60)]), Some(60));
        assert_eq!(most_frequent(&[(0, 0), (1, 60)]), None);
        assert_eq!(most_frequent(&[(0, 0), (0, 60), (0, 3660)]), Some(60), "the shorter of two alike");
    }

    #[test]
    fn a_name_says_the_length() {
        for name_of in ["1s", "1m", "15m", "4h", "1d", "1w"] {
            assert_eq!(length_us(name_of).and_then(name).as_deref(), Some(name_of));
        }
        assert_eq!(length_us("1M"), None);
        assert_eq!(name(90_000_000).as_deref(), Some("90s"));
    }
}
