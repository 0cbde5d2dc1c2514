//! What a call gives back: the contract's shapes as plain Rust.

use crate::column::ColumnType;

/// Dictionary text: `codes` has an entry a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub bytes: Vec<u8>,
    pub ends: Vec<u32>,
    pub codes: Vec<u32>,
}

impl Text {
    /// The text of an entry of `codes`.
    pub fn get(&self, index: usize) -> &str {
        let code = self.codes[index] as usize;
        let start = if code == 0 { 0 } else { self.ends[code - 1] as usize };
        std::str::from_utf8(&self.bytes[start..self.ends[code] as usize]).unwrap_or_default()
    }
}

/// Mantissas at one scale: the numbers are `mantissa / 10^scale`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decimals {
    pub scale: u8,
    /// Low 64 bits of the mantissas.
    pub values: Vec<i64>,
    /// High 64 bits, where a value does not fit 64.
    pub high: Option<Vec<i64>>,
}

impl Decimals {
    pub fn mantissa(&self, row: usize) -> i128 {
        match &self.high {
            Some(high) => i128::from(high[row]) << 64 | i128::from(self.values[row] as u64),
            None => i128::from(self.values[row]),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnData {
    Int64(Vec<i64>),
    TimestampUs(Vec<i64>),
    Decimal(Decimals),
    Boolean(Vec<bool>),
    Text(Text),
}

impl ColumnData {
    pub fn column_type(&self) -> ColumnType {
        match self {
            ColumnData::Int64(_) => ColumnType::Int64,
            ColumnData::TimestampUs(_) => ColumnType::TimestampUs,
            ColumnData::Decimal(_) => ColumnType::Decimal,
            ColumnData::Boolean(_) => ColumnType::Boolean,
            ColumnData::Text(_) => ColumnType::Text,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub data: ColumnData,
    /// A bit a row, least significant first, 1 = there is a value; absent: no row is null.
    pub validity: Option<Vec<u8>>,
}

impl Column {
    pub fn is_null(&self, row: usize) -> bool {
        self.validity.as_ref().is_some_and(|bits| bits[row / 8] >> (row % 8) & 1 == 0)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub rows: u32,
    pub columns: Vec<Column>,
}

/// Records set apart, ascending, each with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    pub records: Vec<u32>,
    pub reasons: Text,
}

/// Every record is in exactly one of: at least one row, `ignored`, `rejected`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    pub rows: Table,
    /// The record that each row came from, ascending.
    pub records: Vec<u32>,
    pub kinds: Text,
    pub ignored: Marked,
    pub rejected: Marked,
    /// Decimal values that had more places than their column keeps.
    pub rounded: u64,
}
