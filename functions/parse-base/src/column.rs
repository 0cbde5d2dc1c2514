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

/// Defines `ColumnId`, the columns of a function, and `COLUMNS`, what there is to know about each: its id, name, type,
/// range and meaning.
#[macro_export]
macro_rules! define_columns {
    ($($id:ident: $name:literal, $type:ident, $range:ident, $meaning:literal;)+) => {
        /// A column: its index in [`COLUMNS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum ColumnId {
            $($id),+
        }

        impl ColumnId {
            pub fn info(self) -> &'static $crate::ColumnInfo<ColumnId> {
                &COLUMNS[self as usize]
            }
        }

        impl From<ColumnId> for usize {
            fn from(id: ColumnId) -> usize {
                id as usize
            }
        }

        /// Every column, in the order of [`ColumnId`]. One that a row does not have is null in it.
        pub const COLUMNS: [$crate::ColumnInfo<ColumnId>; [$($name),+].len()] = [
            $($crate::ColumnInfo {
                id: ColumnId::$id,
                name: $name,
                column_type: $crate::ColumnType::$type,
                range: $crate::Range::$range,
                meaning: $meaning,
            }),+
        ];
    };
}
