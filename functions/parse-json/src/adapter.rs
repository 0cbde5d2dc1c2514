//! The function as a component. Its kinds and columns are those of the schema: it has none before it is given one.

parse_base::export_parse_function! {
    kinds: [],
    columns: [] as [parse_base::ColumnInfo<()>; 0],
    parse: crate::parse,
    wants_keys: true,
    wants_headers: true
}
