//! What the unit tests share: trades, and a schema for them.

use tallow_contract::parse::WantedColumn;
use tallow_contract::schema::{Field, FieldType, KindOf, Path, SETTING, Schema, Source, TimeForm};
use tallow_contract::{Batch, Run};

use parse_base::Options;

pub fn options() -> Options {
    let field = |name: &str, type_, key: &str| Field {
        name: name.to_owned(),
        type_,
        source: Source::Value(Path::key(key)),
        required: true,
        default: None,
    };
    let columns = vec![
        field("symbol", FieldType::Text, "s"),
        field("event_time", FieldType::Timestamp(TimeForm::Milliseconds), "T"),
        field("id", FieldType::Int64, "t"),
        field("price", FieldType::Decimal, "p"),
        field("buyer", FieldType::Boolean, "m"),
    ];
    let wanted = columns.iter().map(|it| WantedColumn { name: it.name.clone(), scale: 8 }).collect();
    let (event_time, kind) = ("event_time".to_owned(), KindOf::At(Path::key("e")));
    let schema = Schema { columns, event_time, kind, raw: None, confluent: false };
    Options {
        kinds: vec!["trade".to_owned()],
        columns: wanted,
        settings: vec![(SETTING.to_owned(), schema.to_setting())],
    }
}

pub fn batch<V: AsRef<[u8]>>(values: &[V]) -> Batch {
    let mut batch = Batch { topics: vec!["t".to_owned()], ..Batch::default() };
    for value in values {
        batch.values.push(Some(value.as_ref()));
        batch.offsets.push(0);
        batch.timestamps_us.push(0);
    }
    batch.runs = vec![Run { topic: 0, partition: 0, records: values.len() as u32 }];
    batch
}
