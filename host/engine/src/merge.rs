//! A merge function: the tables of one key in, the one that is served out. It keeps nothing between calls.

use wasmtime::Store;

use crate::bindings::MergeWorld;
use crate::bindings::merge_contract::{Input, Merged, Settings};
use crate::instance;
use crate::sandbox::Sandbox;
use crate::validate;
use crate::{CallError, Component, Limits, MergeDescription, Table};

/// An instance of a merge function. After an error other than [`CallError::Refused`] it is spent.
pub struct MergeFunction {
    store: Store<Sandbox>,
    world: MergeWorld,
}

impl MergeFunction {
    pub fn new(component: &Component, limits: Limits) -> Result<Self, CallError> {
        let component = component.local()?;
        let mut store = instance::sandbox(component, limits);
        match MergeWorld::instantiate(&mut store, &component.code, &component.linker) {
            Ok(world) => Ok(Self { store, world }),
            Err(error) => Err(instance::call_error(&store, error)),
        }
    }

    /// What the component says about itself.
    pub fn describe(&mut self) -> Result<MergeDescription, CallError> {
        self.call(|world, store| world.tallow_merge_merge().call_describe(store)).map(Into::into)
    }

    /// Merges the tables of one key. `before`: the last rows of what an earlier call gave, for a series that is
    /// merged piece by piece; as many as the longest average has, less one, and at least one.
    ///
    /// The result has its rows by `window_start`, each window once.
    pub fn merge(
        &mut self,
        before: Option<&Table>,
        inputs: &[Input],
        settings: &Settings,
    ) -> Result<Merged, CallError> {
        let merged =
            self.call(|world, store| world.tallow_merge_merge().call_merge(store, before, inputs, settings))?;
        let merged = merged.map_err(CallError::Refused)?;
        validate::merged(&merged).map_err(CallError::Contract)?;
        Ok(merged)
    }

    fn call<T>(
        &mut self,
        f: impl FnOnce(&MergeWorld, &mut Store<Sandbox>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        instance::arm(&mut self.store);
        f(&self.world, &mut self.store).map_err(|error| instance::call_error(&self.store, error))
    }
}
