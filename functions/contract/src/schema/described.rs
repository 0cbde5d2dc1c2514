//! What a function is by its schema.

use std::borrow::Cow;

use super::{KindOf, Schema};
use crate::ColumnType;
use crate::parse::{ColumnInfo, Description};

impl Description {
    /// The function with these settings. If it names no column itself, it has those of its schema; no kinds mean that
    /// the messages name them. It is given keys and headers only if the schema reads them.
    pub fn with_settings(&self, settings: &[(String, String)]) -> Cow<'_, Description> {
        let Some(schema) = Schema::of(settings).filter(|_| self.columns.is_empty()) else {
            return Cow::Borrowed(self);
        };
        Cow::Owned(Description {
            kinds: match &schema.kind {
                KindOf::Fixed(kind) => vec![kind.clone()],
                KindOf::At(_) => Vec::new(),
            },
            columns: columns(&schema),
            wants_keys: self.wants_keys && schema.reads_keys(),
            wants_headers: self.wants_headers && schema.reads_headers(),
            ..self.clone()
        })
    }
}

fn columns(schema: &Schema) -> Vec<ColumnInfo> {
    let column = |name: &str, type_, meaning: String| ColumnInfo { name: name.to_owned(), type_, meaning };
    let fields = schema
        .columns
        .iter()
        .map(|field| column(&field.name, field.type_.column_type(), field.source.to_string()));
    let raw = schema.raw.iter().map(|raw| {
        column(raw, ColumnType::Text, "the value of a record that could not be read in full".to_owned())
    });
    fields.chain(raw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(own_columns: bool, schema: &str) -> Description {
        let own = ColumnInfo { name: "own".into(), type_: ColumnType::Text, meaning: "its own".into() };
        let function = Description {
            name: "f".into(),
            version: "1".into(),
            kinds: Vec::new(),
            columns: own_columns.then_some(own).into_iter().collect(),
            wants_keys: true,
            wants_headers: true,
        };
        function.with_settings(&[("schema".to_owned(), schema.to_owned())]).into_owned()
    }

    const SCHEMA: &str = r#"{"event-time":"ts","kind":{"fixed":"fill"},"raw":"raw","columns":[
        {"name":"ts","type":{"timestamp":"iso"},"source":{"value":"at[].ms"}},
        {"name":"account","type":"text","source":"key"}]}"#;

    #[test]
    fn a_schema_gives_a_function_its_kinds_and_columns() {
        let function = described(false, SCHEMA);
        let columns: Vec<_> =
            function.columns.iter().map(|it| (it.name.as_str(), it.type_, it.meaning.as_str())).collect();
        assert_eq!(
            columns,
            [
                ("ts", ColumnType::TimestampUs, "at[].ms"),
                ("account", ColumnType::Text, "the record's key"),
                ("raw", ColumnType::Text, "the value of a record that could not be read in full"),
            ]
        );
        assert_eq!(function.kinds, ["fill"]);
        assert_eq!((function.wants_keys, function.wants_headers), (true, false));
        let of_messages = described(false, &SCHEMA.replace(r#"{"fixed":"fill"}"#, r#"{"at":"type"}"#));
        assert_eq!(of_messages.kinds, [""; 0]);
    }

    #[test]
    fn a_function_that_names_its_columns_keeps_them() {
        assert_eq!(described(true, SCHEMA).columns[0].name, "own");
        assert_eq!(described(false, "no schema").columns, []);
    }
}
