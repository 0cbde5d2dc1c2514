//! Code that runs here, with what its instances share.

use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::sandbox::{Allowance, Sandbox};
use crate::ticks::Ticks;

#[derive(Clone)]
pub(crate) struct Local {
    pub engine: Engine,
    pub code: Component,
    pub linker: Linker<Sandbox>,
    pub ticks: Arc<Ticks>,
    /// For all calls of all instances together.
    pub allowance: Option<Allowance>,
}
