//! Raw records, column by column.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{Refusal, Text, refuse};

/// Consecutive records that come from one partition, in offset order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct Run {
    /// Index into the topics' names.
    pub topic: u32,
    pub partition: i32,
    /// How many records belong to this run.
    pub records: u32,
}

/// A byte string for each record: string i is `bytes[ends[i-1]..ends[i]]`, from 0 for the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct ByteColumn {
    pub bytes: Vec<u8>,
    /// End of each string in `bytes`; ascending.
    pub ends: Vec<u32>,
    /// Indices, ascending, of the strings that are null rather than empty.
    pub nulls: Vec<u32>,
}

impl ByteColumn {
    /// Appends a string; `None` is null.
    pub fn push(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.bytes.extend_from_slice(value),
            None => self.nulls.push(self.ends.len() as u32),
        }
        self.ends.push(self.bytes.len() as u32);
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no strings.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The string of a record; `None` if it is null or there is no such record.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        if self.nulls.binary_search(&(index as u32)).is_ok() {
            return None;
        }
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? as usize };
        self.bytes.get(start..*self.ends.get(index)? as usize)
    }

    /// The strings in their order. A string that is null or lies beyond `bytes` is empty.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let string = self.bytes.get(start..end as usize).unwrap_or_default();
            start = end as usize;
            string
        })
    }

    fn check(&self, what: &str) -> Result<(), Refusal> {
        let ascending = self.ends.is_sorted() && self.nulls.is_sorted();
        let covered = self.ends.last().is_none_or(|&end| end as usize <= self.bytes.len());
        if ascending && covered { Ok(()) } else { refuse!("batch: `{what}` is not a column of byte strings") }
    }
}

/// One string per item, none of them null.
impl<T: AsRef<[u8]>> FromIterator<T> for ByteColumn {
    fn from_iter<I: IntoIterator<Item = T>>(strings: I) -> Self {
        let mut column = Self::default();
        strings.into_iter().for_each(|string| column.push(Some(string.as_ref())));
        column
    }
}

/// Record headers, for the records that have any; one entry per header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct Headers {
    /// Record index of each header, ascending.
    pub records: Vec<u32>,
    pub names: Text,
    pub values: ByteColumn,
}

/// Raw records, column by column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct Batch {
    /// Names of the topics that `runs` refer to.
    pub topics: Vec<String>,
    /// Which partition each record comes from; their `records` add up to all.
    pub runs: Vec<Run>,
    /// Offset of each record in its partition.
    pub offsets: Vec<i64>,
    /// Kafka's timestamp of each record: microseconds since 1970-01-01 UTC, -1 if there is none.
    #[cfg_attr(feature = "wasmtime", component(name = "timestamps-us"))]
    pub timestamps_us: Vec<i64>,
    /// The records' values. A null value is a tombstone.
    pub values: ByteColumn,
    /// The records' keys, if the function's description asks for them.
    pub keys: Option<ByteColumn>,
    /// The records' headers, if the function's description asks for them.
    pub headers: Option<Headers>,
}

impl Batch {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.values.ends.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.values.ends.is_empty()
    }

    /// Refuses values and keys whose ends do not cut them into strings, so that later code cannot go out of bounds.
    ///
    /// # Errors
    /// Names the column that is not one of byte strings, or whose length differs.
    pub fn check(&self) -> Result<(), Refusal> {
        self.values.check("values")?;
        match &self.keys {
            Some(keys) if keys.ends.len() != self.len() => {
                refuse!("batch: {} keys for {} records", keys.ends.len(), self.len())
            }
            Some(keys) => keys.check("keys"),
            None => Ok(()),
        }
    }
}
