//! The contract `tallow:parse` around a function written in plain Rust.

/// Exports a parse function as a component: vectors are moved, never walked. The calling crate depends on
/// `wit-bindgen` and `tallow-contract`, lies two folders below the workspace's root, and gives its kinds (an array of
/// names), its columns, its `parse`, and whether it reads the records' keys.
#[macro_export]
macro_rules! export_parse_function {
    (kinds: $kinds:expr, columns: $columns:expr, parse: $parse:path, wants_keys: $wants_keys:expr) => {
        $crate::export_parse_function! {
            kinds: $kinds, columns: $columns, parse: $parse, wants_keys: $wants_keys, wants_headers: false
        }
    };
    (
        kinds: $kinds:expr, columns: $columns:expr, parse: $parse:path,
        wants_keys: $wants_keys:expr, wants_headers: $wants_headers:expr
    ) => {
        wit_bindgen::generate!({
            path: ["../../wit/types", "../../wit/parse"],
            world: "tallow:parse/parse-function",
            with: { "tallow:types/types@0.1.0": tallow_contract::types },
            generate_all,
        });

        use exports::tallow::parse::parse as contract;

        tallow_contract::convert_parse!(exports::tallow::parse::parse);

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
                            type_: info.column_type.into(),
                            meaning: info.meaning.to_owned(),
                        })
                        .collect(),
                    wants_keys: $wants_keys,
                    wants_headers: $wants_headers,
                }
            }

            fn parse(
                batch: tallow_contract::Batch,
                options: contract::Options,
            ) -> Result<contract::Parsed, String> {
                Ok($parse(&batch, &options.into())?.into())
            }
        }
    };
}
