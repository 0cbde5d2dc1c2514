//! Rows made for the purpose, in phases with a watermark after each: some late, some twice, some null, some of a kind
//! that no window takes, some exactly at a window's edge.

use serde_json::{Map, Value, json};
use tallow_engine::golden::{GoldenError, rows_of_json};
use tallow_engine::{ColumnData, ColumnType, Rows, Shape};
use tallow_env::{Random, SeededRandom};

use super::case::Case;

const SEED: u64 = 0x7a11_0e5e_ed00_0002;
const PHASES: i64 = 3;
const ROWS: usize = 160;
/// 2024-01-01 00:00 UTC.
const START_US: i64 = 1_704_067_200_000_000;
/// Stands for a NaN of an odd bit pattern, which JSON does not have.
const ODD_NAN: f64 = -12_345.5;
const KEYS: [&str; 4] = ["SYNA", "SYNB", "S\u{dc}N C/3", "x"];

/// Rows, and the watermark after them.
pub struct Phase {
    pub rows: Vec<Value>,
    pub watermark_us: i64,
}

/// The same case gives the same rows.
pub fn phases(case: &Case) -> Vec<Phase> {
    let random = SeededRandom::new(SEED);
    let span_us = sizes_us(case).max().unwrap_or(1000);
    let near_us = sizes_us(case).min().unwrap_or(1000);
    let kinds: Vec<&String> = case.specs.iter().flat_map(|spec| &spec.kinds).collect();
    // Ids are told apart by key: where there is none, rows of all names are one series.
    let one_series = case.specs.iter().any(|spec| spec.ids.is_some() && spec.keys.is_empty());
    let mut made = Maker { case, random: &random, near_us, offset: 0, one_series, ids: [1; KEYS.len()] };
    let phase = |phase: i64| {
        let from_us = START_US + phase * 4 * span_us;
        // The second watermark lies at no window's edge.
        let watermark_us = from_us + 3 * span_us + span_us / 2 + phase % 2;
        let mut rows: Vec<Value> = Vec::with_capacity(ROWS);
        for _ in 0..ROWS {
            let twice = rows.last().filter(|_| random.below(12) == 0).cloned();
            rows.push(match twice {
                Some(row) => made.again(row),
                None => made.row(Times { from_us, span_us, watermark_us }, &kinds),
            });
        }
        Phase { rows, watermark_us }
    };
    (0..PHASES).map(phase).collect()
}

/// Rows of a case as its windows take them.
pub fn rows(case: &Case, values: &[Value]) -> Result<Rows, GoldenError> {
    let columns = case.columns.iter().map(
        |(name, (column_type, scale))| json!({ "name": name, "type": column_type.name(), "scale": scale }),
    );
    let mut rows = rows_of_json(&Value::Array(columns.collect()), values)?;
    for column in &mut rows.table.columns {
        if let ColumnData::Float64(values) = &mut column.data {
            let odd = values.iter_mut().filter(|value| **value == ODD_NAN);
            odd.for_each(|value| *value = f64::from_bits(0xfff8_0000_0000_0001));
        }
    }
    Ok(rows)
}

/// The rows in another order.
pub fn shuffled(values: &[Value]) -> Vec<Value> {
    let random = SeededRandom::new(SEED + 1);
    let mut values = values.to_vec();
    for index in (1..values.len()).rev() {
        values.swap(index, random.below(index as u64 + 1) as usize);
    }
    values
}

/// Sizes of a case's windows, within what event times may span.
fn sizes_us(case: &Case) -> impl Iterator<Item = i64> {
    let sizes = case.specs.iter().map(|spec| match spec.shape {
        Shape::Tumbling(size_us) | Shape::Session(size_us) => size_us,
        Shape::Sliding(sliding) => sliding.slide_us.max(sliding.size_us),
    });
    sizes.map(|size_us| size_us.clamp(1000, 1 << 50) as i64)
}

/// When the rows of a phase are: four of the largest window's size.
#[derive(Clone, Copy)]
struct Times {
    from_us: i64,
    span_us: i64,
    watermark_us: i64,
}

struct Maker<'a> {
    case: &'a Case,
    random: &'a dyn Random,
    /// The smallest window's size: rows that close to the watermark show which windows it closes.
    near_us: i64,
    offset: i64,
    one_series: bool,
    ids: [i64; KEYS.len()],
}

impl Maker<'_> {
    fn row(&mut self, times: Times, kinds: &[&String]) -> Value {
        let Times { from_us, span_us, watermark_us } = times;
        let key = self.random.below(KEYS.len() as u64) as usize;
        let hole = i64::from(self.random.below(20) == 0);
        let series = self.series(key);
        self.ids[series] += 1 + hole;
        let time_us = match self.random.below(10) {
            0 => from_us + self.random.below(4) as i64 * span_us,
            1 => from_us - span_us / 2,
            2 | 3 => watermark_us + self.random.below(2 * self.near_us as u64) as i64 - self.near_us,
            _ => from_us + self.random.below(4 * span_us as u64) as i64,
        };
        let mut row = Map::new();
        for (name, (column_type, scale)) in &self.case.columns {
            row.insert(name.clone(), self.value(name, *column_type, *scale, key, time_us));
        }
        let other = self.random.below(16) == 0;
        let kind = kinds.get(self.random.below(kinds.len() as u64) as usize);
        row.insert(
            "kind".to_owned(),
            json!(if other { "a kind that no window takes" } else { kind.map_or("", |it| it) }),
        );
        self.again(Value::Object(row))
    }

    fn series(&self, key: usize) -> usize {
        if self.one_series { 0 } else { key }
    }

    /// The row as another record has it.
    fn again(&mut self, mut row: Value) -> Value {
        self.offset += 1;
        row["topic"] = json!("vet");
        row["partition"] = json!(self.offset % 3);
        row["offset"] = json!(self.offset);
        row
    }

    fn value(&self, name: &str, column_type: ColumnType, scale: u8, key: usize, time_us: i64) -> Value {
        let specs = &self.case.specs;
        let one_in = |n| self.random.below(n) == 0;
        if specs.iter().any(|spec| spec.time == name) {
            return if one_in(50) { Value::Null } else { json!(time_us) };
        }
        if specs.iter().any(|spec| spec.keys.first().is_some_and(|first| first == name)) {
            return if one_in(50) { Value::Null } else { json!(KEYS[key]) };
        }
        if specs.iter().filter_map(|spec| spec.ids.as_ref()).any(|ids| ids.first == name || ids.last == name)
        {
            return json!(self.ids[self.series(key)]);
        }
        if one_in(8) {
            return Value::Null;
        }
        match column_type {
            ColumnType::Int64 => json!(self.random.next_u64() as i64 >> 20),
            ColumnType::TimestampUs => json!(time_us),
            ColumnType::Decimal => json!(self.decimal(scale)),
            ColumnType::Float64 if one_in(6) => json!(ODD_NAN),
            ColumnType::Float64 => json!((self.random.unit() - 0.5) * 1e6),
            ColumnType::Boolean => json!(one_in(2)),
            ColumnType::Text => json!(KEYS[self.random.below(KEYS.len() as u64) as usize]),
        }
    }

    /// A decimal with all of its places, now and then as large as 64 bits hold.
    fn decimal(&self, scale: u8) -> String {
        let mantissa = match self.random.below(40) {
            0 => i64::MAX,
            1 => i64::MIN + 1,
            _ => self.random.next_u64() as i64 >> 24,
        };
        let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = usize::from(scale) + 1);
        let (whole, places) = digits.split_at(digits.len() - usize::from(scale));
        let (sign, point) = (if mantissa < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" });
        format!("{sign}{whole}{point}{places}")
    }
}
