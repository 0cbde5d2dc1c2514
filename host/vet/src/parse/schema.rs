//! Messages for functions that read any message by a schema.

use serde_json::{Map, Value};
use tallow_contract::schema::{FieldType, KindOf, Schema, Source, Step, TimeForm};
use tallow_env::Random;

/// A message as the schema has it, with its kind.
pub fn message(schema: &Schema, kind: Option<&str>, random: &dyn Random) -> Vec<u8> {
    let mut message = Value::Null;
    if let (KindOf::At(path), Some(kind)) = (&schema.kind, kind) {
        *place(&mut message, path.steps()) = kind.into();
    }
    for field in &schema.columns {
        if let Source::Value(path) = &field.source {
            *place(&mut message, path.steps()) = value(&field.type_, random);
        }
    }
    message.to_string().into_bytes()
}

/// The place at a path, which is made if it is missing. An array has as many items as the path needs.
fn place<'v>(mut at: &'v mut Value, steps: &[Step]) -> &'v mut Value {
    for step in steps {
        at = match step {
            Step::Key(key) => {
                if !at.is_object() {
                    *at = Map::new().into();
                }
                &mut at[key.as_str()]
            }
            Step::Item(_) | Step::Every => {
                // No schema of a trial needs more.
                let index = if let Step::Item(index) = step { (*index as usize).min(1000) } else { 0 };
                if !at.is_array() {
                    *at = Vec::<Value>::new().into();
                }
                if let Some(items) = at.as_array_mut()
                    && items.len() <= index
                {
                    items.resize(index + 1, Value::Null);
                }
                &mut at[index]
            }
        };
    }
    at
}

fn value(type_: &FieldType, random: &dyn Random) -> Value {
    let seconds = 1_700_000_000 + random.below(1_000_000);
    match type_ {
        FieldType::Text => format!("SYN{}", random.below(4)).into(),
        FieldType::Int64 => (random.next_u64() >> 20).into(),
        FieldType::Decimal => format!("{}.{}", random.below(100_000), random.below(1_000_000)).into(),
        FieldType::Float64 => (random.unit() * 1e6).into(),
        FieldType::Boolean => (random.below(2) == 0).into(),
        FieldType::Timestamp(form) => match form {
            TimeForm::Iso => format!("2024-01-02T03:{:02}:{:02}Z", seconds % 60, seconds / 60 % 60).into(),
            TimeForm::Seconds => seconds.into(),
            TimeForm::Milliseconds => (seconds * 1_000).into(),
            TimeForm::Microseconds => (seconds * 1_000_000).into(),
            TimeForm::Nanoseconds => (seconds * 1_000_000_000).into(),
            // Golden vectors and topics have messages with such times.
            TimeForm::Pattern(_) => Value::Null,
        },
    }
}
