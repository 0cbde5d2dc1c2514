//! What two functions give for the same records: candles field by field, and what became of each record. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tallow_engine::{Output, Parsed, Spec, golden};
use tallow_record::Batch;

/// Differences kept of a comparison; the rest is counted.
const SHOWN: usize = 10;

/// Where two functions say different things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The window, or what else it is about (`records`).
    pub of: String,
    /// Key and start of the candle, or the record's place.
    pub at: String,
    /// Empty where the whole candle is on one side only.
    pub field: String,
    pub running: String,
    pub candidate: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Things compared: candles and records.
    pub compared: u64,
    /// The first of them that differ.
    pub differences: Vec<Difference>,
    pub differing: u64,
}

impl Comparison {
    pub fn same(&self) -> bool {
        self.differing == 0
    }

    pub fn differ(&mut self, difference: Difference) {
        self.differing += 1;
        if self.differences.len() < SHOWN {
            self.differences.push(difference);
        }
    }

    pub fn absorb(&mut self, other: Comparison) {
        self.compared += other.compared;
        let shown = other.differences.len() as u64;
        other.differences.into_iter().for_each(|difference| self.differ(difference));
        self.differing += other.differing - shown;
    }

    /// Compares what two functions gave for one advance of the watermark, or for closing all windows.
    pub fn outputs(&mut self, specs: &[Spec], running: &[Output], candidate: &[Output]) {
        for (index, spec) in specs.iter().enumerate() {
            let mut left = candles(spec, index, running);
            let right = candles(spec, index, candidate);
            for (at, candidate) in right {
                let running = left.remove(&at);
                self.candle(spec, &at, running.as_ref(), Some(&candidate));
            }
            for (at, running) in left {
                self.candle(spec, &at, Some(&running), None);
            }
        }
    }

    /// Compares what became of each record: rows, ignored or rejected with a reason.
    pub fn records(&mut self, batch: &Batch, running: &Parsed, candidate: &Parsed) {
        let (left, right) = (fates(batch, running), fates(batch, candidate));
        self.compared += left.len() as u64;
        for (record, (running, candidate)) in left.into_iter().zip(right).enumerate() {
            if running != candidate {
                let at = batch.place(record).to_string();
                let (of, field) = ("records".to_owned(), String::new());
                self.differ(Difference { of, at, field, running, candidate });
            }
        }
    }

    fn candle(
        &mut self,
        spec: &Spec,
        at: &str,
        running: Option<&Map<String, Value>>,
        candidate: Option<&Map<String, Value>>,
    ) {
        self.compared += 1;
        let difference = |field: &str, running: String, candidate: String| Difference {
            of: format!("window {}", spec.name),
            at: at.to_owned(),
            field: field.to_owned(),
            running,
            candidate,
        };
        let (Some(running), Some(candidate)) = (running, candidate) else {
            let side = |there: bool| if there { "a candle" } else { "none" }.to_owned();
            return self.differ(difference("", side(running.is_some()), side(candidate.is_some())));
        };
        let value = |row: &Map<String, Value>, field: &str| row.get(field).cloned();
        let fields = running.keys().chain(candidate.keys().filter(|field| !running.contains_key(*field)));
        let first = fields
            .map(|field| (field, value(running, field), value(candidate, field)))
            .find(|(_, left, right)| left != right);
        if let Some((field, left, right)) = first {
            self.differ(difference(field, shown(left), shown(right)));
        }
    }
}

fn fates(batch: &Batch, parsed: &Parsed) -> Vec<String> {
    let mut fates = vec!["rows".to_owned(); batch.len()];
    for (marked, what) in [(&parsed.ignored, "ignored"), (&parsed.rejected, "rejected")] {
        for (record, reason) in marked.iter() {
            fates[record] = format!("{what}: {reason}");
        }
    }
    fates
}

fn shown(value: Option<Value>) -> String {
    value.map_or("no such column".to_owned(), |value| value.to_string())
}

/// A spec's candles by their key and start.
fn candles(spec: &Spec, index: usize, outputs: &[Output]) -> BTreeMap<String, Map<String, Value>> {
    let tables = outputs.iter().filter(|output| output.spec as usize == index).map(|output| &output.table);
    let rows = tables.flat_map(golden::json_rows).filter_map(|row| match row {
        Value::Object(row) => Some((place(spec, &row), row)),
        _ => None,
    });
    rows.collect()
}

fn place(spec: &Spec, row: &Map<String, Value>) -> String {
    let text = |column: &str| match row.get(column) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "?".to_owned(),
    };
    let start =
        match row.get("window_start").and_then(Value::as_i64).map(chrono::DateTime::from_timestamp_micros) {
            Some(Some(start)) => start.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string(),
            _ => text("window_start"),
        };
    let keys: Vec<String> = spec.keys.iter().map(|key| text(key)).chain([start]).collect();
    keys.join(" ")
}

#[cfg(test)]
mod tests {
    use tallow_engine::{Column, ColumnData, Shape, Table, Text};

    use super::*;

    fn spec() -> Spec {
        Spec {
            name: "1m".into(),
            kinds: vec![],
            keys: vec!["symbol".into()],
            time: "event_time".into(),
            ids: None,
            shape: Shape::Tumbling(60_000_000),
            offset_us: 0,
            aggregates: vec![],
        }
    }

    fn outputs(rows: &[(&str, i64, i64)]) -> Vec<Output> {
        let mut symbols = Text { bytes: vec![], ends: vec![], codes: vec![] };
        for (code, (symbol, ..)) in rows.iter().enumerate() {
            symbols.bytes.extend_from_slice(symbol.as_bytes());
            symbols.ends.push(symbols.bytes.len() as u32);
            symbols.codes.push(code as u32);
        }
        let column = |name: &str, data| Column { name: name.into(), data, validity: None };
        let starts = rows.iter().map(|(_, minute, _)| minute * 60_000_000).collect();
        let closes = rows.iter().map(|(.., close)| *close).collect();
        let table = Table {
            rows: rows.len() as u32,
            columns: vec![
                column("symbol", ColumnData::Text(symbols)),
                column("window_start", ColumnData::TimestampUs(starts)),
                column("close", ColumnData::Int64(closes)),
            ],
        };
        vec![Output { spec: 0, table, assignments: 0 }]
    }

    fn compare(running: &[(&str, i64, i64)], candidate: &[(&str, i64, i64)]) -> Comparison {
        let mut comparison = Comparison::default();
        comparison.outputs(&[spec()], &outputs(running), &outputs(candidate));
        comparison
    }

    #[test]
    fn equal_candles_are_the_same_in_whatever_order_they_come() {
        let comparison = compare(&[("A", 0, 1), ("B", 0, 2)], &[("B", 0, 2), ("A", 0, 1)]);
        assert!(comparison.same());
        assert_eq!(comparison.compared, 2);
    }

    #[test]
    fn the_first_field_that_differs_is_named_with_both_values() {
        let comparison = compare(&[("A", 0, 1), ("A", 1, 5)], &[("A", 0, 1), ("A", 1, 6)]);
        assert_eq!(comparison.differing, 1);
        let difference = &comparison.differences[0];
        assert_eq!((difference.at.as_str(), difference.field.as_str()), ("A 1970-01-01T00:01:00Z", "close"));
        assert_eq!((difference.running.as_str(), difference.candidate.as_str()), ("5", "6"));
    }

    #[test]
    fn a_candle_on_one_side_only_is_a_difference_on_either_side() {
        let more = compare(&[("A", 0, 1)], &[("A", 0, 1), ("B", 0, 1)]);
        assert_eq!(more.differences[0].candidate, "a candle");
        let fewer = compare(&[("A", 0, 1)], &[]);
        assert_eq!((fewer.differing, fewer.differences[0].candidate.as_str()), (1, "none"));
    }

    #[test]
    fn many_differences_are_counted_and_a_few_are_kept() {
        let rows: Vec<(&str, i64, i64)> = (0..50).map(|minute| ("A", minute, 1)).collect();
        let mut sum = compare(&rows, &[]);
        sum.absorb(compare(&rows, &[]));
        assert_eq!((sum.differing, sum.differences.len(), sum.compared), (100, SHOWN, 100));
    }
}
