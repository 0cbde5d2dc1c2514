//! Records that were read, put into the order in which a commit took them.

use std::collections::{BTreeMap, VecDeque};

use tallow_log::record::Chunk;
use tallow_record::{Batch, TopicPartition};

/// Records that were read, by partition, in the order of their offsets.
#[derive(Default)]
pub struct PartitionBuffers(BTreeMap<TopicPartition, Buffer>);

#[derive(Default)]
struct Buffer {
    /// Each of this partition alone.
    batches: VecDeque<Batch>,
    /// Everything below has come; none before the first news.
    reached: Option<i64>,
}

impl PartitionBuffers {
    /// Takes in what a fetch gave, up to where each partition's reading ends.
    pub fn take(&mut self, batch: &Batch, until: impl Fn(&TopicPartition) -> i64) {
        for (first, run) in batch.runs_from() {
            let partition = batch.partition_of(run);
            let records = first..first + run.records as usize;
            let Some(last) = records.clone().last() else { continue };
            let end = until(&partition);
            let wanted = records.start + batch.offsets[records.clone()].partition_point(|it| *it < end);
            let buffer = self.0.entry(partition).or_default();
            buffer.reached = buffer.reached.max(Some(batch.offsets[last] + 1));
            if wanted > records.start {
                buffer.batches.push_back(batch.select(records.start..wanted));
            }
        }
    }

    pub fn reach(&mut self, partition: &TopicPartition, next: i64) {
        let buffer = self.0.entry(partition.clone()).or_default();
        buffer.reached = buffer.reached.max(Some(next));
    }

    pub fn reached(&self, partition: &TopicPartition) -> Option<i64> {
        self.0.get(partition).and_then(|buffer| buffer.reached)
    }

    /// Takes the chunks' records out, in the order of the chunks and with their clocks, at most so many a batch.
    pub fn assemble(&mut self, chunks: &[Chunk], most_records: usize) -> Vec<Batch> {
        let mut out = Vec::new();
        for chunk in chunks {
            let Some(buffer) = self.0.get_mut(&TopicPartition::new(&chunk.topic, chunk.partition)) else {
                continue;
            };
            while let Some(front) = buffer.batches.pop_front() {
                let (from, to) = (chunk.from, chunk.to);
                let first = front.offsets.partition_point(|offset| *offset < from);
                let end = front.offsets.partition_point(|offset| *offset < to);
                for start in (first..end).step_by(most_records.max(1)) {
                    let mut batch = front.select(start..end.min(start + most_records.max(1)));
                    batch.runs.iter_mut().for_each(|run| run.clock_us = chunk.clock_us);
                    out.push(batch);
                }
                if end < front.len() {
                    buffer.batches.push_front(front.select(end..front.len()));
                    break;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(partition: i32, from: i64, to: i64, clock_us: i64) -> Chunk {
        Chunk { topic: "t".into(), partition, from, to, clock_us }
    }

    fn batch(partition: i32, offsets: &[i64]) -> Batch {
        let mut batch = Batch::default();
        let topic = batch.topic_index(&"t".into());
        offsets.iter().for_each(|offset| batch.push(topic, partition, *offset, 0, 77, None, Some(b"x")));
        batch
    }

    #[test]
    fn records_are_put_into_the_order_of_the_chunks_with_their_clocks() {
        let mut buffers = PartitionBuffers::default();
        // Offset 12 does not exist; 16 lies behind the end.
        for (partition, offsets) in [(0, &[10, 11, 13][..]), (1, &[5]), (0, &[14, 15, 16])] {
            buffers.take(&batch(partition, offsets), |_| 16);
        }
        let assembled = |buffers: &mut PartitionBuffers, chunks: &[Chunk]| -> Vec<(i32, Vec<i64>, i64)> {
            let batches = buffers.assemble(chunks, 2);
            batches
                .into_iter()
                .map(|batch| (batch.runs[0].partition, batch.offsets, batch.runs[0].clock_us))
                .collect()
        };
        let first = [chunk(0, 10, 12, 1), chunk(1, 5, 6, 1), chunk(0, 12, 14, 2)];
        assert_eq!(
            assembled(&mut buffers, &first),
            [(0, vec![10, 11], 1), (1, vec![5], 1), (0, vec![13], 2)]
        );
        assert_eq!(assembled(&mut buffers, &[chunk(0, 14, 16, 3)]), [(0, vec![14, 15], 3)]);
        assert_eq!(buffers.reached(&TopicPartition::new("t", 0)), Some(17));
        assert_eq!(assembled(&mut buffers, &[chunk(0, 16, 17, 3)]), []);
    }
}
