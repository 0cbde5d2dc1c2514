//! A window function: rows in, windows out, with state that can be snapshot and restored.

use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use crate::bindings::WindowWorld;
use crate::component::{Body, Local};
use crate::instance::{self, Sandbox};
use crate::remote::RemoteWindows;
use crate::validate;
use crate::{CallError, Component, Limits, Output, Part, Report, Rows, SnapshotParts, Spec, Stats};
use crate::{WindowDescription, bindings::window_contract::GuestWindows};

/// An instance with the open windows of one pipeline. After an error other than [`CallError::Refused`] it is
/// spent: restore another one from the last snapshot.
pub struct WindowFunction {
    live: Live,
    specs: usize,
    base_version: u64,
}

/// What answers calls.
enum Live {
    Local(Box<Instance>),
    Remote(RemoteWindows),
}

struct Instance {
    store: Store<Sandbox>,
    world: WindowWorld,
    windows: ResourceAny,
}

impl WindowFunction {
    /// What a component says of itself.
    pub fn describe(component: &Component, limits: Limits) -> Result<WindowDescription, CallError> {
        match &component.body {
            Body::Remote(remote) => remote.descriptor.window().map_err(CallError::Remote),
            Body::Local(local) => {
                let (mut store, world) = instantiate(local, limits)?;
                call(&mut store, |store| world.tallow_window_window().call_describe(store))
            }
        }
    }

    /// Empty state.
    pub fn open(component: &Component, limits: Limits, specs: &[Spec]) -> Result<Self, CallError> {
        let live = match &component.body {
            Body::Remote(remote) => Live::Remote(RemoteWindows::open(remote.clone(), specs)?),
            Body::Local(local) => {
                Instance::start(local, limits, |guest, store| guest.call_open(store, specs))?
            }
        };
        Ok(Self { live, specs: specs.len(), base_version: 0 })
    }

    /// State from snapshot parts, under the watermark that held then (µs).
    pub fn restore(
        component: &Component,
        limits: Limits,
        specs: &[Spec],
        watermark_us: i64,
        parts: &[Part],
    ) -> Result<Self, CallError> {
        let live = match &component.body {
            Body::Remote(remote) => {
                Live::Remote(RemoteWindows::restore(remote.clone(), specs, watermark_us, parts)?)
            }
            Body::Local(local) => Instance::start(local, limits, |guest, store| {
                guest.call_restore(store, specs, watermark_us, parts)
            })?,
        };
        let mut function = Self { live, specs: specs.len(), base_version: 0 };
        function.base_version = function.snapshot(u64::MAX)?.version;
        Ok(function)
    }

    /// Takes rows in; a report a spec.
    pub fn update(&mut self, rows: &Rows) -> Result<Vec<Report>, CallError> {
        let reports = match &mut self.live {
            Live::Remote(remote) => remote.update(rows)?,
            Live::Local(local) => local
                .call(|guest, store, it| guest.call_update(store, it, rows))?
                .map_err(CallError::Refused)?,
        };
        if reports.len() != self.specs {
            return Err(CallError::Contract(format!("{} reports for {} specs", reports.len(), self.specs)));
        }
        let rows = rows.table.rows;
        for report in &reports {
            let lists = [&report.invalid, &report.late_rows, &report.conflict_rows];
            if lists.iter().any(|list| list.last().is_some_and(|last| *last >= rows) || !list.is_sorted()) {
                return Err(CallError::Contract("a report names rows out of order or out of range".into()));
            }
        }
        Ok(reports)
    }

    /// Closes every window whose end is at or before the watermark (µs).
    pub fn advance(&mut self, watermark_us: i64) -> Result<Vec<Output>, CallError> {
        let outputs = match &mut self.live {
            Live::Remote(remote) => remote.advance(watermark_us)?,
            Live::Local(local) => local
                .call(|guest, store, it| guest.call_advance(store, it, watermark_us))?
                .map_err(CallError::Refused)?,
        };
        self.checked(outputs)
    }

    /// Gives every open window that changed since it was last given so, and keeps it open.
    pub fn close_all(&mut self) -> Result<Vec<Output>, CallError> {
        let outputs = match &mut self.live {
            Live::Remote(remote) => remote.close_all()?,
            Live::Local(local) => {
                local.call(|guest, store, it| guest.call_close_all(store, it))?.map_err(CallError::Refused)?
            }
        };
        self.checked(outputs)
    }

    /// Open windows that changed since the last call of this.
    pub fn changed(&mut self) -> Result<Vec<Output>, CallError> {
        let outputs = match &mut self.live {
            Live::Remote(remote) => remote.changed()?,
            Live::Local(local) => local.call(|guest, store, it| guest.call_changed(store, it))?,
        };
        self.checked(outputs)
    }

    /// The version at which the instance began: a snapshot since then gives what is not in the parts that it was
    /// restored from, emptied parts included. 0 for an empty state.
    pub fn base_version(&self) -> u64 {
        self.base_version
    }

    /// State that changed after version `since` (0: all).
    pub fn snapshot(&mut self, since: u64) -> Result<SnapshotParts, CallError> {
        let snapshot = match &mut self.live {
            Live::Remote(remote) => remote.snapshot(since),
            Live::Local(local) => local.call(|guest, store, it| guest.call_snapshot(store, it, since))?,
        };
        self.known_specs("a part", snapshot.parts.iter().map(|part| part.spec))?;
        Ok(snapshot)
    }

    pub fn stats(&mut self) -> Result<Vec<Stats>, CallError> {
        let stats = match &mut self.live {
            Live::Remote(remote) => remote.stats()?,
            Live::Local(local) => local.call(|guest, store, it| guest.call_stats(store, it))?,
        };
        self.known_specs("stats", stats.iter().map(|it| it.spec))?;
        Ok(stats)
    }

    /// Gives calls another deadline, from the next one on.
    pub fn set_deadline(&mut self, deadline: Duration) {
        // A gateway bounds its work itself.
        if let Live::Local(local) = &mut self.live {
            instance::set_deadline(&mut local.store, deadline);
        }
    }

    fn checked(&self, outputs: Vec<Output>) -> Result<Vec<Output>, CallError> {
        self.known_specs("an output", outputs.iter().map(|output| output.spec))?;
        for output in &outputs {
            validate::table(&output.table).map_err(CallError::Contract)?;
        }
        Ok(outputs)
    }

    fn known_specs(&self, what: &str, mut specs: impl Iterator<Item = u32>) -> Result<(), CallError> {
        match specs.find(|spec| *spec as usize >= self.specs) {
            None => Ok(()),
            Some(spec) => Err(CallError::Contract(format!("{what} of spec {spec} of {}", self.specs))),
        }
    }
}

impl Instance {
    fn start(
        component: &Local,
        limits: Limits,
        open: impl FnOnce(&GuestWindows<'_>, &mut Store<Sandbox>) -> wasmtime::Result<Result<ResourceAny, String>>,
    ) -> Result<Live, CallError> {
        let (mut store, world) = instantiate(component, limits)?;
        let windows = call(&mut store, |store| open(&guest(&world), store))?;
        let windows = windows.map_err(CallError::Refused)?;
        Ok(Live::Local(Box::new(Self { store, world, windows })))
    }

    fn call<T>(
        &mut self,
        f: impl FnOnce(&GuestWindows<'_>, &mut Store<Sandbox>, ResourceAny) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        let windows = self.windows;
        let world = &self.world;
        call(&mut self.store, |store| f(&guest(world), store, windows))
    }
}

fn guest(world: &WindowWorld) -> GuestWindows<'_> {
    world.tallow_window_window().windows()
}

fn instantiate(component: &Local, limits: Limits) -> Result<(Store<Sandbox>, WindowWorld), CallError> {
    let mut store = instance::sandbox(component, limits);
    match WindowWorld::instantiate(&mut store, &component.code, &component.linker) {
        Ok(world) => Ok((store, world)),
        Err(error) => Err(instance::call_error(&store, error)),
    }
}

fn call<T>(
    store: &mut Store<Sandbox>,
    f: impl FnOnce(&mut Store<Sandbox>) -> wasmtime::Result<T>,
) -> Result<T, CallError> {
    instance::arm(store);
    f(store).map_err(|error| instance::call_error(store, error))
}
