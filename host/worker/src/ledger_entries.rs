//! Books a slice's records and rows into the epoch's ledger.

use std::collections::BTreeMap;

use tallow_engine::{ColumnData, IDS_ONLY, Report, Rows, Spec};
use tallow_epoch::Ledger;
use tallow_sink::{DeadLetter, ReasonKind};

use crate::dead_letter::dead_letter;
use crate::error::WorkerError;
use crate::slices::ParsedSlice;

/// What became of the records, per partition. Records with rows are counted from the rows, not derived, so that
/// the ledger's first identity can fail.
pub fn partitions(ledger: &mut Ledger, slice: &ParsedSlice) {
    let (mut ignored, mut rejected) =
        (slice.parsed.ignored.iter().peekable(), slice.parsed.rejected.iter().peekable());
    let records = &slice.parsed.rows.records;
    let mut row = 0;
    for (first, run) in slice.batch.runs_from() {
        let end = first + run.records as usize;
        let counts = ledger.partition(&slice.batch.partition_of(run));
        let mut last = None;
        while let Some(record) = records.get(row).filter(|record| (**record as usize) < end) {
            counts.with_rows += u64::from(last != Some(*record));
            last = Some(*record);
            row += 1;
        }
        while let Some((_, reason)) = ignored.next_if(|(record, _)| *record < end) {
            counts.ignore(reason, 1);
        }
        while rejected.next_if(|(record, _)| *record < end).is_some() {
            counts.rejected += 1;
        }
    }
}

/// What became of the rows, per window definition. How many rows a window takes is counted here from their
/// kinds, so a function that loses some is caught.
pub fn windows(
    ledger: &mut Ledger,
    (function, specs): (&str, &[Spec]),
    rows: &Rows,
    reports: &[Report],
) -> Result<(), WorkerError> {
    let by_kind = count_kinds(rows);
    for (report, spec) in reports.iter().zip(specs) {
        let wanted: u64 = by_kind
            .iter()
            .filter(|(kind, _)| spec.kinds.iter().any(|it| it.as_bytes() == *kind))
            .map(|(_, rows)| rows)
            .sum();
        if report.taken != wanted {
            return Err(WorkerError::Function {
                function: function.to_owned(),
                call: "update",
                why: format!(
                    "window `{}` took {} rows of the {wanted} of its kinds",
                    spec.name, report.taken
                ),
            });
        }
        let counts = ledger.window(&spec.name);
        counts.rows_taken += report.taken;
        counts.invalid += report.invalid.len() as u64;
        counts.assignments += report.assignments;
        counts.late += report.late;
        counts.duplicate += report.duplicate;
        counts.conflict += report.conflict;
        counts.untracked += report.untracked;
    }
    Ok(())
}

fn count_kinds(rows: &Rows) -> Vec<(&[u8], u64)> {
    let mut counts = vec![0u64; rows.kinds.ends.len()];
    for code in &rows.kinds.codes {
        counts[*code as usize] += 1;
    }
    let mut from = 0;
    let names = rows.kinds.ends.iter().map(|end| {
        let name = &rows.kinds.bytes[from..*end as usize];
        from = *end as usize;
        name
    });
    names.zip(counts).collect()
}

/// Rows that windows refuse, with their dead letters: known ids with other content, and rows that lack what a window
/// needs. A row has one letter a reason, which names all windows that refuse it. `judged`: what each window said.
pub fn refused_rows(slice: &ParsedSlice, judged: &[(&str, &Report)]) -> Vec<(u32, DeadLetter)> {
    let mut refused: BTreeMap<(u32, &str), (ReasonKind, Vec<&str>)> = BTreeMap::new();
    for (window, report) in judged {
        let lists = [
            (&report.conflict_rows, ReasonKind::Conflict, "its id was seen before with other content"),
            (&report.invalid, ReasonKind::Invalid, "it lacks an event time, a key or an id"),
        ];
        for (rows, kind, reason) in lists {
            for row in rows {
                refused.entry((*row, reason)).or_insert_with(|| (kind, Vec::new())).1.push(window);
            }
        }
    }
    let letters = refused.into_iter().map(|((row, reason), (kind, windows))| {
        let (record, within) = record_and_row(&slice.parsed.rows, row);
        let mut letter = dead_letter(&slice.batch, record, kind, reason.to_owned());
        (letter.window, letter.row) = (Some(windows.join(", ")), Some(within));
        (row, letter)
    });
    letters.collect()
}

/// Rows of which windows take no more than their ids.
pub fn rows_of_ids(rows: &Rows) -> u64 {
    let of_ids = count_kinds(rows).into_iter().filter(|(kind, _)| kind.ends_with(IDS_ONLY.as_bytes()));
    of_ids.map(|(_, rows)| rows).sum()
}

/// The record that a row came from, and the row's number within it.
pub fn record_and_row(rows: &Rows, row: u32) -> (usize, u32) {
    let record = rows.records[row as usize];
    let first = rows.records.partition_point(|it| *it < record);
    (record as usize, row - first as u32)
}

/// A row's event time, µs; the smallest number where it has none.
pub fn event_time_us(rows: &Rows, time: &str, row: u32) -> i64 {
    let column = rows.table.columns.iter().find(|column| column.name == time);
    match column.map(|column| &column.data) {
        Some(ColumnData::TimestampUs(values)) => values[row as usize],
        _ => i64::MIN,
    }
}
