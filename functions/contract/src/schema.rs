//! What the messages of a topic hold: columns, and where each one is in a message. A manifest states it; a parse function
//! gets it as JSON in its setting [`SETTING`].

mod described;
mod path;

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::ColumnType;

pub use path::{Path, PathError, Step};

/// The setting of a parse function that holds the schema.
pub const SETTING: &str = "schema";

/// The kind of the rows if a schema names none.
pub const DEFAULT_KIND: &str = "json";

/// Columns of messages, in the manifest's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Schema {
    pub columns: Vec<Field>,
    /// The column that holds the event time.
    pub event_time: String,
    pub kind: KindOf,
    /// The text column that holds the values of records that cannot be read in full: such a record keeps its row, with
    /// nulls. `None` if such a record is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Values begin with Confluent's five bytes (zero, and the schema's id), and JSON follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confluent: bool,
}

/// The kind of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KindOf {
    Fixed(String),
    /// The text at this place of the message.
    At(Path),
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub type_: FieldType,
    pub source: Source,
    /// A record without a value is rejected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Taken if the value is missing or null, and read like a value of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// Where a column's value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    Value(Path),
    Key,
    Topic,
    Partition,
    Offset,
    /// Kafka's timestamp.
    Timestamp,
    /// The last header of this name.
    Header(String),
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Source::Value(path) => path.fmt(f),
            Source::Key => f.write_str("the record's key"),
            Source::Topic => f.write_str("the record's topic"),
            Source::Partition => f.write_str("the record's partition"),
            Source::Offset => f.write_str("the record's offset"),
            Source::Timestamp => f.write_str("the record's timestamp in Kafka"),
            Source::Header(name) => write!(f, "the record's header `{name}`"),
        }
    }
}

/// What a column holds, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// A string's text; the JSON as it is written of anything else.
    Text,
    /// 64 bits, as a number or a string.
    Int64,
    /// Exact, as a number or a string.
    Decimal,
    /// The nearest double, as a number or a string.
    Float64,
    Boolean,
    Timestamp(TimeForm),
}

impl FieldType {
    pub fn column_type(&self) -> ColumnType {
        match self {
            FieldType::Text => ColumnType::Text,
            FieldType::Int64 => ColumnType::Int64,
            FieldType::Decimal => ColumnType::Decimal,
            FieldType::Float64 => ColumnType::Float64,
            FieldType::Boolean => ColumnType::Boolean,
            FieldType::Timestamp(_) => ColumnType::TimestampUs,
        }
    }
}

/// How a timestamp is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeForm {
    /// RFC 3339, or a date with or without a time of day; UTC if no zone is written.
    Iso,
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
    /// A pattern of `chrono`, such as `%d/%m/%Y %H:%M:%S%.f`; UTC if it has no zone.
    Pattern(String),
}

impl Schema {
    /// Whether a column comes from the records' keys.
    pub fn reads_keys(&self) -> bool {
        self.columns.iter().any(|field| field.source == Source::Key)
    }

    /// Whether a column comes from the records' headers.
    pub fn reads_headers(&self) -> bool {
        self.columns.iter().any(|field| matches!(field.source, Source::Header(_)))
    }

    /// The schema as the setting's value.
    pub fn to_setting(&self) -> String {
        // Nothing in it can fail to be written: no map has keys that are not text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The schema of a function with these settings, if it has one that can be read.
    pub fn of(settings: &[(String, String)]) -> Option<Self> {
        let (_, text) = settings.iter().find(|(name, _)| name == SETTING)?;
        Self::from_setting(text).ok()
    }

    /// The schema of a setting's value.
    ///
    /// # Errors
    /// The text is no schema.
    pub fn from_setting(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
