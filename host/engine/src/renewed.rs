//! An instance of a function without state. After it broke, the next call makes a new one.

use wasmtime::Store;
use wasmtime::component::{Component as Code, Linker};

use crate::sandbox::Sandbox;
use crate::{CallError, Component, Limits, instance};

/// Makes an instance: what a world's bindings do.
pub type Instantiate<W> = fn(&mut Store<Sandbox>, &Code, &Linker<Sandbox>) -> wasmtime::Result<W>;

pub struct Renewed<W> {
    component: Component,
    limits: Limits,
    instantiate: Instantiate<W>,
    live: Option<(Store<Sandbox>, W)>,
}

impl<W> Renewed<W> {
    pub fn new(
        component: &Component,
        limits: Limits,
        instantiate: Instantiate<W>,
    ) -> Result<Self, CallError> {
        let mut renewed = Self { component: component.clone(), limits, instantiate, live: None };
        renewed.live = Some(renewed.instance()?);
        Ok(renewed)
    }

    /// Calls the function. After an error other than [`CallError::Refused`] the instance is spent.
    pub fn call<T>(
        &mut self,
        f: impl FnOnce(&W, &mut Store<Sandbox>) -> wasmtime::Result<Result<T, String>>,
    ) -> Result<T, CallError> {
        let (mut store, world) = match self.live.take() {
            Some(live) => live,
            None => self.instance()?,
        };
        instance::arm(&mut store);
        let answer = f(&world, &mut store);
        let answer = answer.map_err(|error| instance::call_error(&store, error))?;
        self.live = Some((store, world));
        answer.map_err(CallError::Refused)
    }

    fn instance(&self) -> Result<(Store<Sandbox>, W), CallError> {
        let component = self.component.local()?;
        let mut store = instance::sandbox(component, self.limits);
        match (self.instantiate)(&mut store, &component.code, &component.linker) {
            Ok(world) => Ok((store, world)),
            Err(error) => Err(instance::call_error(&store, error)),
        }
    }
}
