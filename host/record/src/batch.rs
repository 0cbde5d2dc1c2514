//! A batch of raw records, column by column.

use std::sync::Arc;

use crate::{Place, TopicPartition};

/// Consecutive records of a batch that come from one partition, in offset order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Index into [`Batch::topics`].
    pub topic: u32,
    pub partition: i32,
    pub records: u32,
    /// The wall clock when the run was fetched, µs since 1970-01-01 UTC: it judges future event times.
    pub clock_us: i64,
}

/// A byte string a record, some of them null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByteColumn {
    pub bytes: Vec<u8>,
    /// End of each string in `bytes`.
    pub ends: Vec<u32>,
    /// Indices, ascending, of the null strings.
    pub nulls: Vec<u32>,
}

impl ByteColumn {
    pub fn push(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.bytes.extend_from_slice(value),
            None => self.nulls.push(self.ends.len() as u32),
        }
        self.ends.push(self.bytes.len() as u32);
    }

    pub fn get(&self, index: usize) -> Option<&[u8]> {
        if self.nulls.binary_search(&(index as u32)).is_ok() {
            return None;
        }
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        Some(&self.bytes[start..self.ends[index] as usize])
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.nulls.clear();
    }
}

/// Record headers, one entry a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Record index of each header, ascending.
    pub records: Vec<u32>,
    pub names: Vec<String>,
    pub values: ByteColumn,
}

/// Raw records of one or more partitions. Keys are always kept: dead letters give back the whole record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub topics: Vec<Arc<str>>,
    pub runs: Vec<Run>,
    pub offsets: Vec<i64>,
    /// Kafka's timestamps, µs since 1970-01-01 UTC; -1 where there is none.
    pub timestamps_us: Vec<i64>,
    pub keys: ByteColumn,
    pub values: ByteColumn,
    pub headers: Headers,
}

impl Batch {
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Bytes of keys and values: what queues and epochs are bounded by.
    pub fn size_bytes(&self) -> usize {
        self.keys.bytes.len() + self.values.bytes.len() + self.headers.values.bytes.len()
    }

    /// Forgets the records and keeps the memory, so that a fetch loop allocates once.
    pub fn clear(&mut self) {
        self.topics.clear();
        self.runs.clear();
        self.offsets.clear();
        self.timestamps_us.clear();
        self.keys.clear();
        self.values.clear();
        self.headers.records.clear();
        self.headers.names.clear();
        self.headers.values.clear();
    }

    /// Index of a topic in `topics`, added if it is new. Batches hold few topics, so a scan is enough.
    pub fn topic_index(&mut self, topic: &Arc<str>) -> u32 {
        match self.topics.iter().position(|known| known == topic) {
            Some(index) => index as u32,
            None => {
                self.topics.push(topic.clone());
                (self.topics.len() - 1) as u32
            }
        }
    }

    /// Appends one record; records of one partition and clock that follow each other share a run.
    #[allow(clippy::too_many_arguments)]
    pub fn push(
        &mut self,
        topic: u32,
        partition: i32,
        offset: i64,
        timestamp_us: i64,
        clock_us: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) {
        match self.runs.last_mut() {
            Some(run) if run.topic == topic && run.partition == partition && run.clock_us == clock_us => {
                run.records += 1;
            }
            _ => self.runs.push(Run { topic, partition, records: 1, clock_us }),
        }
        self.offsets.push(offset);
        self.timestamps_us.push(timestamp_us);
        self.keys.push(key);
        self.values.push(value);
    }

    /// Adds a header to the record pushed last.
    pub fn push_header(&mut self, name: &str, value: Option<&[u8]>) {
        debug_assert!(!self.is_empty(), "a header belongs to a record");
        self.headers.records.push(self.len() as u32 - 1);
        self.headers.names.push(name.to_owned());
        self.headers.values.push(value);
    }

    /// The runs with the index of their first record.
    pub fn runs_from(&self) -> impl Iterator<Item = (usize, &Run)> {
        self.runs.iter().scan(0usize, |next, run| {
            let first = *next;
            *next += run.records as usize;
            Some((first, run))
        })
    }

    pub fn partition_of(&self, run: &Run) -> TopicPartition {
        TopicPartition { topic: self.topics[run.topic as usize].clone(), partition: run.partition }
    }

    /// The run that a record belongs to.
    pub fn run_of(&self, record: usize) -> &Run {
        let mut left = record;
        for run in &self.runs {
            if left < run.records as usize {
                return run;
            }
            left -= run.records as usize;
        }
        panic!("record {record} of a batch of {}", self.len());
    }

    pub fn place(&self, record: usize) -> Place {
        let run = self.run_of(record);
        Place {
            topic: self.topics[run.topic as usize].clone(),
            partition: run.partition,
            offset: self.offsets[record],
        }
    }

    /// A batch of the given records only (ascending indices).
    pub fn select(&self, records: impl IntoIterator<Item = usize>) -> Batch {
        let mut out = Batch { topics: self.topics.clone(), ..Batch::default() };
        let mut header = 0;
        for record in records {
            let run = self.run_of(record);
            out.push(
                run.topic,
                run.partition,
                self.offsets[record],
                self.timestamps_us[record],
                run.clock_us,
                self.keys.get(record),
                self.values.get(record),
            );
            while header < self.headers.records.len() && (self.headers.records[header] as usize) < record {
                header += 1;
            }
            while header < self.headers.records.len() && self.headers.records[header] as usize == record {
                out.push_header(&self.headers.names[header], self.headers.values.get(header));
                header += 1;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Batch {
        let mut batch = Batch::default();
        let trades = batch.topic_index(&"trades".into());
        for (partition, offset, value) in
            [(0, 7, Some("a")), (0, 8, None), (1, 3, Some("")), (0, 9, Some("ccc"))]
        {
            batch.push(trades, partition, offset, 5, 1, Some(b"k"), value.map(str::as_bytes));
        }
        batch.push_header("h", Some(b"v"));
        batch
    }

    #[test]
    fn records_of_one_partition_that_follow_each_other_share_a_run() {
        let runs: Vec<_> = sample().runs.iter().map(|run| (run.partition, run.records)).collect();
        assert_eq!(runs, [(0, 2), (1, 1), (0, 1)]);
    }

    #[test]
    fn null_and_empty_values_are_told_apart() {
        let batch = sample();
        assert_eq!(batch.values.get(1), None);
        assert_eq!(batch.values.get(2), Some(&b""[..]));
        assert_eq!(batch.values.get(3), Some(&b"ccc"[..]));
    }

    #[test]
    fn a_place_names_topic_partition_and_offset() {
        assert_eq!(sample().place(2).to_string(), "trades/1/3");
        assert_eq!(sample().place(3).to_string(), "trades/0/9");
    }

    #[test]
    fn select_keeps_places_keys_and_headers() {
        let picked = sample().select([1, 3]);
        assert_eq!(picked.place(0).to_string(), "trades/0/8");
        assert_eq!(picked.place(1).to_string(), "trades/0/9");
        assert_eq!(picked.headers.records, [1]);
        assert_eq!(picked.headers.values.get(0), Some(&b"v"[..]));
    }
}
