//! The rows of a call, column by column. What a row does not set is null in it.

use tallow_contract::{Column, Dictionary, Table, Text};

use crate::builder::Builder;

/// Columns in the making.
pub trait Builders {
    fn builders(&mut self) -> impl Iterator<Item = &mut Builder>;

    /// The columns, each of so many rows.
    fn finish(self, rows: usize) -> Vec<Column>;
}

impl Builders for Vec<Builder> {
    fn builders(&mut self) -> impl Iterator<Item = &mut Builder> {
        self.iter_mut()
    }

    fn finish(self, rows: usize) -> Vec<Column> {
        self.into_iter().map(|builder| builder.into_column(rows)).collect()
    }
}

/// Columns, with the record and the kind of each row.
pub struct Rows<C> {
    pub columns: C,
    records: Vec<u32>,
    kinds: Vec<u32>,
    /// Decimals that had more places than their column keeps.
    pub rounded: u64,
}

/// Where to return to when a record turns out to be broken.
#[derive(Clone, Copy)]
pub struct Mark {
    rows: usize,
    rounded: u64,
}

impl<C: Builders> Rows<C> {
    pub fn new(columns: C, expected_rows: usize) -> Self {
        let (records, kinds) = (Vec::with_capacity(expected_rows), Vec::with_capacity(expected_rows));
        Rows { columns, records, kinds, rounded: 0 }
    }

    pub fn count(&self) -> usize {
        self.records.len()
    }

    pub fn mark(&self) -> Mark {
        Mark { rows: self.records.len(), rounded: self.rounded }
    }

    /// Forgets every row, and every started one, since the mark.
    pub fn back_to(&mut self, mark: Mark) {
        self.records.truncate(mark.rows);
        self.kinds.truncate(mark.rows);
        self.rounded = mark.rounded;
        self.columns.builders().for_each(|builder| builder.truncate(mark.rows));
    }

    /// Ends a row whose cells have been set.
    #[inline]
    pub fn end(&mut self, record: u32, kind: u32) {
        self.records.push(record);
        self.kinds.push(kind);
        let rows = self.records.len();
        self.columns.builders().filter(|builder| builder.len() < rows).for_each(Builder::push_null);
    }

    /// Ends a row of which each wanted cell has been set.
    #[inline(always)]
    pub fn end_full(&mut self, record: u32, kind: u32) {
        self.records.push(record);
        self.kinds.push(kind);
    }

    /// Adds the record and the kind of rows whose columns the caller fills.
    pub fn extend(&mut self, heads: impl Iterator<Item = (u32, u32)>) {
        for (record, kind) in heads {
            self.records.push(record);
            self.kinds.push(kind);
        }
    }

    /// The table, the record and the kind of each row, and how many decimals were rounded.
    pub fn into_table(self, kinds: Dictionary) -> (Table, Vec<u32>, Text, u64) {
        let rows = self.records.len();
        let table = Table { rows: rows as u32, columns: self.columns.finish(rows) };
        (table, self.records, kinds.into_text(self.kinds), self.rounded)
    }
}
