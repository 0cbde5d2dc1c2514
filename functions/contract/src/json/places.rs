//! Rows with the place where each came from, as a window function takes them.

use crate::json::ColumnInfo;
use crate::json::rows::{Row, from_rows};
use crate::window::Rows;
use crate::{Refusal, Run, Text};

/// Keys that a row may have besides its columns. `record` is allowed because parsed rows have it; it is ignored.
pub const PLACE: [&str; 5] = ["kind", "record", "topic", "partition", "offset"];

/// Rows of these columns, each with its `kind`, and with `topic`, `partition` and `offset` if its place matters.
/// Consecutive rows of one place come from one record. A row without an offset has `first_offset` plus its index.
///
/// # Errors
/// Names the row by its index, and what is wrong with it.
pub fn rows_with_places(columns: &[ColumnInfo], rows: &[Row], first_offset: i64) -> Result<Rows, Refusal> {
    let mut out = Rows { table: from_rows(columns, rows, &PLACE)?, ..Rows::default() };
    let mut kinds = Vec::with_capacity(rows.len());
    let mut previous = None;
    for (index, row) in rows.iter().enumerate() {
        let place = Place::of(row, first_offset.saturating_add(index as i64))
            .map_err(|why| format!("row {index}: {why}"))?;
        kinds.push(place.kind);
        if previous != Some((place.topic, place.partition, place.offset)) {
            place.begin(&mut out);
        }
        out.records.push(out.offsets.len() as u32 - 1);
        previous = Some((place.topic, place.partition, place.offset));
    }
    out.kinds = Text::from_iter(kinds);
    Ok(out)
}

struct Place<'a> {
    kind: &'a str,
    topic: &'a str,
    partition: i32,
    offset: i64,
}

impl<'a> Place<'a> {
    fn of(row: &'a Row, offset: i64) -> Result<Self, Refusal> {
        let text = |key: &str| row.get(key).and_then(|value| value.as_str());
        let whole = |key: &str, otherwise: i64| match row.get(key) {
            None => Ok(otherwise),
            Some(value) => value.as_i64().ok_or_else(|| format!("`{key}` is {value}, not a whole number")),
        };
        Ok(Self {
            kind: text("kind").ok_or("`kind` is missing, such as \"trade\"")?,
            topic: text("topic").unwrap_or_default(),
            partition: i32::try_from(whole("partition", 0)?).map_err(|_| "`partition` is out of range")?,
            offset: whole("offset", offset)?,
        })
    }

    /// Begins the record at this place.
    fn begin(&self, out: &mut Rows) {
        let topic = out.topics.iter().position(|known| known == self.topic).unwrap_or_else(|| {
            out.topics.push(self.topic.to_owned());
            out.topics.len() - 1
        }) as u32;
        match out.runs.last_mut() {
            Some(run) if (run.topic, run.partition) == (topic, self.partition) => run.records += 1,
            _ => out.runs.push(Run { topic, partition: self.partition, records: 1 }),
        }
        out.offsets.push(self.offset);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(rows: Value) -> Result<Rows, Refusal> {
        rows_with_places(&[], &serde_json::from_value::<Vec<Row>>(rows).unwrap(), 10)
    }

    #[test]
    fn rows_of_one_place_are_one_records_and_partitions_are_runs() {
        let row = |partition: i32, offset: i64| json!({"kind": "k", "topic": "t", "partition": partition, "offset": offset});
        let read = read(json!([row(0, 5), row(0, 5), row(0, 6), row(1, 7)])).unwrap();
        assert_eq!((&read.records[..], &read.offsets[..]), (&[0, 0, 1, 2][..], &[5, 6, 7][..]));
        let runs: Vec<_> = read.runs.iter().map(|run| (run.topic, run.partition, run.records)).collect();
        assert_eq!(runs, [(0, 0, 2), (0, 1, 1)]);
    }

    #[test]
    fn rows_without_a_place_follow_each_other() {
        let read = read(json!([{"kind": "k"}, {"kind": "k", "record": 7}])).unwrap();
        assert_eq!((&read.records[..], &read.offsets[..]), (&[0, 1][..], &[10, 11][..]));
        assert_eq!(read.topics, [""]);
    }

    #[test]
    fn a_place_that_is_none_is_named_with_its_row() {
        for (row, wrong) in [
            (json!({}), "row 0: `kind` is missing"),
            (json!({"kind": "k", "offset": "1"}), "row 0: `offset` is \"1\", not a whole number"),
            (json!({"kind": "k", "partition": 1_i64 << 40}), "row 0: `partition` is out of range"),
        ] {
            let error = read(json!([row])).unwrap_err().to_string();
            assert!(error.starts_with(wrong), "{error}");
        }
    }
}
