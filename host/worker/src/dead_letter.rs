//! Dead letters and late rows, made from a batch with the record's untouched bytes.

use tallow_engine::CallError;
use tallow_record::Batch;
use tallow_sink::{DeadLetter, LateRow, ReasonKind};

pub fn dead_letter(batch: &Batch, record: usize, kind: ReasonKind, reason: String) -> DeadLetter {
    DeadLetter {
        place: batch.place(record),
        timestamp_us: batch.timestamps_us[record],
        key: batch.keys.get(record).map(<[u8]>::to_vec),
        value: batch.values.get(record).map(<[u8]>::to_vec),
        headers: headers(batch, record),
        kind,
        reason,
        window: None,
        row: None,
    }
}

pub fn late_row(
    batch: &Batch,
    record: usize,
    row: u32,
    window: &str,
    event_time_us: i64,
    watermark_us: i64,
) -> LateRow {
    LateRow {
        place: batch.place(record),
        row,
        timestamp_us: batch.timestamps_us[record],
        event_time_us,
        watermark_us,
        window: window.to_owned(),
        key: batch.keys.get(record).map(<[u8]>::to_vec),
        value: batch.values.get(record).map(<[u8]>::to_vec),
    }
}

fn headers(batch: &Batch, record: usize) -> Vec<(String, Option<Vec<u8>>)> {
    let of_record = |header: &usize| batch.headers.records[*header] as usize == record;
    (0..batch.headers.records.len())
        .filter(of_record)
        .map(|header| {
            (batch.headers.names[header].clone(), batch.headers.values.get(header).map(<[u8]>::to_vec))
        })
        .collect()
}

/// A record that a function cannot work on.
pub fn of_failure(batch: &Batch, record: usize, error: &CallError) -> DeadLetter {
    let kind = match error {
        CallError::Deadline { .. } => ReasonKind::Deadline,
        _ => ReasonKind::Trap,
    };
    dead_letter(batch, record, kind, error.to_string())
}
