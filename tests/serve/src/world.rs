//! Which world a component is for, and what it is given there.

use std::path::Path;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};
use wasmtime::error::Context;
use wasmtime::{Config, Engine, Result, bail};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

use crate::client::Client;

/// Compiles a component, and links it.
pub fn prepare(path: &Path) -> Result<ProxyPre<Client>> {
    let engine = engine()?;
    let component =
        Component::from_file(&engine, path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(&mut linker)?;
    let exports = component.component_type();
    let exports = |prefix: &str| {
        exports.exports(&engine).any(|(name, export)| {
            name.starts_with(prefix) && matches!(export.ty, ComponentItem::ComponentInstance(_))
        })
    };
    if exports("wasi:http/handler@0.3.") {
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        p3::add_to_linker(&mut linker)?;
        let pre = linker.instantiate_pre(&component)?;
        return Ok(ProxyPre::P3(p3::bindings::ServicePre::new(pre)?));
    }
    if exports("wasi:http/incoming-handler@0.2.") {
        p2::add_only_http_to_linker_async(&mut linker)?;
        let pre = linker.instantiate_pre(&component)?;
        return Ok(ProxyPre::P2(p2::bindings::ProxyPre::new(pre)?));
    }
    bail!("{} exports no handler of wasi:http 0.2 or 0.3", path.display())
}

fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    Ok(Engine::new(&config)?)
}
