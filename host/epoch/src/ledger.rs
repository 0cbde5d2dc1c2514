//! What became of every record and of every assignment. Two identities hold at each commit:
//!
//! 1. a partition: records = with rows + ignored + rejected + set aside;
//! 2. a window definition: assignments = closed + open + late + duplicate + conflict + dropped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_record::TopicPartition;

/// What became of a partition's records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionCounts {
    pub records: u64,
    /// Records that gave at least one row.
    pub with_rows: u64,
    /// Known and not asked for, and tombstones: by reason.
    pub ignored: BTreeMap<String, u64>,
    /// Broken: none of their rows was taken.
    pub rejected: u64,
    /// Kept away from the windows, by reason: `trap`, `deadline`, `future`.
    pub set_aside: BTreeMap<String, u64>,
}

/// What became of the rows under one window definition, all partitions together.
///
/// `open` adds up like all others: over one epoch it is the change (assignments in open windows after less
/// before, below 0 when more closed than came), so over the chain it is what open windows hold now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowCounts {
    /// Rows of a kind that the window takes.
    pub rows_taken: u64,
    /// Rows taken without an event time, a key or an id: they make no assignment.
    pub invalid: u64,
    /// (row, window) pairs of all other rows taken.
    pub assignments: u64,
    pub closed: u64,
    pub open: i64,
    pub late: u64,
    pub duplicate: u64,
    pub conflict: u64,
    /// Those of windows that were open when the definition was taken out of the pipeline.
    #[serde(default, skip_serializing_if = "is_none")]
    pub dropped: u64,
    /// Of the assignments that were accepted, those of rows that were taken in without knowing whether their ids were
    /// new. No part of the identity: they are in closed and open windows, too.
    #[serde(default, skip_serializing_if = "is_none")]
    pub untracked: u64,
}

/// Left out of a record if there are none: before there was such a count, records had no such field.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Counts of one epoch, or of all epochs of a chain: [`Ledger::absorb`] adds the first to the second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    #[serde(with = "by_partition")]
    pub partitions: BTreeMap<TopicPartition, PartitionCounts>,
    /// By name of the window definition.
    pub windows: BTreeMap<String, WindowCounts>,
}

/// An identity that does not hold: some record or assignment was lost or counted twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Imbalance {
    #[error(
        "ledger of {partition}: {records} records, but {with_rows} with rows + {ignored} ignored + {rejected} \
         rejected + {set_aside} set aside = {sum}",
        sum = sum(&[*with_rows, *ignored, *rejected, *set_aside])
    )]
    Partition {
        partition: TopicPartition,
        records: u64,
        with_rows: u64,
        ignored: u64,
        rejected: u64,
        set_aside: u64,
    },
    #[error(
        "ledger of window `{window}`: {assignments} assignments, but {closed} closed + {open} open + {late} late \
         + {duplicate} duplicate + {conflict} conflict + {dropped} dropped = {sum}",
        assignments = counts.assignments,
        closed = counts.closed,
        open = counts.open,
        late = counts.late,
        duplicate = counts.duplicate,
        conflict = counts.conflict,
        dropped = counts.dropped,
        sum = accounted(counts)
    )]
    Window { window: String, counts: WindowCounts },
    #[error(
        "ledger of window `{window}`: {open} assignments in open windows, and there cannot be fewer than none"
    )]
    NegativeOpen { window: String, open: i64 },
    #[error(
        "ledger of window `{window}`: {counted} assignments counted into open windows, the window function holds \
         {held}"
    )]
    Held { window: String, counted: i64, held: u64 },
}

impl Ledger {
    /// The counts of a partition, made if they are new.
    pub fn partition(&mut self, partition: &TopicPartition) -> &mut PartitionCounts {
        self.partitions.entry(partition.clone()).or_default()
    }

    /// The counts of a window definition, made if they are new.
    pub fn window(&mut self, name: &str) -> &mut WindowCounts {
        if !self.windows.contains_key(name) {
            self.windows.insert(name.to_owned(), WindowCounts::default());
        }
        self.windows.entry(name.to_owned()).or_default()
    }

    /// Adds an epoch's counts.
    pub fn absorb(&mut self, epoch: &Ledger) {
        for (partition, counts) in &epoch.partitions {
            self.partition(partition).absorb(counts);
        }
        for (window, counts) in &epoch.windows {
            self.window(window).absorb(counts);
        }
    }

    /// Both identities, for every partition and every window definition. Holds for an epoch's ledger and for
    /// a chain's alike.
    pub fn check(&self) -> Result<(), Imbalance> {
        for (partition, counts) in &self.partitions {
            counts.check(partition)?;
        }
        for (window, counts) in &self.windows {
            if accounted(counts) != i128::from(counts.assignments) {
                return Err(Imbalance::Window { window: window.clone(), counts: counts.clone() });
            }
        }
        Ok(())
    }

    /// [`check`](Self::check) of a chain's ledger, and against what the window function says it holds open
    /// (assignments by window definition).
    pub fn check_chain(&self, held: &BTreeMap<String, u64>) -> Result<(), Imbalance> {
        self.check()?;
        for (window, counts) in &self.windows {
            if counts.open < 0 {
                return Err(Imbalance::NegativeOpen { window: window.clone(), open: counts.open });
            }
            match held.get(window) {
                Some(&held) if i128::from(held) != i128::from(counts.open) => {
                    return Err(Imbalance::Held { window: window.clone(), counted: counts.open, held });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl PartitionCounts {
    /// Counts records that were known and not asked for.
    pub fn ignore(&mut self, reason: &str, records: u64) {
        *self.ignored.entry(reason.to_owned()).or_default() += records;
    }

    /// Counts records that were kept away from the windows.
    pub fn set_aside(&mut self, reason: &str, records: u64) {
        *self.set_aside.entry(reason.to_owned()).or_default() += records;
    }

    fn absorb(&mut self, more: &PartitionCounts) {
        self.records += more.records;
        self.with_rows += more.with_rows;
        self.rejected += more.rejected;
        for (reason, records) in &more.ignored {
            self.ignore(reason, *records);
        }
        for (reason, records) in &more.set_aside {
            self.set_aside(reason, *records);
        }
    }

    fn check(&self, partition: &TopicPartition) -> Result<(), Imbalance> {
        let ignored = self.ignored.values().sum();
        let set_aside = self.set_aside.values().sum();
        if sum(&[self.with_rows, ignored, self.rejected, set_aside]) == u128::from(self.records) {
            return Ok(());
        }
        Err(Imbalance::Partition {
            partition: partition.clone(),
            records: self.records,
            with_rows: self.with_rows,
            ignored,
            rejected: self.rejected,
            set_aside,
        })
    }
}

impl WindowCounts {
    fn absorb(&mut self, more: &WindowCounts) {
        self.rows_taken += more.rows_taken;
        self.invalid += more.invalid;
        self.assignments += more.assignments;
        self.closed += more.closed;
        self.open += more.open;
        self.late += more.late;
        self.duplicate += more.duplicate;
        self.conflict += more.conflict;
        self.dropped += more.dropped;
        self.untracked += more.untracked;
    }
}

fn sum(counts: &[u64]) -> u128 {
    counts.iter().map(|&count| u128::from(count)).sum()
}

fn accounted(counts: &WindowCounts) -> i128 {
    let whole = [counts.closed, counts.late, counts.duplicate, counts.conflict, counts.dropped];
    whole.iter().map(|&count| i128::from(count)).sum::<i128>() + i128::from(counts.open)
}

/// A list of `{topic, partition, …}`: JSON has no keys but text.
mod by_partition {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use tallow_record::TopicPartition;

    use super::PartitionCounts;

    #[derive(Serialize, Deserialize)]
    struct Entry<C> {
        topic: String,
        partition: i32,
        #[serde(flatten)]
        counts: C,
    }

    pub fn serialize<S: Serializer>(
        partitions: &BTreeMap<TopicPartition, PartitionCounts>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(partitions.iter().map(|(partition, counts)| Entry {
            topic: partition.topic.to_string(),
            partition: partition.partition,
            counts,
        }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<TopicPartition, PartitionCounts>, D::Error> {
        let entries = Vec::<Entry<PartitionCounts>>::deserialize(deserializer)?;
        Ok(entries
            .into_iter()
            .map(|entry| (TopicPartition::new(&entry.topic, entry.partition), entry.counts))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_epoch() -> Ledger {
        let mut ledger = Ledger::default();
        let partition = ledger.partition(&TopicPartition::new("trades", 0));
        partition.records = 10;
        partition.with_rows = 5;
        partition.rejected = 1;
        partition.ignore("depthUpdate", 2);
        partition.ignore("tombstone", 1);
        partition.set_aside("trap", 1);
        *ledger.window("1m") =
            WindowCounts { rows_taken: 5, assignments: 5, closed: 2, open: 3, ..WindowCounts::default() };
        ledger
    }

    #[test]
    fn balanced_books_pass_by_the_epoch_and_by_the_chain() {
        let first = one_epoch();
        let mut second = one_epoch();
        second.window("1m").closed = 7;
        second.window("1m").open = -2;
        let mut chain = Ledger::default();
        for epoch in [&first, &second] {
            assert_eq!(epoch.check(), Ok(()));
            chain.absorb(epoch);
        }
        assert_eq!(chain.check_chain(&BTreeMap::from([("1m".to_owned(), 1)])), Ok(()));
        assert_eq!(chain.partition(&TopicPartition::new("trades", 0)).ignored["depthUpdate"], 4);
    }

    #[test]
    fn a_lost_record_is_named_by_partition_with_the_numbers() {
        let mut ledger = one_epoch();
        ledger.partition(&TopicPartition::new("trades", 0)).records = 11;
        assert_eq!(
            ledger.check().unwrap_err().to_string(),
            "ledger of trades/0: 11 records, but 5 with rows + 3 ignored + 1 rejected + 1 set aside = 10"
        );
    }

    #[test]
    fn a_lost_assignment_is_named_by_window_with_the_numbers() {
        let mut ledger = one_epoch();
        ledger.window("1m").late = 1;
        assert_eq!(
            ledger.check().unwrap_err().to_string(),
            "ledger of window `1m`: 5 assignments, but 2 closed + 3 open + 1 late + 0 duplicate + 0 conflict + 0 \
             dropped = 6"
        );
    }

    #[test]
    fn a_window_that_holds_other_than_was_counted_is_an_imbalance() {
        let held = BTreeMap::from([("1m".to_owned(), 4)]);
        assert!(matches!(one_epoch().check_chain(&held), Err(Imbalance::Held { counted: 3, held: 4, .. })));
    }

    #[test]
    fn counts_near_the_end_of_64_bits_do_not_wrap_into_balance() {
        let mut ledger = Ledger::default();
        let partition = ledger.partition(&TopicPartition::new("trades", 0));
        partition.with_rows = u64::MAX;
        partition.rejected = 1;
        assert!(ledger.check().is_err());
    }

    #[test]
    fn the_ledger_survives_json() {
        let ledger = one_epoch();
        let json = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), ledger);
        assert!(json.contains(r#"{"topic":"trades","partition":0,"records":10"#), "{json}");
    }
}
