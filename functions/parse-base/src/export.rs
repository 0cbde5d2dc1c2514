//! The contract `tallow:parse` around a function written in plain Rust.

/// Exports a parse function as a component: vectors are moved, never walked. The calling crate depends on
/// `wit-bindgen`, lies two folders below the workspace's root, and gives its kinds (an array of names), its
/// columns, its `parse`, and whether it reads the records' keys.
#[macro_export]
macro_rules! export_parse_function {
    (kinds: $kinds:expr, columns: $columns:expr, parse: $parse:path, wants_keys: $wants_keys:expr) => {
        wit_bindgen::generate!({
            path: ["../../wit/types", "../../wit/parse"],
            world: "tallow:parse/parse-function",
            generate_all,
        });

        use exports::tallow::parse::parse as contract;
        use tallow::types::types;

        struct Component;

        export!(Component);

        impl contract::Guest for Component {
            fn describe() -> contract::Description {
                contract::Description {
                    name: env!("CARGO_PKG_NAME").to_owned(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    kinds: $kinds.map(|kind: &str| kind.to_owned()).to_vec(),
                    columns: $columns
                        .iter()
                        .map(|info| contract::ColumnInfo {
                            name: info.name.to_owned(),
                            type_: column_type(info.column_type),
                            meaning: info.meaning.to_owned(),
                        })
                        .collect(),
                    wants_keys: $wants_keys,
                    wants_headers: false,
                }
            }

            fn parse(batch: types::Batch, options: contract::Options) -> Result<contract::Parsed, String> {
                let batch = $crate::Batch { values: bytes(batch.values), keys: batch.keys.map(bytes) };
                let options = $crate::Options {
                    kinds: options.kinds,
                    columns: options
                        .columns
                        .into_iter()
                        .map(|column| $crate::WantedColumn { name: column.name, scale: column.scale })
                        .collect(),
                    settings: options.settings,
                };
                $parse(&batch, &options).map(parsed)
            }
        }

        fn column_type(column_type: $crate::ColumnType) -> contract::ColumnType {
            match column_type {
                $crate::ColumnType::Int64 => contract::ColumnType::Int64,
                $crate::ColumnType::TimestampUs => contract::ColumnType::TimestampUs,
                $crate::ColumnType::Decimal => contract::ColumnType::Decimal,
                $crate::ColumnType::Boolean => contract::ColumnType::Boolean,
                $crate::ColumnType::Text => contract::ColumnType::Text,
            }
        }

        fn bytes(column: types::ByteColumn) -> $crate::ByteColumn {
            $crate::ByteColumn { bytes: column.bytes, ends: column.ends, nulls: column.nulls }
        }

        fn parsed(parsed: $crate::output::Parsed) -> contract::Parsed {
            contract::Parsed {
                rows: types::Table {
                    rows: parsed.rows.rows,
                    columns: parsed.rows.columns.into_iter().map(column).collect(),
                },
                records: parsed.records,
                kinds: text(parsed.kinds),
                ignored: marked(parsed.ignored),
                rejected: marked(parsed.rejected),
                rounded: parsed.rounded,
            }
        }

        fn column(column: $crate::output::Column) -> types::Column {
            types::Column {
                name: column.name.to_owned(),
                data: match column.data {
                    $crate::output::ColumnData::Int64(values) => types::ColumnData::Int64(values),
                    $crate::output::ColumnData::TimestampUs(values) => types::ColumnData::TimestampUs(values),
                    $crate::output::ColumnData::Decimal($crate::output::Decimals { scale, values, high }) => {
                        types::ColumnData::Decimal(types::Decimals { scale, values, high })
                    }
                    $crate::output::ColumnData::Boolean(values) => types::ColumnData::Boolean(values),
                    $crate::output::ColumnData::Text(values) => types::ColumnData::Text(text(values)),
                },
                validity: column.validity,
            }
        }

        fn text(text: $crate::output::Text) -> types::Text {
            types::Text { bytes: text.bytes, ends: text.ends, codes: text.codes }
        }

        fn marked(marked: $crate::output::Marked) -> contract::Marked {
            contract::Marked { records: marked.records, reasons: text(marked.reasons) }
        }
    };
}
