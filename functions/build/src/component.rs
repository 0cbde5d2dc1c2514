//! From a core module to a component that asks its host for nothing, or for what its package says.

use anyhow::{Context, Result, bail};
use wit_component::{ComponentEncoder, DecodedWasm, decode};

/// The one interface that a function may import: it holds types and no function.
const ALLOWED_IMPORT: &str = "tallow:types/types";

/// Encodes a core module that wit-bindgen has put its world into.
///
/// Fails where the component would import anything but types and what is `allowed`: a function that can read a clock, a
/// file or the network does not give the same bytes again.
pub fn encode(module: &[u8], allowed: &[String]) -> Result<Vec<u8>> {
    let component = ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| encoder.validate(true).encode())
        .context("the module does not make a component (does it import something outside its world?)")?;
    let is_refused = |name: &String| !is_allowed(name) && !allowed.iter().any(|it| is_of(name, it));
    let refused: Vec<String> = imports(&component)?.into_iter().filter(is_refused).collect();
    if !refused.is_empty() {
        let may = allowed.iter().fold(ALLOWED_IMPORT.to_owned(), |may, it| format!("{may}, {it}"));
        bail!("it imports {}; it may import {may} only", refused.join(", "));
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

/// Whether an import such as `wasi:http/types@0.2.4` is of a package such as `wasi:http` or `wasi:http@0.2`.
fn is_of(import: &str, package: &str) -> bool {
    let (path, version) = import.split_once('@').unwrap_or((import, ""));
    let (name, release) = package.split_once('@').unwrap_or((package, ""));
    let goes_on = |rest: &str| release.is_empty() || rest.is_empty() || rest.starts_with('.');
    path.split('/').next() == Some(name) && version.strip_prefix(release).is_some_and(goes_on)
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
        let error = encode(&module_importing("wild:clock/time", Some(wit)), &[]).unwrap_err().to_string();
        assert!(error.contains("wild:clock/time"), "{error}");
    }

    #[test]
    fn an_import_is_taken_where_its_package_is_allowed_in_that_release() {
        let wit = "package wild:clock@0.2.4; interface time { now: func(); } world w { import time; }";
        let module = module_importing("wild:clock/time@0.2.4", Some(wit));
        for allowed in ["wild:clock", "wild:clock@0.2", "wild:clock@0.2.4"] {
            assert!(encode(&module, &[allowed.to_owned()]).is_ok(), "{allowed}");
        }
        for other in ["wild:clock@0.3", "wild:clock@0.2.5", "wild:cl", "wild:clock@0.2.40"] {
            let error = encode(&module, &[other.to_owned()]).unwrap_err().to_string();
            assert!(error.contains("wild:clock/time@0.2.4"), "{other}: {error}");
        }
    }

    #[test]
    fn an_import_outside_the_world_is_refused_by_name() {
        let error = format!("{:#}", encode(&module_importing("env", None), &[]).unwrap_err());
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
        assert!(encode(b"\0asm\x01\0\0\0", &[]).is_ok());
    }
}
