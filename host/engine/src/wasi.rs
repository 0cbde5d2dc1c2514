//! WASI, answered with nothing.
//!
//! Compilers of other languages leave WASI imports in a component, whether its code needs them or not. They are linked
//! here, and nothing is granted: no file, no network, no argument, no environment; what is written goes nowhere, what is
//! read has ended, the clock always shows 1970-01-01, and every call begins with the same
//! randomness. So a function gives the same bytes for the same input, as one that imports nothing does.

use tallow_env::Random;
use wasmtime::component::types::{ComponentInstance, ComponentItem, ResourceType, Type};
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceAny, Val};
use wasmtime::{Engine, Result, StoreContextMut, Trap, bail};

use crate::sandbox::Sandbox;

/// The packages that are answered, in this version and its patches.
const PACKAGES: [&str; 7] =
    ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:http", "wasi:io", "wasi:random", "wasi:sockets"];
const VERSION: &str = "0.2.";

/// What a function may hold of streams, pollables and the like: each takes memory of the host.
const MAX_RESOURCES: u32 = 10_000;
/// Bytes of randomness that one call of it gives.
const MAX_RANDOM_BYTES: u64 = 1 << 16;
/// What an output stream says that it takes: it all goes nowhere.
const WRITABLE_BYTES: u64 = 1 << 20;

/// The one type behind all resources: there is nothing in any of them.
struct Nothing;

/// Whether an import is an interface that is answered.
pub(crate) fn is_answered(import: &str) -> bool {
    let package = import.split('/').next().unwrap_or_default();
    let version = import.split_once('@').map_or("", |(_, version)| version);
    PACKAGES.contains(&package) && version.starts_with(VERSION)
}

/// Offers what a component imports of WASI, and nothing else.
pub(crate) fn linker(engine: &Engine, code: &Component) -> Result<Linker<Sandbox>> {
    let mut linker = Linker::new(engine);
    for (import, item) in code.component_type().imports(engine) {
        if let ComponentItem::ComponentInstance(instance) = item.ty
            && is_answered(import)
        {
            define(&mut linker.instance(import)?, import, &instance, engine)?;
        }
    }
    Ok(linker)
}

fn define(
    linker: &mut LinkerInstance<'_, Sandbox>,
    import: &str,
    instance: &ComponentInstance,
    engine: &Engine,
) -> Result<()> {
    let interface = import.split('@').next().unwrap_or_default().to_owned();
    for (name, member) in instance.exports(engine) {
        match member.ty {
            ComponentItem::ComponentFunc(_) => {
                let (interface, function) = (interface.clone(), name.to_owned());
                linker.func_new(name, move |mut store, signature, params, results| {
                    for (result, wanted) in results.iter_mut().zip(signature.results()) {
                        *result = answer(&mut store, &interface, &function, params, &wanted)?;
                    }
                    params.iter().try_for_each(|param| release(&mut store, param))?;
                    end(&interface)
                })?;
            }
            ComponentItem::Resource(_) => {
                linker.resource(name, ResourceType::host::<Nothing>(), |mut store, _| {
                    store.data_mut().wasi.resources -= 1;
                    Ok(())
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The one thing that a function can ask for and not continue after.
fn end(interface: &str) -> Result<()> {
    match interface {
        "wasi:cli/exit" => Err(wasmtime::Error::from(Trap::UnreachableCodeReached).context("it called exit")),
        _ => Ok(()),
    }
}

fn answer(
    store: &mut StoreContextMut<'_, Sandbox>,
    interface: &str,
    function: &str,
    params: &[Val],
    wanted: &Type,
) -> Result<Val> {
    let random = &store.data().wasi.random;
    Ok(match (interface, function, wanted) {
        ("wasi:io/streams", "[method]output-stream.check-write", _) => {
            Val::Result(Ok(Some(Box::new(Val::U64(WRITABLE_BYTES)))))
        }
        // Everything that reads: its end has been reached.
        ("wasi:io/streams", function, Type::Result(_)) if function.starts_with("[method]input-stream.") => {
            Val::Result(Err(Some(Box::new(Val::Variant("closed".to_owned(), None)))))
        }
        ("wasi:io/poll", "poll", _) => Val::List(match params {
            [Val::List(pollables)] => (0..pollables.len() as u32).map(Val::U32).collect(),
            _ => Vec::new(),
        }),
        ("wasi:io/poll", "[method]pollable.ready", _) => Val::Bool(true),
        ("wasi:clocks/monotonic-clock", "resolution", _) => Val::U64(1),
        (interface, _, Type::U64) if interface.starts_with("wasi:random/") => Val::U64(random.next_u64()),
        (interface, _, Type::Tuple(_)) if interface.starts_with("wasi:random/") => {
            Val::Tuple(vec![Val::U64(random.next_u64()), Val::U64(random.next_u64())])
        }
        (interface, _, Type::List(_)) if interface.starts_with("wasi:random/") => match params {
            [Val::U64(bytes)] if *bytes <= MAX_RANDOM_BYTES => {
                Val::List((0..*bytes).map(|_| Val::U8(random.next_u64() as u8)).collect())
            }
            _ => bail!("it wants more than {MAX_RANDOM_BYTES} random bytes at once"),
        },
        (interface, _, Type::Result(result)) if has_no_world(interface) => {
            let error = result.err().map(|error| nothing(store, &error)).transpose()?;
            Val::Result(Err(error.map(Box::new)))
        }
        (_, _, wanted) => nothing(store, wanted)?,
    })
}

/// Interfaces to what a function does not have: all that can fail there fails.
fn has_no_world(interface: &str) -> bool {
    ["wasi:filesystem/", "wasi:http/", "wasi:sockets/"].iter().any(|package| interface.starts_with(package))
}

/// The empty value of a type.
fn nothing(store: &mut StoreContextMut<'_, Sandbox>, wanted: &Type) -> Result<Val> {
    Ok(match wanted {
        Type::Bool => Val::Bool(false),
        Type::S8 => Val::S8(0),
        Type::U8 => Val::U8(0),
        Type::S16 => Val::S16(0),
        Type::U16 => Val::U16(0),
        Type::S32 => Val::S32(0),
        Type::U32 => Val::U32(0),
        Type::S64 => Val::S64(0),
        Type::U64 => Val::U64(0),
        Type::Float32 => Val::Float32(0.0),
        Type::Float64 => Val::Float64(0.0),
        Type::Char => Val::Char('\0'),
        Type::String => Val::String(String::new()),
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Flags(_) => Val::Flags(Vec::new()),
        Type::Record(record) => {
            let mut fields = Vec::new();
            for field in record.fields() {
                fields.push((field.name.to_owned(), nothing(store, &field.ty)?));
            }
            Val::Record(fields)
        }
        Type::Tuple(tuple) => {
            Val::Tuple(tuple.types().map(|wanted| nothing(store, &wanted)).collect::<Result<_>>()?)
        }
        Type::Variant(variant) => match variant.cases().next() {
            Some(case) => {
                let payload = case.ty.map(|wanted| nothing(store, &wanted)).transpose()?;
                Val::Variant(case.name.to_owned(), payload.map(Box::new))
            }
            None => bail!("a variant without cases has no value"),
        },
        Type::Enum(names) => match names.names().next() {
            Some(name) => Val::Enum(name.to_owned()),
            None => bail!("an enumeration without names has no value"),
        },
        Type::Result(result) => {
            let ok = result.ok().map(|wanted| nothing(store, &wanted)).transpose()?;
            Val::Result(Ok(ok.map(Box::new)))
        }
        Type::Own(_) => Val::Resource(resource(store)?),
        _ => bail!("there is no empty value of this type"),
    })
}

/// Gives back what a call lent or handed over: nothing is kept.
fn release(store: &mut StoreContextMut<'_, Sandbox>, param: &Val) -> Result<()> {
    match param {
        Val::Resource(resource) => resource.resource_drop(store),
        Val::List(items) | Val::Tuple(items) => items.iter().try_for_each(|item| release(store, item)),
        Val::Record(fields) => fields.iter().try_for_each(|(_, field)| release(store, field)),
        Val::Option(Some(inner))
        | Val::Variant(_, Some(inner))
        | Val::Result(Ok(Some(inner)) | Err(Some(inner))) => release(store, inner),
        _ => Ok(()),
    }
}

fn resource(store: &mut StoreContextMut<'_, Sandbox>) -> Result<ResourceAny> {
    let state = &mut store.data_mut().wasi;
    if state.resources == MAX_RESOURCES {
        bail!("it holds more than {MAX_RESOURCES} streams, pollables and the like");
    }
    state.resources += 1;
    ResourceAny::try_from_resource(Resource::<Nothing>::new_own(0), store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wasi_0_2_is_answered_and_no_other_version_nor_package() {
        for import in ["wasi:cli/stdout@0.2.0", "wasi:io/streams@0.2.6", "wasi:sockets/tcp@0.2.10"] {
            assert!(is_answered(import), "{import}");
        }
        for import in [
            "wasi:cli/stdout@0.3.0",
            "wasi:cli/stdout@0.20.0",
            "wasi:cli/stdout",
            "wasi:keyvalue/store@0.2.0",
            "wasi:clients/x@0.2.0",
            "my:cli/stdout@0.2.0",
        ] {
            assert!(!is_answered(import), "{import}");
        }
    }
}
