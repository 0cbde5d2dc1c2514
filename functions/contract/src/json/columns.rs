//! What the columns of a table are.

use serde::{Deserialize, Serialize};

use crate::{Column, ColumnData, ColumnType};

/// A column's name and type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnInfo {
    pub name: String,
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Places of a decimal column; 8 if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u8>,
}

impl ColumnInfo {
    /// What a column is.
    pub fn of(column: &Column) -> Self {
        let scale = match &column.data {
            ColumnData::Decimal(decimals) => Some(decimals.scale),
            _ => None,
        };
        Self { name: column.name.clone(), column_type: column.data.column_type(), scale }
    }
}
