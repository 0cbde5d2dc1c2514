//! Lines of files as batches of records.

use tallow_engine::ParseOptions;
use tallow_files::Lines;
use tallow_record::{Batch, ByteColumn, Run};

/// The options of one file: its first line says what its columns are.
pub fn under(options: &ParseOptions, first_line: &str) -> ParseOptions {
    let mut options = options.clone();
    options.settings.push(("first-line".to_owned(), first_line.to_owned()));
    options
}

/// Lines as records: the file is their topic, their line number their offset.
pub fn batch(file: &str, lines: Lines, first_line: i64, clock_us: i64) -> Batch {
    let count = lines.ends.len();
    Batch {
        topics: vec![file.into()],
        runs: vec![Run { topic: 0, partition: 0, records: count as u32, clock_us }],
        offsets: (first_line..first_line + count as i64).collect(),
        timestamps_us: vec![-1; count],
        keys: ByteColumn { bytes: Vec::new(), ends: vec![0; count], nulls: (0..count as u32).collect() },
        values: ByteColumn { bytes: lines.bytes, ends: lines.ends, nulls: Vec::new() },
        headers: Default::default(),
    }
}
