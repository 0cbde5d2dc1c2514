//! `[trigger.kafka.epoch]` and `[trigger.kafka.limits]`.

use std::time::Duration;

use crate::forms::{ANY_SIZE, Form, GIB, Integer, KIB, MIB, POSITIVE_DURATION, Size};
use crate::table::table;

table! {
    /// When an epoch ends: whichever comes first.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Epoch in "[trigger.kafka.epoch]",
        "What lies between two commits. An epoch ends at whichever comes first.";
    fn read(reader, report);

    "Time from one commit to the next. Not used while a run drains its topics (`--available-now`), so that its epochs are the \
     same on every machine."
    pub interval: Duration = key("interval", POSITIVE_DURATION, default("\"1s\""));

    "Records in an epoch."
    pub max_records: u64 = key("max-records", Integer(1, i64::MAX), default("1000000"));

    "Bytes of records in an epoch."
    pub max_bytes: u64 = key("max-bytes", Size(KIB, ANY_SIZE), default("\"64MiB\""));
}

table! {
    /// What one instance of a function may take, and what the host may hold.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Limits in "[trigger.kafka.limits]",
        "What one instance of a function may take, and what the host may hold.";
    fn read_keys(reader, report);

    "Memory of one instance."
    pub memory_bytes: u64 = key("memory", Size(MIB, 4 * GIB), default("\"512MiB\""));

    "Time that one call may take."
    pub deadline: Duration = key("deadline", POSITIVE_DURATION, default("\"2s\""));

    "Bytes that one call may return."
    pub output_bytes: u64 = key("output", Size(KIB, 4 * GIB), default("\"64MiB\""));

    "Records in one call of parse."
    pub batch_records: usize = key("batch-records", Integer(1, 1_000_000), default("4096"));

    "Bytes of records in one call of parse."
    pub batch_bytes: u64 = key("batch-bytes", Size(KIB, GIB), default("\"512KiB\""));

    "Calls that an epoch may spend on finding the records that make a function fail."
    pub bisect_calls: u32 = key("bisect-calls", Integer(0, 1_000_000), default("1000"));

    "Bytes that may wait between fetching and the windows. An epoch ends early if its late rows and dead letters take this \
     much."
    pub queue_bytes: u64 = key("queue", Size(KIB, ANY_SIZE), default("\"64MiB\""));
}

pub(crate) const LIMITS: Form<Limits> = Form::new(
    "a table",
    || Limits::declaration().schema(),
    |node, report| {
        let limits = Limits::read_keys(node, report)?;
        for (holds, bytes) in [("queue", limits.queue_bytes), ("memory", limits.memory_bytes)] {
            if limits.batch_bytes > bytes {
                let problem =
                    format!("`{holds}` must hold at least one batch: raise it, or lower `batch-bytes`");
                report.at(node, problem);
            }
        }
        Some(limits)
    },
);
