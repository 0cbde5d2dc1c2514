//! What first and last mean: rows are ordered by (event time, id, topic, partition, offset, row), whenever
//! they came.

use std::cmp::Ordering;

use tallow_contract::{Refusal, refuse};

use crate::table::Rows;

/// Topic names, by index. The empty name, which no topic has, is the first.
pub struct Topics(Vec<Box<str>>);

impl Default for Topics {
    fn default() -> Self {
        Topics(vec!["".into()])
    }
}

impl Topics {
    /// The index of a topic, added if it is new. Pipelines have few topics, so a scan is enough.
    pub fn index(&mut self, name: &str) -> u32 {
        let index = self.0.iter().position(|known| &**known == name).unwrap_or_else(|| {
            self.0.push(name.into());
            self.0.len() - 1
        });
        index as u32
    }

    pub fn name(&self, index: u32) -> &str {
        self.0.get(index as usize).map_or("", |name| name)
    }

    fn compare(&self, left: u32, right: u32) -> Ordering {
        if left == right { Ordering::Equal } else { self.name(left).cmp(self.name(right)) }
    }
}

/// Where a row came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index into [`Topics`].
    pub topic: u32,
    pub partition: i32,
    pub offset: i64,
    /// Index of the row among its record's rows.
    pub row: u32,
}

impl Place {
    /// The place of a row whose id says all: the same row may come again from another place, and must leave
    /// the same state.
    pub const ANY: Place = Place { topic: 0, partition: 0, offset: 0, row: 0 };

    fn compare(&self, other: &Place, topics: &Topics) -> Ordering {
        topics
            .compare(self.topic, other.topic)
            .then_with(|| self.partition.cmp(&other.partition))
            .then_with(|| self.offset.cmp(&other.offset))
            .then_with(|| self.row.cmp(&other.row))
    }
}

/// A row's rank among all rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderKey {
    pub time_us: i64,
    /// First id of the row, 0 if the spec names no ids.
    pub id: i64,
    pub place: Place,
}

impl OrderKey {
    pub fn compare(&self, other: &OrderKey, topics: &Topics) -> Ordering {
        (self.time_us, self.id)
            .cmp(&(other.time_us, other.id))
            .then_with(|| self.place.compare(&other.place, topics))
    }
}

/// Finds the places of one update's rows.
pub struct Places<'a> {
    rows: &'a Rows,
    /// How many records there are up to the end of each run.
    ends: Vec<u64>,
    /// Index into [`Topics`] of each of the update's topics.
    topics: Vec<u32>,
}

impl<'a> Places<'a> {
    /// Checks the records, runs and offsets of an update.
    pub fn new(rows: &'a Rows, topics: &mut Topics) -> Result<Places<'a>, Refusal> {
        let count = rows.table.rows as usize;
        if rows.records.len() != count {
            refuse!("`records` has {} entries for {count} rows", rows.records.len());
        }
        let covered: u64 = rows.runs.iter().map(|run| u64::from(run.records)).sum();
        if covered != rows.offsets.len() as u64 {
            refuse!("the runs cover {covered} records of {}", rows.offsets.len());
        }
        if rows.runs.iter().any(|run| run.topic as usize >= rows.topics.len()) {
            refuse!("a run names a topic beyond the {} of the update", rows.topics.len());
        }
        let descends = rows.records.windows(2).fold(false, |descends, pair| descends | (pair[0] > pair[1]));
        if descends {
            refuse!("`records` does not ascend");
        }
        if let Some(&last) = rows.records.last()
            && last as usize >= rows.offsets.len()
        {
            refuse!("`records` names record {last} of {}", rows.offsets.len());
        }
        let ends = rows.runs.iter().scan(0, |end, run| {
            *end += u64::from(run.records);
            Some(*end)
        });
        let ends = ends.collect();
        let topics = rows.topics.iter().map(|topic| topics.index(topic)).collect();
        Ok(Places { rows, ends, topics })
    }

    /// Index of the run that a row came from.
    fn run_of(&self, row: u32) -> usize {
        let record = u64::from(self.rows.records[row as usize]);
        self.ends.partition_point(|&end| end <= record)
    }

    pub fn place(&self, row: u32) -> Place {
        let at = row as usize;
        let run = &self.rows.runs[self.run_of(row)];
        let record = self.rows.records[at];
        let first = self.rows.records[..at].iter().rev().take_while(|&&before| before == record).count();
        Place {
            topic: self.topics[run.topic as usize],
            partition: run.partition,
            offset: self.rows.offsets[record as usize],
            row: first as u32,
        }
    }

    /// Compares two rows of the update by their places.
    #[inline]
    pub fn compare(&self, left: u32, right: u32, topics: &Topics) -> Ordering {
        if self.ends.len() == 1 || self.run_of(left) == self.run_of(right) {
            left.cmp(&right)
        } else {
            self.place(left).compare(&self.place(right), topics)
        }
    }
}
