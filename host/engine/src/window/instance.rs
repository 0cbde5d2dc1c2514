//! An instance in this process, of either version of the contract, and the pieces that it gives and takes.

use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::{Snapshot, join, old};
use crate::bindings::window_0_1_contract::{GuestWindows as OldWindows, Output as OldOutput};
use crate::bindings::window_contract::{self as wit, GuestWindows, OutputPiece, Portion, SnapshotPiece};
use crate::bindings::{Window01World, WindowWorld};
use crate::contract::WINDOW_0_1;
use crate::instance::{self, arm, arm_by_state, call_error};
use crate::local::Local;
use crate::sandbox::{Limits, Sandbox};
use crate::{CallError, Output, Part, Report, Rows, Spec, Stats, WindowDescription, check};

/// Windows that are asked for at once: some tens of milliseconds.
const WINDOWS: u32 = 8192;
/// Bytes of state that are asked for and given at once.
const STATE_BYTES: u64 = 4 << 20;
/// So many times what one call may give may all windows take that are given together.
const OUTPUTS: u64 = 16;
/// So many times an instance's memory may its snapshot take.
const SNAPSHOT: u64 = 4;
/// So many pieces with nothing or little in them may follow each other: a function looks at its keys meanwhile.
const EMPTY_PIECES: u32 = 4096;
/// A piece of a snapshot is little that has less than this part of what was asked for.
const LITTLE: u64 = 64;
/// Decoding a state takes longer than it has bytes.
const BYTES_A_BYTE_OF_STATE: u64 = 8;

pub(super) struct Instance {
    store: Store<Sandbox>,
    world: World,
    windows: ResourceAny,
}

pub(super) enum World {
    New(WindowWorld),
    /// 0.1.0: all at once.
    Old(Window01World),
}

type Called<T> = wasmtime::Result<Result<T, String>>;

impl Instance {
    pub fn describe(component: &Local, limits: Limits) -> Result<WindowDescription, CallError> {
        let (mut store, world) = instantiate(component, limits)?;
        arm(&mut store);
        let described = match &world {
            World::New(world) => world.tallow_window_window().call_describe(&mut store).map(Into::into),
            World::Old(world) => world.tallow_window_window().call_describe(&mut store).map(Into::into),
        };
        described.map_err(|error| call_error(&store, error))
    }

    pub fn open(component: &Local, limits: Limits, specs: &[Spec]) -> Result<Self, CallError> {
        let (mut store, world) = instantiate(component, limits)?;
        arm(&mut store);
        let opened = match &world {
            World::New(world) => windows(world).call_open(&mut store, &wit_specs(specs)),
            World::Old(world) => old::windows(world).call_open(&mut store, &old::specs(specs)),
        };
        let windows = settle(&store, opened)?;
        Ok(Self { store, world, windows })
    }

    pub fn restore(
        component: &Local,
        limits: Limits,
        specs: &[Spec],
        watermark_us: i64,
        parts: &[Part],
    ) -> Result<Self, CallError> {
        let (mut store, world) = instantiate(component, limits)?;
        let bytes: u64 = parts.iter().map(|part| part.bytes.len() as u64).sum();
        let restored = match &world {
            World::New(world) => {
                arm(&mut store);
                windows(world).call_restore(&mut store, &wit_specs(specs), watermark_us)
            }
            World::Old(world) => {
                arm_by_state(&mut store, bytes.saturating_mul(BYTES_A_BYTE_OF_STATE));
                let (specs, parts) = (old::specs(specs), old::parts(parts));
                old::windows(world).call_restore(&mut store, &specs, watermark_us, &parts)
            }
        };
        let windows = settle(&store, restored)?;
        let mut instance = Self { store, world, windows };
        instance.load(parts)?;
        Ok(instance)
    }

    /// Gives parts to a function that takes them piece by piece.
    fn load(&mut self, mut parts: &[Part]) -> Result<(), CallError> {
        let World::New(world) = &self.world else { return Ok(()) };
        while !parts.is_empty() {
            let mut bytes = 0;
            let more = parts.iter().take_while(|part| {
                let fits = bytes < STATE_BYTES;
                bytes += part.bytes.len() as u64;
                fits
            });
            let (now, later) = parts.split_at(more.count());
            arm_by_state(&mut self.store, bytes.saturating_mul(BYTES_A_BYTE_OF_STATE));
            let loaded = windows(world).call_load(&mut self.store, self.windows, now);
            settle(&self.store, loaded)?;
            parts = later;
        }
        Ok(())
    }

    pub fn update(&mut self, rows: &Rows) -> Result<Vec<Report>, CallError> {
        arm(&mut self.store);
        let (store, it) = (&mut self.store, self.windows);
        let reports = match &self.world {
            World::New(world) => windows(world).call_update(store, it, rows),
            World::Old(world) => {
                let reports = old::windows(world).call_update(store, it, &old::rows(rows));
                reports.map(|reports| reports.map(|reports| reports.into_iter().map(Into::into).collect()))
            }
        };
        settle(&self.store, reports)
    }

    pub fn advance(&mut self, watermark_us: i64) -> Result<Vec<Output>, CallError> {
        self.outputs(
            |guest, store, it| guest.call_advance(store, it, watermark_us),
            |guest, store, it, portion| guest.call_advance(store, it, watermark_us, portion),
        )
    }

    pub fn close_all(&mut self) -> Result<Vec<Output>, CallError> {
        self.outputs(
            |guest, store, it| guest.call_close_all(store, it),
            |guest, store, it, portion| guest.call_close_all(store, it, portion),
        )
    }

    pub fn changed(&mut self) -> Result<Vec<Output>, CallError> {
        self.outputs(
            |guest, store, it| guest.call_changed(store, it).map(Ok),
            |guest, store, it, portion| guest.call_changed(store, it, portion),
        )
    }

    /// The outputs of a call that is made until there is no more, an output a spec. `old`: the call of 0.1.0, made once.
    fn outputs(
        &mut self,
        old: impl FnOnce(&OldWindows<'_>, &mut Store<Sandbox>, ResourceAny) -> Called<Vec<OldOutput>>,
        call: impl Fn(&GuestWindows<'_>, &mut Store<Sandbox>, ResourceAny, Portion) -> Called<OutputPiece>,
    ) -> Result<Vec<Output>, CallError> {
        let world = match &self.world {
            World::New(world) => world,
            World::Old(world) => {
                arm_by_state(&mut self.store, 0);
                let outputs = old(&old::windows(world), &mut self.store, self.windows);
                return settle(&self.store, outputs).map(old::outputs);
            }
        };
        let limit = instance::limits(&self.store).output_bytes;
        let portion = Portion { windows: WINDOWS, bytes: (limit / 4).max(1) };
        let cap_bytes = limit.saturating_mul(OUTPUTS);
        let (mut outputs, mut bytes, mut empty) = (Vec::new(), 0u64, 0);
        loop {
            arm_by_state(&mut self.store, 0);
            let piece = call(&windows(world), &mut self.store, self.windows, portion);
            let OutputPiece { outputs: given, more } = settle(&self.store, piece)?;
            empty = if given.iter().all(|output| output.table.rows == 0) { empty + 1 } else { 0 };
            bytes += given.iter().map(|output| join::bytes(&output.table)).sum::<u64>();
            if bytes > cap_bytes {
                return Err(CallError::Output { cap_bytes });
            }
            join::add(&mut outputs, given).map_err(CallError::Contract)?;
            if !more {
                return Ok(outputs);
            }
            end_less(empty)?;
        }
    }

    pub fn snapshot(&mut self, since: u64) -> Result<Snapshot, CallError> {
        let world = match &self.world {
            World::New(world) => world,
            World::Old(world) => {
                arm_by_state(&mut self.store, 0);
                let snapshot = old::windows(world).call_snapshot(&mut self.store, self.windows, since);
                return settle(&self.store, snapshot.map(Ok)).map(Into::into);
            }
        };
        let limits = instance::limits(&self.store);
        let max_bytes = STATE_BYTES.min(limits.output_bytes / 4).max(1);
        let (mut snapshot, mut bytes, mut empty) = (Snapshot::default(), 0, 0);
        loop {
            arm_by_state(&mut self.store, 0);
            let piece = windows(world).call_snapshot(&mut self.store, self.windows, since, max_bytes);
            let SnapshotPiece { version, parts, more } = settle(&self.store, piece)?;
            snapshot.version = version;
            let given: u64 = parts.iter().map(|part| part.bytes.len() as u64).sum();
            bytes += given;
            empty = if given < max_bytes / LITTLE { empty + 1 } else { 0 };
            if bytes > limits.memory_bytes.saturating_mul(SNAPSHOT) {
                let why = format!("its snapshot has more than {SNAPSHOT} times the bytes of its memory");
                return Err(CallError::Contract(why));
            }
            join::add_parts(&mut snapshot.parts, parts);
            if !more {
                return Ok(snapshot);
            }
            end_less(empty)?;
        }
    }

    pub fn stats(&mut self) -> Result<Vec<Stats>, CallError> {
        arm_by_state(&mut self.store, 0);
        let (store, it) = (&mut self.store, self.windows);
        let stats = match &self.world {
            World::New(world) => windows(world).call_stats(store, it),
            World::Old(world) => {
                let stats = old::windows(world).call_stats(store, it);
                stats.map(|stats| stats.into_iter().map(Into::into).collect())
            }
        };
        settle(&self.store, stats.map(Ok))
    }

    pub fn set_deadline(&mut self, deadline: Duration) {
        instance::set_deadline(&mut self.store, deadline);
    }

    pub fn memory_before(&self) -> u64 {
        instance::memory_before(&self.store)
    }
}

fn wit_specs(specs: &[Spec]) -> Vec<wit::Spec> {
    specs.iter().cloned().map(Into::into).collect()
}

fn windows(world: &WindowWorld) -> GuestWindows<'_> {
    world.tallow_window_window().windows()
}

fn end_less(empty: u32) -> Result<(), CallError> {
    if empty <= EMPTY_PIECES {
        return Ok(());
    }
    Err(CallError::Contract(format!(
        "it says that there is more, {empty} times on end, and gives next to nothing"
    )))
}

/// What a call's answer means.
fn settle<T>(store: &Store<Sandbox>, answer: Called<T>) -> Result<T, CallError> {
    answer.map_err(|error| call_error(store, error))?.map_err(CallError::Refused)
}

fn instantiate(component: &Local, limits: Limits) -> Result<(Store<Sandbox>, World), CallError> {
    let mut store = instance::sandbox(component, limits);
    let (code, linker) = (&component.code, &component.linker);
    let is_old = check::exports(&component.engine, code).iter().any(|export| export == WINDOW_0_1);
    let world = if is_old {
        Window01World::instantiate(&mut store, code, linker).map(World::Old)
    } else {
        WindowWorld::instantiate(&mut store, code, linker).map(World::New)
    };
    match world {
        Ok(world) => Ok((store, world)),
        Err(error) => Err(call_error(&store, error)),
    }
}
