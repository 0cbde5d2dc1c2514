//! Functions behind a gateway: the same calls over something that carries them, state in and state out.

mod descriptor;
mod parse;
mod window;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tallow_contract::messages::{decode, encode};

use crate::{CallError, Contract, LoadError};

pub use descriptor::{Descriptor, DescriptorError};
pub(crate) use parse::RemoteParse;
pub(crate) use window::RemoteWindows;

/// Carries a call to a gateway and its answer back. A call changes nothing there, so it may be sent again.
pub trait Caller: Send + Sync {
    /// Posts a binary message to a path.
    ///
    /// # Errors
    /// [`CallError::Remote`] if there is no answer, or the gateway runs another function than the descriptor
    /// says; [`CallError::Trap`] where the gateway lives and this call ends it; [`CallError::Output`] where the answer
    /// would be too long.
    fn call(&self, path: &str, message: Vec<u8>) -> Result<Vec<u8>, CallError>;
}

/// Opens the way to gateways.
pub trait Callers: Send + Sync {
    /// # Errors
    /// [`CallError::Remote`]: why the gateway may not be called.
    fn open(&self, descriptor: &Descriptor) -> Result<Arc<dyn Caller>, CallError>;
}

/// A function of a gateway.
#[derive(Clone)]
pub(crate) struct Remote {
    pub caller: Arc<dyn Caller>,
    pub descriptor: Arc<Descriptor>,
}

impl Remote {
    pub fn open(
        callers: Option<&dyn Callers>,
        name: &str,
        bytes: &[u8],
        contract: Contract,
    ) -> Result<Self, LoadError> {
        let wrong = |why: String| LoadError::Remote { name: name.to_owned(), why };
        let descriptor = Descriptor::read(bytes).map_err(|error| wrong(error.to_string()))?;
        if !contract.interfaces().contains(&descriptor.function.contract.as_str()) {
            return Err(LoadError::Contract {
                name: name.to_owned(),
                wanted: contract.interface().to_owned(),
                exports: descriptor.function.contract,
                contract: contract.name(),
            });
        }
        let callers = callers.ok_or_else(|| wrong("remote functions are not called from here".to_owned()))?;
        let caller = callers.open(&descriptor).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { caller, descriptor: Arc::new(descriptor) })
    }

    /// Sends a call; what the function itself refuses is [`CallError::Refused`].
    pub fn call<T: DeserializeOwned>(&self, path: &str, message: Vec<u8>) -> Result<T, CallError> {
        let answer = self.caller.call(path, message)?;
        let answer: Result<T, String> = decode(&answer).map_err(|why| {
            CallError::Remote(format!(
                "{} answers {path} with something that is no answer of this version of the contracts: {why}",
                self.descriptor.remote
            ))
        })?;
        answer.map_err(CallError::Refused)
    }
}

/// A message of types that are made of WIT.
pub(crate) fn message(call: &impl Serialize) -> Result<Vec<u8>, CallError> {
    encode(call).map_err(|why| CallError::Contract(why.into()))
}
