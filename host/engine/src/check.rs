//! What a component may import and must export.

use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use crate::bindings::{MergeWorldPre, ParseWorldPre, WindowWorldPre};
use crate::component::is_instance;
use crate::instance::Sandbox;
use crate::{Contract, LoadError};

/// Refuses every import but instances that hold types and nothing else: a world whose interface uses
/// `tallow:types` imports that one.
pub(crate) fn imports_only_types(name: &str, engine: &Engine, code: &Component) -> Result<(), LoadError> {
    for (import, item) in code.component_type().imports(engine) {
        let only_types = match &item.ty {
            ComponentItem::ComponentInstance(instance) => {
                let mut members = instance.exports(engine);
                members.all(|(_, member)| matches!(member.ty, ComponentItem::Type(_)))
            }
            _ => false,
        };
        if !only_types {
            return Err(LoadError::Import { name: name.to_owned(), import: import.to_owned() });
        }
    }
    Ok(())
}

/// Refuses a component that does not export its contract's interface, or exports it with other types.
pub(crate) fn exports_contract(
    name: &str,
    engine: &Engine,
    code: &Component,
    contract: Contract,
) -> Result<(), LoadError> {
    let component = code.component_type();
    let exports: Vec<&str> = component
        .exports(engine)
        .filter(|(_, item)| is_instance(&item.ty))
        .map(|(export, _)| export)
        .collect();
    let (name, wanted) = (name.to_owned(), contract.interface().to_owned());
    if !exports.contains(&contract.interface()) {
        let exports = if exports.is_empty() { "no interface".to_owned() } else { exports.join(", ") };
        return Err(LoadError::Contract { name, contract: contract.name(), wanted, exports });
    }
    let types = Linker::<Sandbox>::new(engine).instantiate_pre(code).and_then(|code| match contract {
        Contract::Parse => ParseWorldPre::new(code).map(drop),
        Contract::Window => WindowWorldPre::new(code).map(drop),
        Contract::Merge => MergeWorldPre::new(code).map(drop),
    });
    types.map_err(|error| LoadError::Types { name, interface: wanted, why: format!("{error:#}") })
}
