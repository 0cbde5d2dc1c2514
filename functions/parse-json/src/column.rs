//! A column of the schema, made ready.

use crate::time::Form;

/// A column of the schema. Its value is checked even if the column is not wanted, so that the same messages are broken in
/// every pipeline with this schema.
pub(crate) struct Column {
    pub name: String,
    pub type_: Type,
    pub input: Input,
    pub required: bool,
    /// As JSON.
    pub default: Option<Vec<u8>>,
    /// Index in [`Plan::wanted`].
    pub wanted: Option<usize>,
}

#[derive(Debug)]
pub(crate) enum Type {
    Text,
    Int64,
    Decimal,
    Float64,
    Boolean,
    Timestamp(Form),
}

/// Where a column's value comes from.
pub(crate) enum Input {
    Cell { cell: usize, path: String },
    Key,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Header(String),
}
