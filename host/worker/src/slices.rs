//! What parsing makes of a batch: slices of records that were parsed together, and records that were set aside.

use tallow_engine::{ColumnData, Parsed, Rows, is_valid};
use tallow_epoch::future::is_future;
use tallow_record::{Batch, TopicPartition};
use tallow_sink::DeadLetter;

/// Records of a batch that were parsed together.
#[derive(Debug)]
pub struct ParsedSlice {
    pub batch: Batch,
    pub parsed: Parsed,
    /// Per run of the batch: the largest event time of its rows.
    pub event_times: Vec<EventTimes>,
}

#[derive(Debug)]
pub struct EventTimes {
    pub partition: TopicPartition,
    /// Largest event time of the run's rows, µs; none without rows.
    pub max_us: Option<i64>,
}

/// Records of a partition as they were fetched, before anything was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedRange {
    pub partition: TopicPartition,
    /// Offset of the first record.
    pub first: i64,
    /// Offset after the last record.
    pub next: i64,
    pub records: u64,
    pub clock_us: i64,
}

/// A batch's result. The records of `slices` and `aside` together are those of `taken`, each once.
#[derive(Default)]
pub struct ParsedBatch {
    pub taken: Vec<FetchedRange>,
    pub slices: Vec<ParsedSlice>,
    pub aside: Vec<DeadLetter>,
    /// The batch as it came, where records are to be kept.
    pub archive: Option<Batch>,
}

#[derive(Debug, thiserror::Error)]
#[error("it makes no timestamp column `{0}`")]
pub struct NoTimeColumn(String);

/// The largest event time of each run, and the records (ascending) with one that is more than `max_future_us`
/// ahead of their clock.
pub fn event_times(
    batch: &Batch,
    rows: &Rows,
    time: &str,
    max_future_us: i64,
) -> Result<(Vec<EventTimes>, Vec<usize>), NoTimeColumn> {
    let column = rows.table.columns.iter().find(|column| column.name == time);
    let (values, validity) = match column.map(|column| (&column.data, column.validity.as_deref())) {
        Some((ColumnData::TimestampUs(values), validity)) => (values.as_slice(), validity),
        _ if rows.table.rows == 0 => (&[][..], None),
        _ => return Err(NoTimeColumn(time.to_owned())),
    };
    let valid = |row: &usize| is_valid(validity, *row);
    let mut future = Vec::new();
    let mut times = Vec::with_capacity(batch.runs.len());
    let mut row = 0;
    for (first, run) in batch.runs_from() {
        let ahead_of_clock = |time_us: i64| is_future(time_us, run.clock_us, max_future_us);
        let after = (first + run.records as usize) as u32;
        let end = row + rows.records[row..].partition_point(|record| *record < after);
        let max_us = match validity {
            None => values[row..end].iter().copied().max(),
            Some(_) => (row..end).filter(valid).map(|row| values[row]).max(),
        };
        if max_us.is_some_and(ahead_of_clock) {
            let ahead = (row..end).filter(valid).filter(|row| ahead_of_clock(values[*row]));
            future.extend(ahead.map(|row| rows.records[row] as usize));
            future.dedup();
        }
        times.push(EventTimes { partition: batch.partition_of(run), max_us });
        row = end;
    }
    Ok((times, future))
}

/// A batch's records by run, before anything is set aside.
pub fn fetched_ranges(batch: &Batch) -> Vec<FetchedRange> {
    let runs = batch.runs_from().map(|(first, run)| FetchedRange {
        partition: batch.partition_of(run),
        first: batch.offsets[first],
        next: batch.offsets[first + run.records as usize - 1] + 1,
        records: u64::from(run.records),
        clock_us: run.clock_us,
    });
    runs.collect()
}
