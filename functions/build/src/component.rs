//! From a core module to a component that asks its host for nothing.

use anyhow::{Context, Result, bail};
use wit_component::{ComponentEncoder, DecodedWasm, decode};

/// The one interface that a function may import: it holds types and no function.
const ALLOWED_IMPORT: &str = "tallow:types/types";

/// Encodes a core module that wit-bindgen has put its world into.
///
/// Fails where the component would import anything but types: a function that can read a clock, a file or
/// the network does not give the same bytes again.
pub fn encode(module: &[u8]) -> Result<Vec<u8>> {
    let component = ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| encoder.validate(true).encode())
        .context("the module does not make a component (does it import something outside its world?)")?;
    let refused: Vec<String> = imports(&component)?.into_iter().filter(|name| !is_allowed(name)).collect();
    if !refused.is_empty() {
        bail!("it imports {}; a function may import {ALLOWED_IMPORT} only", refused.join(", "));
    }
    Ok(component)
}

/// Names of what a component imports, such as `tallow:types/types@0.1.0`.
fn imports(component: &[u8]) -> Result<Vec<String>> {
    match decode(component).context("the component cannot be read back")? {
        DecodedWasm::Component(resolve, world) => {
            Ok(resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key)).collect())
        }
        DecodedWasm::WitPackage(..) => bail!("this is a WIT package, not a component"),
    }
}

fn is_allowed(import: &str) -> bool {
    import.split('@').next() == Some(ALLOWED_IMPORT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wit_component::{StringEncoding, embed_component_metadata};
    use wit_parser::Resolve;

    /// A core module that imports the function `now` of `module`: the binary format by hand.
    fn module_importing(module: &str, wit: Option<&str>) -> Vec<u8> {
        let mut import = vec![1, module.len() as u8];
        import.extend_from_slice(module.as_bytes());
        import.extend_from_slice(b"\x03now\x00\x00");
        let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02".to_vec();
        bytes.push(import.len() as u8);
        bytes.extend(import);
        if let Some(wit) = wit {
            let mut resolve = Resolve::default();
            let package = resolve.push_str("test.wit", wit).unwrap();
            let world = resolve.select_world(&[package], None).unwrap();
            embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).unwrap();
        }
        bytes
    }

    #[test]
    fn an_import_that_the_world_declares_is_refused_by_name() {
        let wit = "package wild:clock; interface time { now: func(); } world w { import time; }";
        let error = encode(&module_importing("wild:clock/time", Some(wit))).unwrap_err().to_string();
        assert!(error.contains("wild:clock/time"), "{error}");
    }

    #[test]
    fn an_import_outside_the_world_is_refused_by_name() {
        let error = format!("{:#}", encode(&module_importing("env", None)).unwrap_err());
        assert!(error.contains("env"), "{error}");
    }

    #[test]
    fn types_of_any_version_may_be_imported_and_lookalikes_may_not() {
        assert!(is_allowed("tallow:types/types@0.1.0"));
        assert!(!is_allowed("tallow:types/types-and-more@0.1.0"));
        assert!(!is_allowed("wasi:clocks/monotonic-clock@0.2.0"));
    }

    #[test]
    fn an_empty_module_imports_nothing_and_passes() {
        assert!(encode(b"\0asm\x01\0\0\0").is_ok());
    }
}
