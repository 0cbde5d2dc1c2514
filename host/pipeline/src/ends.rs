//! Where each partition ended when a run started that drains the topics and then stops.

use std::collections::BTreeMap;

use tallow_record::{Batch, TopicPartition};
use tallow_source::{Event, PartitionInfo, Position};

/// Where partitions ended when the pipeline started.
#[derive(Default)]
pub struct Ends {
    /// Those that are to be read up to there.
    pub open: BTreeMap<TopicPartition, i64>,
    /// Those that have been, and of which the window worker does not know yet.
    pub reached: Vec<TopicPartition>,
}

/// Where each partition ended when the pipeline started.
pub fn ends_of(partitions: &[PartitionInfo], from: &[Position]) -> Ends {
    let position = |partition: &TopicPartition| {
        from.iter().find(|position| position.partition == *partition).map_or(0, |position| position.next)
    };
    let mut ends = Ends::default();
    for info in partitions {
        if info.latest > position(&info.partition).max(info.earliest) {
            ends.open.insert(info.partition.clone(), info.latest);
        } else {
            ends.reached.push(info.partition.clone());
        }
    }
    ends
}

impl Ends {
    /// Takes note of how far a fetch has read.
    pub fn note(&mut self, batch: &Batch, events: &[Event]) {
        let mut reached = |partition: TopicPartition, next: i64| {
            if self.open.get(&partition).is_some_and(|end| next >= *end) {
                self.open.remove(&partition);
                self.reached.push(partition);
            }
        };
        for (first, run) in batch.runs_from() {
            let last = first + run.records as usize - 1;
            reached(batch.partition_of(run), batch.offsets[last] + 1);
        }
        for event in events {
            if let Event::End { partition, next } = event {
                reached(partition.clone(), *next);
            }
        }
    }
}
