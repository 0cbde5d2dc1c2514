//! A component that has been compiled and checked against a contract.

use std::time::Duration;

use tallow_digest::Digest;

use crate::check;
use crate::contract::Contract;
use crate::local::Local;
use crate::remote::Remote;
use crate::sandbox::Allowance;
use crate::ticks::TICK;
use crate::{CallError, LoadError, Runtime, cache, wasi};

/// Compiled code that nothing has been checked of yet.
pub struct Code {
    code: wasmtime::component::Component,
    digest: Digest,
}

impl Code {
    /// What was compiled from these bytes in an earlier run, if the cache has it.
    pub(crate) fn cached(runtime: &Runtime, bytes: &[u8]) -> Option<Self> {
        let digest = Digest::of(bytes);
        let code = cache::find(runtime.engine(), runtime.cache(), digest)?;
        Some(Self { code, digest })
    }

    pub(crate) fn compile(runtime: &Runtime, name: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        let code = wasmtime::component::Component::from_binary(runtime.engine(), bytes)
            .map_err(|error| LoadError::invalid(name, &error))?;
        Ok(Self::keep(runtime, bytes, code))
    }

    /// # Safety
    /// `compiled` is run as native code: it must be what [`crate::precompile`] gave for `bytes`.
    pub(crate) unsafe fn adopt(
        runtime: &Runtime,
        name: &str,
        bytes: &[u8],
        compiled: &[u8],
    ) -> Result<Self, LoadError> {
        // SAFETY: the caller promises it.
        let code = unsafe { wasmtime::component::Component::deserialize(runtime.engine(), compiled) }
            .map_err(|error| LoadError::invalid(name, &error))?;
        Ok(Self::keep(runtime, bytes, code))
    }

    fn keep(runtime: &Runtime, bytes: &[u8], code: wasmtime::component::Component) -> Self {
        let digest = Digest::of(bytes);
        cache::keep(runtime.engine(), runtime.cache(), digest, &code);
        Self { code, digest }
    }

    /// The contract whose interface it exports, of whatever version.
    pub fn contract(&self, runtime: &Runtime) -> Option<Contract> {
        let exports = check::exports(runtime.engine(), &self.code);
        Contract::ALL.into_iter().find(|contract| exports.iter().any(|export| contract.is_interface(export)))
    }
}

/// Compiled code that exports its contract and is granted nothing.
///
/// Or a function behind a gateway, known by its descriptor.
#[derive(Clone)]
pub struct Component {
    pub(crate) body: Body,
    name: String,
    digest: Digest,
    contract: Contract,
}

/// Where a component's code runs.
#[derive(Clone)]
pub(crate) enum Body {
    Local(Box<Local>),
    Remote(Remote),
}

impl Component {
    /// A function of a gateway. `bytes`: its descriptor.
    pub(crate) fn remote(name: &str, bytes: &[u8], remote: Remote, contract: Contract) -> Self {
        Self { body: Body::Remote(remote), name: name.to_owned(), digest: Digest::of(bytes), contract }
    }

    /// The code that runs here.
    ///
    /// # Errors
    /// It is a remote function of a contract that is not called remotely.
    pub(crate) fn local(&self) -> Result<&Local, CallError> {
        match &self.body {
            Body::Local(local) => Ok(local),
            Body::Remote(_) => {
                Err(CallError::Remote(format!("a {} function is not called remotely", self.contract.name())))
            }
        }
    }

    pub(crate) fn new(
        runtime: &Runtime,
        name: &str,
        code: Code,
        contract: Contract,
    ) -> Result<Self, LoadError> {
        let Code { code, digest } = code;
        check::imports(name, runtime.engine(), &code)?;
        let linker =
            wasi::linker(runtime.engine(), &code).map_err(|error| LoadError::invalid(name, &error))?;
        check::exports_contract(name, &linker, &code, contract)?;
        let local =
            Local { engine: runtime.engine().clone(), code, linker, ticks: runtime.ticks(), allowance: None };
        Ok(Self { body: Body::Local(Box::new(local)), name: name.to_owned(), digest, contract })
    }

    /// The same, with time for all calls of all of its instances together, from now on.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        if let Body::Local(local) = &mut self.body {
            let ticks = u64::try_from(time.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX);
            let end = local.ticks.count().saturating_add(ticks);
            local.allowance = Some(Allowance { time, end });
        }
        self
    }

    /// The name by which the manifest calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Of the component's binary.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub fn contract(&self) -> Contract {
        self.contract
    }

    /// Names of the interfaces of WASI that it imports: they are answered with nothing.
    pub fn wasi(&self) -> Vec<String> {
        let Body::Local(local) = &self.body else { return Vec::new() };
        let component = local.code.component_type();
        let imports = component.imports(&local.engine).map(|(import, _)| import.to_owned());
        imports.filter(|import| wasi::is_answered(import)).collect()
    }

    /// Names of the exported interfaces.
    pub fn exports(&self) -> Vec<String> {
        match &self.body {
            Body::Local(local) => check::exports(&local.engine, &local.code),
            Body::Remote(remote) => vec![remote.descriptor.function.contract.clone()],
        }
    }
}
