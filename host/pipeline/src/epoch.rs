//! An epoch, while it grows and when it is finished.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow_array::RecordBatch;
use tallow_engine::Part;
use tallow_epoch::{Ledger, Watermarks};
use tallow_log::record;
use tallow_record::{Batch, TopicPartition};
use tallow_sink::{DeadLetter, LateRow, Rekeyed};
use tallow_source::PartitionInfo;

use crate::hooks::Swap;
use tallow_worker::ParsedSlice;

/// What has been taken since the last commit.
#[derive(Default)]
pub(super) struct Epoch {
    /// Kept to be taken again should the window function trap.
    pub slices: Vec<ParsedSlice>,
    pub chunks: Vec<Chunk>,
    pub gaps: Vec<Gap>,
    pub ledger: Ledger,
    pub late: Vec<LateRow>,
    pub dead: Vec<DeadLetter>,
    pub rekeyed: Vec<Rekeyed>,
    /// Of late rows, dead letters and records under another key.
    pub aside_bytes: usize,
    pub rows: u64,
    pub found: Vec<PartitionInfo>,
    /// What was taken, as it came, where it is to be kept.
    pub archive: Vec<Batch>,
    /// No broker answered, at least for a while.
    pub unreachable: bool,
}

impl Epoch {
    pub fn push_late(&mut self, row: LateRow) {
        self.aside_bytes += row.size_bytes();
        self.late.push(row);
    }

    pub fn push_rekeyed(&mut self, record: Rekeyed) {
        self.aside_bytes += record.size_bytes();
        self.rekeyed.push(record);
    }

    pub fn push_dead(&mut self, letter: DeadLetter) {
        self.aside_bytes += letter.size_bytes();
        self.dead.push(letter);
    }
}

/// Records of a partition that were taken one after the other, from `from` to before `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub partition: TopicPartition,
    pub from: i64,
    pub to: i64,
    pub clock_us: i64,
}

impl Chunk {
    /// A chunk as a log record has it.
    pub fn recorded(chunk: &record::Chunk) -> Self {
        let partition = TopicPartition::new(&chunk.topic, chunk.partition);
        Self { partition, from: chunk.from, to: chunk.to, clock_us: chunk.clock_us }
    }
}

/// Offsets that were gone before they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub partition: TopicPartition,
    pub from: i64,
    pub to: i64,
}

/// What goes to the committer.
pub enum Finished {
    Epoch(Box<FinishedEpoch>),
    Swap(FinishedSwap),
}

/// A function that was swapped in between two epochs.
pub struct FinishedSwap {
    pub swap: Box<Swap>,
    /// All of the state, as the new window function writes it; `None` if parse was swapped.
    pub parts: Option<Vec<Part>>,
    pub clock_us: i64,
    /// How long the windows stood still.
    pub pause: Duration,
}

/// An epoch as it goes to the committer.
pub struct FinishedEpoch {
    pub clock_us: i64,
    pub chunks: Vec<Chunk>,
    pub gaps: Vec<Gap>,
    /// Partitions that did not exist at the start, of this epoch.
    pub found: Vec<PartitionInfo>,
    /// Offset of the next record of each partition.
    pub positions: BTreeMap<TopicPartition, i64>,
    pub watermarks: Watermarks,
    pub watermark_before_us: Option<i64>,
    /// Closed windows by window name.
    pub closed: Vec<(String, RecordBatch)>,
    /// Open windows that changed, of the windows that a sink shows while they are open.
    pub open: Vec<(String, RecordBatch)>,
    pub late: Vec<LateRow>,
    pub dead: Vec<DeadLetter>,
    /// Records that go to a topic under another key.
    pub rekeyed: Vec<Rekeyed>,
    /// Counts of this epoch alone.
    pub ledger: Ledger,
    /// (row, window) pairs that the window function says it holds open, by window name.
    pub open_assignments: BTreeMap<String, u64>,
    /// State that changed.
    pub parts: Vec<Part>,
    /// The records as they came, where they are to be kept.
    pub archive: Vec<Batch>,
    /// Windows that are still open were published, too.
    pub closed_all: bool,
}
