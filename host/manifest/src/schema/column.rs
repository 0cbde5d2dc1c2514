//! `[trigger.kafka.schema.columns.NAME]`: one column of the messages.

use serde_json::json;
use tallow_contract::schema::{Field, FieldType, Path, PathError, Source, TimeForm};

use super::ddl;
use crate::error::{Problem, Report};
use crate::forms::{BOOLEAN, Form, Integer, TEXT, Takes};
use crate::node::{Node, Value};
use crate::table::{Rule, table};
use crate::{schema_pieces, values};

table! {
    /// A column as the manifest states it.
    pub(crate) struct Column in "[trigger.kafka.schema.columns.NAME]",
        "A column. `symbol = \"text\"` is short for `symbol = { type = \"text\" }`.";
    rule Rule::NotBoth("path", "from");
    rule Rule::NotBoth("unit", "pattern");
    fn read(reader, report, name: &str);

    "What it holds: numbers may be written as numbers or as strings, and no digit of a decimal is lost. A text takes any \
     value: what is not a string is kept as the JSON that is written."
    let type_: FieldType = key("type", TYPE, required());

    "Where in a message the value is: `data.price`, `levels[0]`, `[\"odd.key\"]`. `trades[].price` gives a row for each \
     item of the array, and repeats the columns outside of it."
    let path: Option<Path> = key("path", PATH, none("the column's name is the key"));

    "What else of a record it is read from: `key`, `topic`, `partition`, `offset`, `timestamp` (Kafka's) or `header:NAME` \
     (the last of that name)."
    let from: Option<Source> = key("from", FROM, none("the message"));

    "The unit of a timestamp that is a number."
    let unit: Option<TimeForm> = key("unit", UNIT, none("it is a string, as in RFC 3339"));

    "The form of a timestamp that is a string of another form, in the notation of strftime: `%d/%m/%Y %H:%M:%S%.f`. It is \
     UTC if it has no zone."
    let pattern: Option<String> = key("pattern", TEXT, none("as in RFC 3339"));

    "Decimal places kept of a decimal. `scales` of the pipeline comes before it."
    pub scale: Option<u8> = key("scale", Integer(0, 18), none("8"));

    "Whether a message without the value, or with null, is rejected. The event time always is."
    let required: bool = key("required", BOOLEAN, default("false"));

    "The value of messages without it or with null, as it would be written in the message."
    let default_: Option<String> = key("default", DEFAULT, none("null"));

    "The column."
    pub field: Field = from(Some(Field {
        name: name.to_owned(),
        type_: timed(reader.node(), type_?, unit?, pattern?, report)?,
        source: match (from?, path?) {
            (Some(source), _) => source,
            (None, Some(path)) => Source::Value(path),
            (None, None) => Source::Value(Path::key(name)),
        },
        required: required?,
        default: default_?,
    }));
}

pub(super) const COLUMNS: Form<()> = Form::shown("a table of columns", || {
    let column = schema_pieces::either([
        json!({ "enum": TYPES.map(|(word, _)| word) }),
        Column::declaration().schema(),
    ]);
    schema_pieces::map(column)
});
pub(super) const PATH: Form<Path> =
    Form::new("a path, such as `\"data.trades[].price\"`", schema_pieces::text, |node, report| {
        values::parsed(node, "a path, such as \"data.trades[].price\"", report, |text| {
            text.parse().map_err(|error: PathError| Problem::from(error.to_string()))
        })
    });
const DEFAULT: Form<String> = Form::new(
    "a string, a number or a boolean",
    || json!({ "type": ["string", "number", "boolean"] }),
    |node, report| match &node.value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(yes) => Some(yes.to_string()),
        _ => values::text(node, report),
    },
);
const FROM: Form<Source> = Form::new(
    "`\"key\"`, `\"topic\"`, `\"partition\"`, `\"offset\"`, `\"timestamp\"` or `\"header:NAME\"`",
    || schema_pieces::matching("key|topic|partition|offset|timestamp|header:.+"),
    |node, report| {
        values::parsed(node, "a part of a record", report, |text| match text {
            "key" => Ok(Source::Key),
            "topic" => Ok(Source::Topic),
            "partition" => Ok(Source::Partition),
            "offset" => Ok(Source::Offset),
            "timestamp" => Ok(Source::Timestamp),
            _ => match text.strip_prefix("header:") {
                Some(header) if !header.is_empty() => Ok(Source::Header(header.to_owned())),
                _ => {
                    Err("a record has a key, topic, partition, offset, timestamp, and headers as header:NAME"
                        .into())
                }
            },
        })
    },
);
const TYPES: [(&str, FieldType); 6] = [
    ("text", FieldType::Text),
    ("int64", FieldType::Int64),
    ("decimal", FieldType::Decimal),
    ("float64", FieldType::Float64),
    ("boolean", FieldType::Boolean),
    ("timestamp", FieldType::Timestamp(TimeForm::Iso)),
];
const UNITS: [(&str, TimeForm); 4] = [
    ("s", TimeForm::Seconds),
    ("ms", TimeForm::Milliseconds),
    ("us", TimeForm::Microseconds),
    ("ns", TimeForm::Nanoseconds),
];
const TYPE: Form<FieldType> = Form::new(
    "`\"text\"`, `\"int64\"`, `\"decimal\"`, `\"float64\"`, `\"boolean\"` or `\"timestamp\"`",
    || json!({ "enum": TYPES.map(|(word, _)| word) }),
    |node, report| one_of(node, &TYPES, report),
);
const UNIT: Form<TimeForm> = Form::new(
    "`\"s\"`, `\"ms\"`, `\"us\"` or `\"ns\"`",
    || json!({ "enum": UNITS.map(|(word, _)| word) }),
    |node, report| one_of(node, &UNITS, report),
);

fn one_of<T: Clone>(node: &Node, words: &[(&str, T)], report: &mut Report) -> Option<T> {
    let numbered: Vec<(&str, usize)> = words.iter().enumerate().map(|(at, (word, _))| (*word, at)).collect();
    values::choice(node, &numbered, report).map(|at| words[at].1.clone())
}

pub(super) fn read_all(node: &Node, report: &mut Report) -> Option<Vec<ddl::Column>> {
    values::entries(node, report, |entry, report| {
        if let Err(problem) = crate::aggregate::column(&entry.key) {
            report.add(entry.key_place, &entry.node.path, problem);
        }
        if !matches!(entry.node.value, Value::Text(_)) {
            let column = Column::read(&entry.node, &entry.key, report)?;
            return Some((column.field, column.scale));
        }
        let type_ = TYPE.read(&entry.node, report)?;
        let source = Source::Value(Path::key(entry.key.as_str()));
        Some((Field { name: entry.key.clone(), type_, source, required: false, default: None }, None))
    })
}

/// A timestamp with its form; units and patterns of anything else are mistakes.
fn timed(
    node: &Node,
    type_: FieldType,
    unit: Option<TimeForm>,
    pattern: Option<String>,
    report: &mut Report,
) -> Option<FieldType> {
    let form = unit.or(pattern.map(TimeForm::Pattern));
    match (type_, form) {
        (FieldType::Timestamp(_), Some(form)) => Some(FieldType::Timestamp(form)),
        (_, Some(_)) => {
            report.at(node, "only a timestamp has a `unit` or a `pattern`");
            None
        }
        (type_, None) => Some(type_),
    }
}
