//! Dead letters and late rows, made from a batch with the record's untouched bytes.

use std::time::Duration;

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

pub fn headers(batch: &Batch, record: usize) -> Vec<(String, Option<Vec<u8>>)> {
    let records = &batch.headers.records;
    let from = records.partition_point(|it| (*it as usize) < record);
    let until = records.partition_point(|it| (*it as usize) <= record);
    let header =
        |at: usize| (batch.headers.names[at].clone(), batch.headers.values.get(at).map(<[u8]>::to_vec));
    (from..until).map(header).collect()
}

/// A record that a function cannot work on. `deadline`: what a call has; a record that is tried alone is given more.
pub fn of_failure(batch: &Batch, record: usize, error: &CallError, deadline: Duration) -> DeadLetter {
    let (kind, reason) = match error {
        CallError::Deadline { deadline_ms } => (ReasonKind::Deadline, too_slow(deadline, *deadline_ms)),
        _ => (ReasonKind::Trap, error.to_string()),
    };
    dead_letter(batch, record, kind, reason)
}

fn too_slow(deadline: Duration, given_ms: u64) -> String {
    let deadline_ms = deadline.as_millis();
    match u128::from(given_ms) > deadline_ms {
        true => format!("missed its deadline of {deadline_ms} ms: alone, it took more than {given_ms} ms"),
        false => format!("missed its deadline of {deadline_ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_too_slow_names_the_deadline_and_the_time_it_was_given() {
        let deadline = Duration::from_secs(2);
        assert_eq!(
            too_slow(deadline, 4000),
            "missed its deadline of 2000 ms: alone, it took more than 4000 ms"
        );
        assert_eq!(too_slow(deadline, 2000), "missed its deadline of 2000 ms");
    }
}
