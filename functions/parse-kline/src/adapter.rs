//! The function as a component.

parse_base::export_parse_function! {
    kinds: crate::KINDS,
    columns: crate::COLUMNS,
    parse: crate::parse,
    wants_keys: false
}
