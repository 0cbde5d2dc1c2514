//! What a component may import and must export.

use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use crate::bindings::{
    BackfillWorldPre, FeedWorldPre, ForecastWorldPre, MergeWorldPre, ParseWorldPre, Window01WorldPre,
    WindowWorldPre,
};
use crate::contract::{Contract, Unknown, WINDOW_0_1};
use crate::sandbox::Sandbox;
use crate::{LoadError, wasi};

/// Refuses every import but WASI, which is answered with nothing, and instances that hold types and nothing else: a
/// world whose interface uses `tallow:types` imports that one.
pub(crate) fn imports(name: &str, engine: &Engine, code: &Component) -> Result<(), LoadError> {
    for (import, item) in code.component_type().imports(engine) {
        let harmless = match &item.ty {
            ComponentItem::ComponentInstance(_) if wasi::is_answered(import) => true,
            ComponentItem::ComponentInstance(instance) => {
                let mut members = instance.exports(engine);
                members.all(|(_, member)| matches!(member.ty, ComponentItem::Type(_)))
            }
            _ => false,
        };
        if !harmless {
            return Err(LoadError::Import { name: name.to_owned(), import: import.to_owned() });
        }
    }
    Ok(())
}

/// Names of the exported interfaces.
pub(crate) fn exports(engine: &Engine, code: &Component) -> Vec<String> {
    let component = code.component_type();
    let exports = component.exports(engine);
    let instances = exports.filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)));
    instances.map(|(export, _)| export.to_owned()).collect()
}

/// Refuses a component that does not export its contract's interface, exports it in a version that this host does
/// not take, or with other types.
pub(crate) fn exports_contract(
    name: &str,
    linker: &Linker<Sandbox>,
    code: &Component,
    contract: Contract,
) -> Result<(), LoadError> {
    let exports = exports(linker.engine(), code);
    let name = name.to_owned();
    let Some(found) = exports.iter().find(|export| contract.is_interface(export)) else {
        let exports = if exports.is_empty() { "no interface".to_owned() } else { exports.join(", ") };
        let wanted = contract.interface().to_owned();
        return Err(LoadError::Contract { name, contract: contract.name(), wanted, exports });
    };
    if let Some(unknown) = contract.unknown_version(found) {
        let remedy = match unknown {
            Unknown::Newer => {
                "it is newer than this host: run a newer tallow, or build it with this host's `wit/`"
            }
            Unknown::Older => "build it again with this host's `wit/`",
        };
        let takes = contract.interfaces().join(" and ");
        return Err(LoadError::Version { name, found: found.clone(), takes, remedy });
    }
    let types = linker.instantiate_pre(code).and_then(|code| match contract {
        Contract::Parse => ParseWorldPre::new(code).map(drop),
        Contract::Window if found == WINDOW_0_1 => Window01WorldPre::new(code).map(drop),
        Contract::Window => WindowWorldPre::new(code).map(drop),
        Contract::Backfill => BackfillWorldPre::new(code).map(drop),
        Contract::Merge => MergeWorldPre::new(code).map(drop),
        Contract::Feed => FeedWorldPre::new(code).map(drop),
        Contract::Forecast => ForecastWorldPre::new(code).map(drop),
    });
    types.map_err(|error| LoadError::Types { name, interface: found.clone(), why: format!("{error:#}") })
}
