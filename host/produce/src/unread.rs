//! How much may wait in a broker that forgets: facts in, decision out.

use std::collections::{BTreeMap, VecDeque};

/// What may wait unread in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    pub records: u64,
    pub bytes: u64,
}

/// What a record takes in a broker at most: its own batch around it, in the worst case.
const OVERHEAD_BYTES: u64 = 128;

/// Records sent and not yet read. A record on its way counts against every partition, as it may go to any.
#[derive(Debug)]
pub struct Unread {
    cap: Cap,
    on_the_way: Weight,
    partitions: BTreeMap<i32, Waiting>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    records: u64,
    bytes: u64,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Offset and bytes, ascending.
    records: VecDeque<(i64, u64)>,
    bytes: u64,
}

impl Unread {
    pub fn new(cap: Cap) -> Self {
        Self { cap, on_the_way: Weight::default(), partitions: BTreeMap::new() }
    }

    /// Whether a record of that many bytes of key and value may be sent. A record larger than the cap may go when
    /// nothing else waits.
    pub fn has_room(&self, record_bytes: u64) -> bool {
        let fits = |records: u64, bytes: u64| {
            let records = records + self.on_the_way.records;
            let bytes = bytes + self.on_the_way.bytes;
            records == 0
                || (records < self.cap.records && bytes + record_bytes + OVERHEAD_BYTES <= self.cap.bytes)
        };
        fits(0, 0)
            && self.partitions.values().all(|waiting| fits(waiting.records.len() as u64, waiting.bytes))
    }

    pub fn sent(&mut self, record_bytes: u64) {
        self.on_the_way.records += 1;
        self.on_the_way.bytes += record_bytes + OVERHEAD_BYTES;
    }

    /// The broker has it, at this place.
    pub fn delivered(&mut self, partition: i32, offset: i64, record_bytes: u64) {
        self.failed(record_bytes);
        let waiting = self.partitions.entry(partition).or_default();
        waiting.records.push_back((offset, record_bytes + OVERHEAD_BYTES));
        waiting.bytes += record_bytes + OVERHEAD_BYTES;
    }

    /// It never came.
    pub fn failed(&mut self, record_bytes: u64) {
        self.on_the_way.records = self.on_the_way.records.saturating_sub(1);
        self.on_the_way.bytes = self.on_the_way.bytes.saturating_sub(record_bytes + OVERHEAD_BYTES);
    }

    /// Forgets what readers have committed; `committed` gives the next offset of a partition.
    pub fn read(&mut self, committed: impl Fn(i32) -> i64) {
        for (partition, waiting) in &mut self.partitions {
            let next = committed(*partition);
            while let Some((offset, bytes)) = waiting.records.front().copied() {
                if offset >= next {
                    break;
                }
                waiting.records.pop_front();
                waiting.bytes -= bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_full_partition_stops_all_until_it_is_read() {
        let mut unread = Unread::new(Cap { records: 2, bytes: 1 << 20 });
        for offset in 0..2 {
            assert!(unread.has_room(10));
            unread.sent(10);
            unread.delivered(3, offset, 10);
        }
        assert!(!unread.has_room(10));
        unread.read(|_| 1);
        assert!(unread.has_room(10));
    }

    #[test]
    fn a_record_larger_than_the_cap_goes_alone() {
        let mut unread = Unread::new(Cap { records: 100, bytes: 1000 });
        assert!(unread.has_room(5000));
        unread.sent(1);
        assert!(!unread.has_room(5000));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Send { bytes: u64, partition: i32 },
        Deliver,
        Read { partition: i32, share: u8 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0u64..400, 0..3i32).prop_map(|(bytes, partition)| Step::Send { bytes, partition }),
            Just(Step::Deliver),
            (0..3i32, any::<u8>()).prop_map(|(partition, share)| Step::Read { partition, share }),
        ]
    }

    proptest! {
        /// Against a model that keeps every record: whatever partition the records went to, none holds more unread
        /// bytes than the cap.
        #[test]
        fn no_partition_ever_holds_more_than_the_cap(steps in prop::collection::vec(step(), 1..300)) {
            let cap = Cap { records: 12, bytes: 3000 };
            let mut unread = Unread::new(cap);
            let mut on_the_way: VecDeque<(i32, u64)> = VecDeque::new();
            let mut logs: [Vec<u64>; 3] = Default::default();
            let mut committed = [0usize; 3];
            for step in steps {
                match step {
                    Step::Send { bytes, partition } if unread.has_room(bytes) => {
                        unread.sent(bytes);
                        on_the_way.push_back((partition, bytes));
                    }
                    Step::Send { .. } => {}
                    Step::Deliver => {
                        if let Some((partition, bytes)) = on_the_way.pop_front() {
                            let log = &mut logs[partition as usize];
                            unread.delivered(partition, log.len() as i64, bytes);
                            log.push(bytes);
                        }
                    }
                    Step::Read { partition, share } => {
                        let partition = partition as usize;
                        let left = logs[partition].len() - committed[partition];
                        committed[partition] += left * usize::from(share) / 255;
                        unread.read(|partition| committed[partition as usize] as i64);
                    }
                }
                for (log, next) in logs.iter().zip(committed) {
                    prop_assert!(log[next..].len() as u64 <= cap.records);
                    prop_assert!(log[next..].iter().sum::<u64>() <= cap.bytes);
                }
            }
        }
    }
}
