//! `[trigger.kafka.schema]`: what a topic's messages hold, for a parse function that reads any JSON.

mod column;
mod ddl;
mod setting;

use std::collections::BTreeMap;

use tallow_contract::schema::{DEFAULT_KIND, FieldType, KindOf, Path, Schema};

pub(crate) use self::column::Column;
use self::column::{COLUMNS, PATH};
pub(crate) use self::setting::settings;
use crate::error::{Problem, Report, suggestion};
use crate::forms::{BOOLEAN, COLUMN, Form, TEXT, Takes};
use crate::node::{Node, Value};
use crate::table::{Rule, table};
use crate::{schema_pieces, values};

table! {
    /// A schema as the manifest states it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Messages in "[trigger.kafka.schema]",
        "What the messages hold. The parse function gets it as its setting `schema`; `parse-json` needs one.";
    rule Rule::AtLeastOne(&["columns", "ddl"], "`columns` or `ddl` says what the messages hold");
    rule Rule::NotBoth("kind", "kind-from");
    fn read(reader, report);

    "The columns as Spark writes a schema: `\"symbol STRING, price DECIMAL(38,8), ts TIMESTAMP\"`. The fields of a STRUCT \
     are columns, and each item of an ARRAY gives a row."
    let ddl: Option<Vec<ddl::Column>> = key("ddl", DDL, none("`columns` alone says it"));

    "The columns by name. A column that `ddl` has too takes the place of that one."
    let named: Vec<ddl::Column> = key("columns", COLUMNS, empty("`ddl` alone says it"), column::read_all);

    "All columns, with the scales that they state."
    let columns: Vec<ddl::Column> = from(Some(together(ddl?.unwrap_or_default(), named?)));

    "The column of the event time, a timestamp. It is the `time` of a window that names none."
    let event_time: String = key("event-time", COLUMN, default("\"event_time\""), |node, report| {
        read_event_time(reader.node(), node, columns.as_deref()?, report)
    });

    "The kind of all rows."
    let kind: Option<String> = key("kind", TEXT, none("`\"json\"`, or what `kind-from` says"));

    "Where in a message its kind is. Messages of kinds that no window takes are ignored without a look at their \
     other values."
    let kind_from: Option<Path> = key("kind-from", PATH, none("all rows are of one kind"));

    "With `on-reject = \"permissive\"`, the text column that holds the messages that could not be read in full."
    let raw: String = key("raw-column", COLUMN, default("\"raw\""));

    "Whether the values begin with the five bytes of Confluent's wire format, and JSON follows."
    let confluent: bool = key("confluent", BOOLEAN, default("false"));

    "What the parse function gets."
    pub schema: Schema = from(Some(Schema {
        columns: columns.clone()?.into_iter().map(|(field, _)| field).collect(),
        event_time: event_time?,
        kind: match kind_from? {
            Some(path) => KindOf::At(path),
            None => KindOf::Fixed(kind?.unwrap_or_else(|| DEFAULT_KIND.to_owned())),
        },
        raw: Some(raw?),
        confluent: confluent?,
    }));

    "Decimal places that columns state."
    pub scales: BTreeMap<String, u8> = from(Some(
        columns?.into_iter().filter_map(|(field, scale)| Some((field.name, scale?))).collect()
    ));
}

pub(crate) const MESSAGES: Form<Messages> = Form::new(
    "a table, or a schema as Spark writes it",
    || schema_pieces::either([schema_pieces::text(), Messages::declaration().schema()]),
    |node, report| match node.value {
        Value::Text(_) => Messages::of_ddl(node, report),
        _ => Messages::read(node, report),
    },
);
const DDL: Form<Vec<ddl::Column>> =
    Form::new("a schema as Spark writes it", schema_pieces::text, |node, report| {
        values::parsed(node, "a schema as Spark writes it", report, |text| {
            ddl::columns(text).map_err(Problem::from)
        })
    });

/// The columns of a DDL string, some of them replaced, and those that it does not have.
fn together(mut columns: Vec<ddl::Column>, named: Vec<ddl::Column>) -> Vec<ddl::Column> {
    for column in named {
        match columns.iter_mut().find(|(known, _)| known.name == column.0.name) {
            Some(known) => *known = column,
            None => columns.push(column),
        }
    }
    columns
}

fn read_event_time(
    table: &Node,
    node: &Node,
    columns: &[ddl::Column],
    report: &mut Report,
) -> Option<String> {
    let name = COLUMN.read(node, report)?;
    let timestamps = columns.iter().filter(|(field, _)| matches!(field.type_, FieldType::Timestamp(_)));
    let timestamps: Vec<&str> = timestamps.map(|(field, _)| field.name.as_str()).collect();
    if timestamps.contains(&name.as_str()) {
        return Some(name);
    }
    // The default has no place of its own in the manifest.
    let node = if node.place.is_some() { node } else { table };
    let named = columns.iter().any(|(field, _)| field.name == name);
    let problem = if named { "is no timestamp" } else { "is no column of the schema" };
    let advice = match timestamps[..] {
        [only] => format!("did you mean `{only}`?"),
        [] => "give it one of the type timestamp".to_owned(),
        _ => suggestion(&name, &timestamps),
    };
    report.at(node, format!("the event time `{name}` {problem}; {advice}"));
    None
}

impl Messages {
    /// A schema that is nothing but a DDL string: its event time is `event_time`, or its only timestamp.
    fn of_ddl(node: &Node, report: &mut Report) -> Option<Self> {
        let columns = DDL.read(node, report)?;
        let timestamps = columns.iter().filter(|(field, _)| matches!(field.type_, FieldType::Timestamp(_)));
        let timestamps: Vec<&str> = timestamps.map(|(field, _)| field.name.as_str()).collect();
        let event_time = match timestamps[..] {
            [only] => only,
            _ if timestamps.contains(&"event_time") => "event_time",
            _ => {
                let problem = "one TIMESTAMP is needed, or one named event_time; else write [trigger.kafka.schema] with \
                               `ddl` and `event-time`";
                report.at(node, problem);
                return None;
            }
        };
        let schema = Schema {
            event_time: event_time.to_owned(),
            kind: KindOf::Fixed(DEFAULT_KIND.to_owned()),
            raw: Some("raw".to_owned()),
            confluent: false,
            columns: columns.iter().map(|(field, _)| field.clone()).collect(),
        };
        let scales = columns.into_iter().filter_map(|(field, scale)| Some((field.name, scale?))).collect();
        Some(Self { schema, scales })
    }
}
