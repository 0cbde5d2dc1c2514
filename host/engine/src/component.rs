//! A component that has been compiled and checked against a contract.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;

use crate::ticks::Ticks;
use crate::{LoadError, Runtime, cache, check};

/// What a function is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    Parse,
    Window,
    Merge,
}

impl Contract {
    pub fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Window => "window",
            Self::Merge => "merge",
        }
    }

    /// The interface that a function of this contract exports.
    pub fn interface(self) -> &'static str {
        match self {
            Self::Parse => "tallow:parse/parse@0.1.0",
            Self::Window => "tallow:window/window@0.1.0",
            Self::Merge => "tallow:merge/merge@0.1.0",
        }
    }
}

/// Compiled code that imports nothing and exports its contract.
#[derive(Clone)]
pub struct Component {
    pub(crate) engine: Engine,
    pub(crate) code: wasmtime::component::Component,
    pub(crate) ticks: Arc<Ticks>,
    name: String,
    digest: String,
    contract: Contract,
}

impl Component {
    pub(crate) fn load(
        runtime: &Runtime,
        name: &str,
        bytes: &[u8],
        contract: Contract,
    ) -> Result<Self, LoadError> {
        let digest = hex(&Sha256::digest(bytes));
        let engine = runtime.engine();
        let code = cache::compile(engine, runtime.cache(), &digest, bytes)
            .map_err(|error| LoadError::Invalid { name: name.to_owned(), why: format!("{error:#}") })?;
        check::imports_only_types(name, engine, &code)?;
        check::exports_contract(name, engine, &code, contract)?;
        let (engine, ticks) = (engine.clone(), runtime.ticks());
        Ok(Self { engine, code, ticks, name: name.to_owned(), digest, contract })
    }

    /// The name by which the manifest calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the component's binary, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub fn contract(&self) -> Contract {
        self.contract
    }

    /// Names of the exported interfaces.
    pub fn exports(&self) -> Vec<String> {
        let component = self.code.component_type();
        let exports = component.exports(&self.engine);
        exports.filter(|(_, item)| is_instance(&item.ty)).map(|(name, _)| name.to_owned()).collect()
    }
}

pub(crate) fn is_instance(item: &ComponentItem) -> bool {
    matches!(item, ComponentItem::ComponentInstance(_))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
