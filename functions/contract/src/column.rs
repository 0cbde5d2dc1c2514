//! Columns as they cross the boundary.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{Decimals, Refusal, Text, is_valid, refuse};

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum ColumnType {
    Int64,
    /// Microseconds since 1970-01-01 UTC.
    TimestampUs,
    Decimal,
    Float64,
    Boolean,
    /// UTF-8.
    Text,
}

impl ColumnType {
    /// All types, in the order of WIT.
    pub const ALL: [Self; 6] =
        [Self::Int64, Self::TimestampUs, Self::Decimal, Self::Float64, Self::Boolean, Self::Text];

    /// The name in WIT, manifests and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int64 => "int64",
            Self::TimestampUs => "timestamp-us",
            Self::Decimal => "decimal",
            Self::Float64 => "float64",
            Self::Boolean => "boolean",
            Self::Text => "text",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// A column's values, one per row. The value of a null row means nothing.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(variant))]
pub enum ColumnData {
    #[cfg_attr(feature = "wasmtime", component(name = "int64"))]
    Int64(Vec<i64>),
    /// Microseconds since 1970-01-01 UTC.
    #[cfg_attr(feature = "wasmtime", component(name = "timestamp-us"))]
    TimestampUs(Vec<i64>),
    #[cfg_attr(feature = "wasmtime", component(name = "decimal"))]
    Decimal(Decimals),
    #[cfg_attr(feature = "wasmtime", component(name = "float64"))]
    Float64(Vec<f64>),
    #[cfg_attr(feature = "wasmtime", component(name = "boolean"))]
    Boolean(Vec<bool>),
    #[cfg_attr(feature = "wasmtime", component(name = "text"))]
    Text(Text),
}

impl ColumnData {
    /// How many rows the column has.
    pub fn len(&self) -> usize {
        match self {
            Self::Int64(values) | Self::TimestampUs(values) => values.len(),
            Self::Decimal(decimals) => decimals.values.len(),
            Self::Float64(values) => values.len(),
            Self::Boolean(values) => values.len(),
            Self::Text(text) => text.codes.len(),
        }
    }

    /// Whether the column has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type of the values.
    pub fn column_type(&self) -> ColumnType {
        match self {
            Self::Int64(_) => ColumnType::Int64,
            Self::TimestampUs(_) => ColumnType::TimestampUs,
            Self::Decimal(_) => ColumnType::Decimal,
            Self::Float64(_) => ColumnType::Float64,
            Self::Boolean(_) => ColumnType::Boolean,
            Self::Text(_) => ColumnType::Text,
        }
    }

    /// The type's name, for messages.
    pub fn type_name(&self) -> &'static str {
        self.column_type().name()
    }
}

/// A named column.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct Column {
    pub name: String,
    pub data: ColumnData,
    /// One bit per row, least significant bit first, 1 = there is a value. `None`: no row is null.
    pub validity: Option<Vec<u8>>,
}

impl Column {
    /// Whether a row has a value.
    ///
    /// # Panics
    /// If the bitmap has no bit for the row.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        is_valid(self.validity.as_deref(), row)
    }

    /// The values of an int64 column.
    ///
    /// # Errors
    /// The column is of another type, as for the functions below.
    pub fn int64s(&self) -> Result<&[i64], Refusal> {
        if let ColumnData::Int64(values) = &self.data { Ok(values) } else { self.is_not(ColumnType::Int64) }
    }

    /// The values of a timestamp-us column.
    pub fn times_us(&self) -> Result<&[i64], Refusal> {
        match &self.data {
            ColumnData::TimestampUs(values) => Ok(values),
            _ => self.is_not(ColumnType::TimestampUs),
        }
    }

    /// The values of a boolean column.
    pub fn booleans(&self) -> Result<&[bool], Refusal> {
        if let ColumnData::Boolean(values) = &self.data {
            Ok(values)
        } else {
            self.is_not(ColumnType::Boolean)
        }
    }

    /// The values of a text column.
    pub fn texts(&self) -> Result<&Text, Refusal> {
        if let ColumnData::Text(text) = &self.data { Ok(text) } else { self.is_not(ColumnType::Text) }
    }

    fn is_not<T>(&self, needed: ColumnType) -> Result<T, Refusal> {
        refuse!("column `{}` is {}, and {} is needed", self.name, self.data.type_name(), needed.name())
    }
}
