//! `[trigger.kafka.epoch]` and `[trigger.kafka.limits]`.

use std::time::Duration;

use crate::error::Report;
use crate::node::Node;
use crate::reader::{self, Reader};
use crate::schema;

/// When an epoch ends: whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    pub interval: Duration,
    pub max_records: u64,
    pub max_bytes: u64,
}

/// What one instance of a function may take, and what the host may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory of one instance.
    pub memory_bytes: u64,
    /// Time that one call may take.
    pub deadline: Duration,
    /// What one call may return.
    pub output_bytes: u64,
    /// Records in one call of parse.
    pub batch_records: usize,
    /// Bytes of records in one call of parse.
    pub batch_bytes: u64,
    /// Calls that an epoch may spend on finding the records that make a function fail.
    pub bisect_calls: u32,
    /// Bytes that wait between fetching and the windows.
    pub queue_bytes: u64,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Epoch {
    pub(crate) fn read(pipeline: &Reader<'_>, report: &mut Report) -> Option<Self> {
        let reader = pipeline.inner("epoch", &schema::EPOCH, report)?;
        let interval = reader.required("interval", report, reader::positive_duration);
        let max_records = reader
            .required("max-records", report, |node, report| reader::integer(node, 1..=i64::MAX, report));
        let max_bytes = reader
            .required("max-bytes", report, |node, report| reader::bytes(node, KIB..=1024 * GIB, report));
        Some(Self { interval: interval?, max_records: max_records? as u64, max_bytes: max_bytes? })
    }
}

impl Limits {
    pub(crate) fn read(pipeline: &Reader<'_>, report: &mut Report) -> Option<Self> {
        let reader = pipeline.inner("limits", &schema::LIMITS, report)?;
        let size = |key: &str, from: u64, to: u64, report: &mut Report| {
            reader.required(key, report, |node, report| reader::bytes(node, from..=to, report))
        };
        let number = |key: &str, from: i64, report: &mut Report| {
            reader
                .required(key, report, |node: &Node, report| reader::integer(node, from..=1_000_000, report))
        };
        let memory_bytes = size("memory", MIB, 4 * GIB, report);
        let deadline = reader.required("deadline", report, reader::positive_duration);
        let output_bytes = size("output", KIB, 4 * GIB, report);
        let batch_records = number("batch-records", 1, report);
        let batch_bytes = size("batch-bytes", KIB, GIB, report);
        let bisect_calls = number("bisect-calls", 0, report);
        let queue_bytes = size("queue", KIB, 1024 * GIB, report);
        let limits = Self {
            memory_bytes: memory_bytes?,
            deadline: deadline?,
            output_bytes: output_bytes?,
            batch_records: batch_records? as usize,
            batch_bytes: batch_bytes?,
            bisect_calls: bisect_calls? as u32,
            queue_bytes: queue_bytes?,
        };
        if limits.batch_bytes > limits.queue_bytes {
            report
                .at(reader.node(), "`queue` must hold at least one batch: raise it, or lower `batch-bytes`");
        }
        if limits.batch_bytes > limits.memory_bytes {
            report
                .at(reader.node(), "`memory` must hold at least one batch: raise it, or lower `batch-bytes`");
        }
        Some(limits)
    }
}
