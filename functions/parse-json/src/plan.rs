//! The schema and what is asked for, checked once a call.

use std::collections::BTreeSet;

use parse_base::builder::Builder;
use parse_base::json::Value;
use parse_base::options::{MAX_SCALE, unknown};
use parse_base::reason::{Apart, Step};
use parse_base::{ColumnType, Options};
use tallow_contract::Refusal;
use tallow_contract::schema::{Field, FieldType, KindOf, Path, SETTING, Schema, Source};

use crate::column::{Column, Input, Type};
use crate::time::Form;
use crate::tree::Tree;

pub(crate) type Rows = parse_base::rows::Rows<Vec<Builder>>;

/// As errors name it.
const FUNCTION: &str = "parse-json";

/// Options that hold.
pub(crate) struct Plan {
    pub columns: Vec<Column>,
    pub tree: Tree,
    /// The column of each cell. The kind's own cell, if there is one, comes after them.
    pub cell_columns: Vec<usize>,
    pub kind: Kind,
    /// Kinds to make rows of; empty: all.
    kinds: BTreeSet<String>,
    /// Index in `columns`.
    pub event_time: usize,
    /// `Some`: what cannot be read is null. It holds the wanted column, if it is wanted, that gets the record's value.
    pub permissive: Option<Option<usize>>,
    pub confluent: bool,
    /// What is asked for, in the caller's order.
    pub wanted: Vec<Wanted>,
}

/// A column to make.
pub(crate) struct Wanted {
    pub name: String,
    pub column_type: ColumnType,
    pub scale: u8,
}

pub(crate) enum Kind {
    Fixed(String),
    At { cell: usize, path: String },
}

impl Plan {
    /// The error names the setting, column or path that does not hold.
    pub fn new(options: &Options) -> Result<Self, Refusal> {
        let schema = schema(options)?;
        let wanted = wanted(options, &schema)?;
        let (mut paths, mut cell_columns) = (Vec::<&Path>::new(), Vec::new());
        let mut columns = Vec::with_capacity(schema.columns.len());
        for field in &schema.columns {
            let mut cell = || paths.len();
            let column = column(field, &mut cell, &wanted)?;
            if let Source::Value(path) = &field.source {
                paths.push(path);
                cell_columns.push(columns.len());
            }
            columns.push(column);
        }
        let kind = match &schema.kind {
            KindOf::Fixed(kind) => Kind::Fixed(kind.clone()),
            KindOf::At(path) => {
                paths.push(path);
                Kind::At { cell: paths.len() - 1, path: path.to_string() }
            }
        };
        let event_time = columns.iter().position(|column| column.name == schema.event_time);
        let event_time =
            event_time.filter(|at| matches!(columns[*at].type_, Type::Timestamp(_))).ok_or_else(|| {
                format!("event-time `{}` is no timestamp column of the schema", schema.event_time)
            })?;
        let raw = schema.raw.as_ref().map(|raw| wanted.iter().position(|it| it.name == *raw));
        Ok(Plan {
            tree: Tree::new(paths.iter().copied())?,
            cell_columns,
            columns,
            kind,
            kinds: options.kinds.iter().cloned().collect(),
            event_time,
            permissive: raw,
            confluent: schema.confluent,
            wanted,
        })
    }

    /// How many cells a message has.
    pub fn cells(&self) -> usize {
        self.cell_columns.len() + usize::from(matches!(self.kind, Kind::At { .. }))
    }

    /// The wanted columns, for rows to come.
    pub fn rows(&self, expected_rows: usize) -> Rows {
        let builder = |it: &Wanted| Builder::new(&it.name, it.column_type, it.scale, expected_rows);
        Rows::new(self.wanted.iter().map(builder).collect(), expected_rows)
    }

    pub fn wants(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(kind)
    }
}

fn schema(options: &Options) -> Result<Schema, Refusal> {
    if let Some((other, _)) = options.settings.iter().find(|(name, _)| name != SETTING) {
        return Err(unknown(FUNCTION, "setting", other, [SETTING]));
    }
    let Some((_, text)) = options.settings.first() else {
        return Err(format!("{FUNCTION} needs a schema: [trigger.kafka.schema] in the manifest").into());
    };
    let schema = Schema::from_setting(text).map_err(|error| format!("setting `{SETTING}`: {error}"))?;
    let mut names = BTreeSet::new();
    let raw = schema.raw.iter();
    match schema.columns.iter().map(|field| &field.name).chain(raw).find(|name| !names.insert(*name)) {
        Some(twice) => Err(format!("column `{twice}` is in the schema twice").into()),
        None => Ok(schema),
    }
}

fn wanted(options: &Options, schema: &Schema) -> Result<Vec<Wanted>, Refusal> {
    let mut wanted: Vec<Wanted> = Vec::with_capacity(options.columns.len());
    for column in &options.columns {
        let (name, scale) = (&column.name, column.scale);
        let field = schema.columns.iter().find(|field| field.name == *name);
        let column_type = match field {
            Some(field) => field.type_.column_type(),
            None if schema.raw.as_ref() == Some(name) => ColumnType::Text,
            None => {
                let known = schema.columns.iter().map(|field| field.name.as_str());
                return Err(unknown("the schema", "column", name, known));
            }
        };
        if wanted.iter().any(|known| known.name == *name) {
            return Err(format!("column `{name}` is asked for twice").into());
        }
        if scale > MAX_SCALE {
            return Err(format!("column `{name}`: scale {scale} is above {MAX_SCALE}").into());
        }
        wanted.push(Wanted { name: name.clone(), column_type, scale });
    }
    Ok(wanted)
}

fn column(field: &Field, cell: &mut impl FnMut() -> usize, wanted: &[Wanted]) -> Result<Column, Refusal> {
    let name = &field.name;
    let type_ = match &field.type_ {
        FieldType::Text => Type::Text,
        FieldType::Int64 => Type::Int64,
        FieldType::Decimal => Type::Decimal,
        FieldType::Float64 => Type::Float64,
        FieldType::Boolean => Type::Boolean,
        FieldType::Timestamp(form) => {
            Type::Timestamp(Form::new(form).map_err(|error| format!("column `{name}`: {error}"))?)
        }
    };
    let input = match &field.source {
        Source::Value(path) => Input::Cell { cell: cell(), path: path.to_string() },
        Source::Key => Input::Key,
        Source::Topic => Input::Topic,
        Source::Partition => Input::Partition,
        Source::Offset => Input::Offset,
        Source::Timestamp => Input::Timestamp,
        Source::Header(header) => Input::Header(header.clone()),
    };
    let only = match (&input, &type_) {
        (Input::Partition | Input::Offset, type_) if !matches!(type_, Type::Int64) => Some("int64"),
        (Input::Timestamp, type_) if !matches!(type_, Type::Timestamp(_)) => Some("timestamp"),
        (Input::Topic, type_) if !matches!(type_, Type::Text) => Some("text"),
        _ => None,
    };
    if let Some(only) = only {
        return Err(format!("column `{name}`: what it is read from is of the type {only}").into());
    }
    let default = field.default.as_ref().map(|default| match type_ {
        Type::Boolean => default.as_bytes().to_vec(),
        _ => serde_json::Value::from(default.as_str()).to_string().into_bytes(),
    });
    let column = Column {
        name: name.clone(),
        type_,
        input,
        required: field.required,
        default,
        wanted: wanted.iter().position(|wanted| wanted.name == *name),
    };
    if let Some(default) = &column.default {
        let checked: Step<()> = crate::convert::check(&column, Value(default));
        checked.map_err(|apart: Box<Apart>| format!("column `{name}`: its default: {}", apart.reason()))?;
    }
    Ok(column)
}
