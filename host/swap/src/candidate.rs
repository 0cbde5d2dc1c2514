//! A component that has been vetted, and how it is asked for.

use std::sync::Arc;

use tallow_engine::{Component, Contract, Limits};
use tallow_log::record::{Mode, Role};
use tallow_pipeline::functions::state_version;

use crate::error::SwapError;

/// Compiles and vets a component's bytes. The error says which rule is broken and what to do.
pub type Vet = dyn Fn(&str, &[u8], Contract) -> Result<Component, SwapError> + Send + Sync;

#[derive(Clone)]
pub struct Candidate {
    pub role: Role,
    pub component: Arc<Component>,
    pub origin: String,
    pub(crate) state_version: Option<u32>,
}

impl Candidate {
    /// A component that has been vetted.
    pub fn new(limits: Limits, role: Role, component: Component, origin: &str) -> Result<Self, SwapError> {
        let state_version = match role {
            Role::Parse => None,
            Role::Window => Some(state_version(limits, &component)?),
        };
        Ok(Self { role, component: Arc::new(component), origin: origin.to_owned(), state_version })
    }
}

/// How a swap was asked for; what is left out is as the manifest says.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    pub mode: Option<Mode>,
    pub probation_epochs: Option<u32>,
    pub why: String,
}
