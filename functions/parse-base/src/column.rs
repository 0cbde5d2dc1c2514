//! What there is to know about a column that a function can make.

pub use tallow_contract::ColumnType;

use crate::decimal::Number;

/// Which decimals a column takes; others are broken messages, not market data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    Positive,
    NotNegative,
    Any,
}

impl Range {
    /// What is wrong with a number that is out of range.
    pub fn fault(self, number: &Number<'_>) -> Option<&'static str> {
        match self {
            Range::Positive if number.zero => Some("zero"),
            Range::Positive | Range::NotNegative if number.negative && !number.zero => Some("negative"),
            _ => None,
        }
    }
}

/// A column; `Id` tells it from the function's others.
#[derive(Debug)]
pub struct ColumnInfo<Id> {
    pub id: Id,
    pub name: &'static str,
    pub column_type: ColumnType,
    pub range: Range,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

pub const fn column<Id: Copy>(
    id: Id,
    name: &'static str,
    column_type: ColumnType,
    range: Range,
    meaning: &'static str,
) -> ColumnInfo<Id> {
    ColumnInfo { id, name, column_type, range, meaning }
}
