//! What a function can do wrong all the time: a rule of vetting each.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::adapter::contract::{Parsed, WantedColumn};
use crate::adapter::types::{Column, ColumnData, Text};

/// Calls so far, which nothing may depend on.
static CALLS: AtomicI64 = AtomicI64::new(0);

/// Columns to make instead of those that are wanted.
pub fn wanted(habit: &str, mut wanted: Vec<WantedColumn>) -> Vec<WantedColumn> {
    match habit {
        "any-column" => wanted.retain(|it| crate::adapter::COLUMNS.contains(&it.name.as_str())),
        "no-symbol" => wanted.retain(|it| it.name != "symbol"),
        _ => {}
    }
    wanted
}

/// Spoils an answer.
pub fn spoil(habit: &str, parsed: &mut Parsed) {
    let rows = parsed.rows.rows as usize;
    match habit {
        "extra-column" => parsed.rows.columns.push(Column {
            name: "extra".to_owned(),
            data: ColumnData::Boolean(vec![true; rows]),
            validity: None,
        }),
        "wrong-type" => parsed.rows.columns.iter_mut().for_each(|column| {
            if let ColumnData::TimestampUs(times) = &mut column.data {
                column.data = ColumnData::Int64(std::mem::take(times));
            }
        }),
        "wrong-scale" => parsed.rows.columns.iter_mut().for_each(|column| {
            if let ColumnData::Decimal(decimals) = &mut column.data {
                decimals.scale = 7;
            }
        }),
        "odd-nan" => parsed.rows.columns.iter_mut().for_each(|column| {
            if let ColumnData::Float64(values) = &mut column.data {
                values.fill(f64::from_bits(0xfff8_0000_0000_0001));
            }
        }),
        "foreign-kind" => parsed.kinds = words(b"gift", parsed.kinds.codes.len()),
        "no-reason" => parsed.rejected.reasons = words(b"", parsed.rejected.records.len()),
        "tombstones" => {
            // As `ignored` was the only list with null values.
            parsed.rejected.reasons =
                words(b"no value", parsed.rejected.records.len() + parsed.ignored.records.len());
            parsed.rejected.records.append(&mut parsed.ignored.records);
            parsed.rejected.records.sort_unstable();
            parsed.ignored.reasons.codes.clear();
        }
        // As if each row was compared with every other one, and that a thousand times.
        "quadratic" => (0..1000 * rows as u64 * rows as u64).for_each(|step| _ = core::hint::black_box(step)),
        "impure" => add_to_ids(parsed, CALLS.fetch_add(1, Ordering::Relaxed)),
        "neighbours" => add_to_ids(parsed, rows as i64),
        _ => {}
    }
}

fn add_to_ids(parsed: &mut Parsed, number: i64) {
    for column in &mut parsed.rows.columns {
        if let ColumnData::Int64(values) = &mut column.data {
            values.iter_mut().for_each(|value| *value = value.wrapping_add(number));
        }
    }
}

fn words(word: &[u8], rows: usize) -> Text {
    Text { bytes: word.into(), ends: vec![word.len() as u32], codes: vec![0; rows] }
}
