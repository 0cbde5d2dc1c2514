//! A sample: a file as records.

use std::io::Read;
use std::path::Path;

use clap::ValueEnum;
use tallow_record::Batch;

use crate::cli::Failure;

/// Records in one call, as in a pipeline.
const BATCH_RECORDS: usize = 4096;

/// What is a record of the sample.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Records {
    /// The whole file
    File,
    /// Each line
    Line,
}

impl Records {
    /// A `.json` file is one message, however many lines it has; all else has a message a line.
    pub fn of(path: &Path) -> Self {
        let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if json { Self::File } else { Self::Line }
    }
}

/// Reads a file, or standard input for `-`.
pub fn read(path: &Path, records: Records, key: Option<&str>) -> Result<Vec<Batch>, Failure> {
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().read_to_end(&mut bytes),
        _ => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::file(path, error))?;
    let values: Vec<&[u8]> = match records {
        Records::File => vec![bytes.trim_ascii()],
        Records::Line => bytes
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.is_empty())
            .collect(),
    };
    let mut offset = 0;
    let batches = values.chunks(BATCH_RECORDS).map(|values| {
        let mut batch = Batch::default();
        let topic = batch.topic_index(&"sample".into());
        for value in values {
            batch.push(topic, 0, offset, -1, 0, key.map(str::as_bytes), Some(value));
            offset += 1;
        }
        batch
    });
    Ok(batches.collect())
}
