//! The function as a component.

parse_base::export_parse_function! {
    kinds: crate::Kind::ALL.map(crate::Kind::name),
    columns: crate::COLUMNS,
    parse: crate::parse,
    wants_keys: true
}
