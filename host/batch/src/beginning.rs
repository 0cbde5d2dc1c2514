//! How each file of a group is read, and how long its rows are.

use std::collections::BTreeMap;
use std::sync::Arc;

use tallow_engine::{ParseOptions, Rows};
use tallow_files::Lines;
use tallow_record::Batch;

use crate::error::BatchError;

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// From its first line on.
    pub options: Arc<ParseOptions>,
    pub interval_us: i64,
    pub remarks: Vec<String>,
}

/// How long the rows of each file are, µs.
#[derive(Clone, Debug, Default)]
pub struct Lengths(BTreeMap<String, i64>);

impl Lengths {
    pub fn put(&mut self, file: &str, interval_us: i64) {
        self.0.insert(file.to_owned(), interval_us);
    }

    /// How long the rows of a batch are, each with the number of the row before which it ends to hold.
    pub fn of(&self, batch: &Batch, rows: &Rows) -> Vec<(usize, i64)> {
        let mut lengths: Vec<(usize, i64)> = Vec::new();
        for (first, run) in batch.runs_from() {
            let until = (first + run.records as usize) as u32;
            let until = rows.records.partition_point(|record| *record < until);
            let topic: &str = &batch.topics[run.topic as usize];
            let interval_us = self.0.get(topic).copied().unwrap_or(1);
            match lengths.last_mut() {
                Some(last) if last.1 == interval_us => last.0 = until,
                _ => lengths.push((until, interval_us)),
            }
        }
        lengths
    }
}

/// Says how files are read.
pub trait Beginnings {
    /// How the file is read whose first lines these are.
    fn of(&mut self, file: &str, lines: &Lines) -> Result<Reading, BatchError>;

    /// How lines are read after some that may be headers, each with lines that follow it.
    fn after(
        &mut self,
        file: &str,
        before: Arc<ParseOptions>,
        lines: Lines,
    ) -> Result<Arc<ParseOptions>, BatchError>;
}
