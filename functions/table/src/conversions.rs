//! Each world that wit-bindgen makes has a `tallow:types` of its own: the conversions are written once, here.

/// Makes `text_in`, `table_in` and `table_out` for the types in the given module.
#[macro_export]
macro_rules! conversions {
    ($($types:ident)::+) => {
        use $($types)::+ as wit_types;

        fn text_in(text: wit_types::Text) -> $crate::table::Text {
            $crate::table::Text { bytes: text.bytes, ends: text.ends, codes: text.codes }
        }

        fn table_in(table: wit_types::Table) -> $crate::table::Table {
            $crate::table::Table {
                rows: table.rows,
                columns: table.columns.into_iter().map(column_in).collect(),
            }
        }

        fn column_in(column: wit_types::Column) -> $crate::table::Column {
            use $crate::table::ColumnData;
            let data = match column.data {
                wit_types::ColumnData::Int64(values) => ColumnData::Int64(values),
                wit_types::ColumnData::TimestampUs(values) => ColumnData::TimestampUs(values),
                wit_types::ColumnData::Decimal(decimals) => ColumnData::Decimal($crate::table::Decimals {
                    scale: decimals.scale,
                    values: decimals.values,
                    high: decimals.high,
                }),
                wit_types::ColumnData::Float64(values) => ColumnData::Float64(values),
                wit_types::ColumnData::Boolean(values) => ColumnData::Boolean(values),
                wit_types::ColumnData::Text(text) => ColumnData::Text(text_in(text)),
            };
            $crate::table::Column { name: column.name, data, validity: column.validity }
        }

        fn table_out(table: $crate::table::Table) -> wit_types::Table {
            wit_types::Table {
                rows: table.rows,
                columns: table.columns.into_iter().map(column_out).collect(),
            }
        }

        fn column_out(column: $crate::table::Column) -> wit_types::Column {
            use $crate::table::ColumnData;
            let data = match column.data {
                ColumnData::Int64(values) => wit_types::ColumnData::Int64(values),
                ColumnData::TimestampUs(values) => wit_types::ColumnData::TimestampUs(values),
                ColumnData::Decimal(decimals) => wit_types::ColumnData::Decimal(wit_types::Decimals {
                    scale: decimals.scale,
                    values: decimals.values,
                    high: decimals.high,
                }),
                ColumnData::Float64(values) => wit_types::ColumnData::Float64(values),
                ColumnData::Boolean(values) => wit_types::ColumnData::Boolean(values),
                ColumnData::Text(text) => wit_types::ColumnData::Text(wit_types::Text {
                    bytes: text.bytes,
                    ends: text.ends,
                    codes: text.codes,
                }),
            };
            wit_types::Column { name: column.name, data, validity: column.validity }
        }
    };
}
