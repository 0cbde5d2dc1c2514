//! The batch as parse functions read it: values and keys. Topics, offsets and timestamps change no row.

/// A byte string for each record: string i is `bytes[ends[i-1]..ends[i]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByteColumn {
    pub bytes: Vec<u8>,
    /// End of each string in `bytes`, ascending.
    pub ends: Vec<u32>,
    /// Indices, ascending, of the strings that are null rather than empty.
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

    /// String `index`; `None` where it is null or there is none.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        if self.nulls.binary_search(&(index as u32)).is_ok() {
            return None;
        }
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? as usize };
        self.bytes.get(start..*self.ends.get(index)? as usize)
    }

    fn check(&self, what: &str) -> Result<(), String> {
        let ascending = self.ends.is_sorted() && self.nulls.is_sorted();
        let covered = self.ends.last().is_none_or(|&end| end as usize <= self.bytes.len());
        if ascending && covered {
            Ok(())
        } else {
            Err(format!("batch: `{what}` is not a column of byte strings"))
        }
    }
}

/// Raw records, column by column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub values: ByteColumn,
    pub keys: Option<ByteColumn>,
}

impl Batch {
    pub fn len(&self) -> usize {
        self.values.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.ends.is_empty()
    }

    /// Refuses columns whose ends do not cut them into strings, so that nothing after it can go out of bounds.
    pub fn check(&self) -> Result<(), String> {
        self.values.check("values")?;
        match &self.keys {
            Some(keys) if keys.ends.len() != self.len() => {
                Err(format!("batch: {} keys for {} records", keys.ends.len(), self.len()))
            }
            Some(keys) => keys.check("keys"),
            None => Ok(()),
        }
    }
}
