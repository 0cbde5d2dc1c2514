//! Components that are not taken, and why.

use tallow_engine::{Component, Contract, LoadError};

use crate::support::{hostile_bytes, runtime};

fn load(wat: &str) -> Result<Component, LoadError> {
    runtime().load("it", &wat::parse_str(wat).unwrap(), Contract::Parse)
}

fn refusal(wat: &str) -> LoadError {
    match load(wat) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error,
    }
}

#[test]
fn a_clock_is_refused_by_name() {
    let wat = r#"(component
        (import "my:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64))))))"#;
    let error = refusal(wat);
    assert!(
        matches!(&error, LoadError::Import { import, .. } if import == "my:clocks/monotonic-clock@0.2.0")
    );
    assert!(error.to_string().starts_with("it imports `my:clocks/monotonic-clock@0.2.0`"), "{error}");
}

#[test]
fn wasi_of_a_version_that_is_not_answered_is_refused_by_name() {
    let wat = r#"(component
        (import "wasi:clocks/monotonic-clock@0.3.0" (instance (export "now" (func (result u64))))))"#;
    let error = refusal(wat);
    assert!(
        matches!(&error, LoadError::Import { import, .. } if import == "wasi:clocks/monotonic-clock@0.3.0")
    );
}

#[test]
fn an_imported_function_is_refused_by_name() {
    let error = refusal(r#"(component (import "random" (func (result u64))))"#);
    assert!(matches!(error, LoadError::Import { import, .. } if import == "random"));
}

#[test]
fn a_function_hidden_in_the_types_interface_is_refused() {
    let wat =
        r#"(component (import "tallow:types/types@0.1.0" (instance (export "now" (func (result u64))))))"#;
    assert!(matches!(refusal(wat), LoadError::Import { .. }));
}

#[test]
fn an_imported_module_is_refused() {
    assert!(matches!(refusal(r#"(component (import "code" (core module)))"#), LoadError::Import { .. }));
}

#[test]
fn a_core_module_is_not_a_component() {
    assert!(matches!(refusal("(module)"), LoadError::Invalid { .. }));
}

#[test]
fn a_component_without_exports_is_told_what_it_lacks() {
    let error = refusal("(component)").to_string();
    assert!(
        error.contains("does not export `tallow:parse/parse@0.1.0` (it exports no interface)"),
        "{error}"
    );
}

#[test]
fn a_window_function_is_no_parse_function() {
    let error = runtime().load("it", &hostile_bytes("hostile-window"), Contract::Parse).err().unwrap();
    let exports = "it exports tallow:window/window@0.2.0";
    assert!(error.to_string().contains(exports), "{error}");
}

#[test]
fn an_interface_of_the_right_name_with_other_types_is_refused_at_load() {
    let error =
        refusal(r#"(component (instance $empty) (export "tallow:parse/parse@0.1.0" (instance $empty)))"#);
    assert!(matches!(error, LoadError::Types { .. }), "{error}");
    assert!(error.to_string().contains("tallow:parse/parse@0.1.0"), "{error}");
}

#[test]
fn a_file_that_breaks_off_anywhere_is_refused() {
    let whole = hostile_bytes("hostile-parse");
    for sixteenth in 0..16 {
        let part = &whole[..whole.len() * sixteenth / 16];
        let error = runtime().load("it", part, Contract::Parse).err();
        assert!(matches!(error, Some(LoadError::Invalid { .. })), "{sixteenth}/16: {error:?}");
    }
}

#[test]
fn a_file_that_is_not_there_says_where_and_what_to_do() {
    let path = std::path::Path::new("no/such/function.wasm");
    let error = runtime().load_file("it", path, Contract::Parse).err().unwrap().to_string();
    assert!(error.contains("no/such/function.wasm") && error.contains("make functions"), "{error}");
}
