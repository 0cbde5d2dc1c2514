//! What the columns of a table are.

use serde::{Deserialize, Serialize};

use crate::contracts::types::{Column, ColumnData};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnInfo {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: ColumnKind,
    /// Decimal places, of a decimal column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnKind {
    Int64,
    TimestampUs,
    Decimal,
    Float64,
    Boolean,
    Text,
}

impl ColumnInfo {
    pub fn of(column: &Column) -> Self {
        let (kind, scale) = match &column.data {
            ColumnData::Int64(_) => (ColumnKind::Int64, None),
            ColumnData::TimestampUs(_) => (ColumnKind::TimestampUs, None),
            ColumnData::Decimal(decimals) => (ColumnKind::Decimal, Some(decimals.scale)),
            ColumnData::Float64(_) => (ColumnKind::Float64, None),
            ColumnData::Boolean(_) => (ColumnKind::Boolean, None),
            ColumnData::Text(_) => (ColumnKind::Text, None),
        };
        Self { name: column.name.clone(), kind, scale }
    }
}
