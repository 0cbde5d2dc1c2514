//! The type of a column's values, with the scale of decimals.

use std::fmt;

use crate::ColumnData;

/// The type of a column's values, with the scale of decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    Int64,
    TimestampUs,
    /// With its scale.
    Decimal(u8),
    Float64,
    Boolean,
    Text,
}

impl ValueType {
    pub fn of(data: &ColumnData) -> Self {
        match data {
            ColumnData::Int64(_) => Self::Int64,
            ColumnData::TimestampUs(_) => Self::TimestampUs,
            ColumnData::Decimal(decimals) => Self::Decimal(decimals.scale),
            ColumnData::Float64(_) => Self::Float64,
            ColumnData::Boolean(_) => Self::Boolean,
            ColumnData::Text(_) => Self::Text,
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Self::Int64 | Self::Decimal(_) | Self::Float64)
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int64 => "int64",
            Self::TimestampUs => "timestamp-us",
            Self::Decimal(scale) => return write!(f, "decimal of scale {scale}"),
            Self::Float64 => "float64",
            Self::Boolean => "boolean",
            Self::Text => "text",
        })
    }
}
