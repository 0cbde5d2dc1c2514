//! A gateway and the functions that it calls, as one component: for platforms that do not compose.

use anyhow::{Context, Result, ensure};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};

/// The gateway (its name, its bytes) with each of its imports that a function exports filled by that function.
///
/// # Errors
/// Bytes that are no component; a function that exports nothing of what the gateway imports.
pub fn compose(gateway: &(String, Vec<u8>), functions: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let mut register = |(name, bytes): &(String, Vec<u8>)| {
        let package = Package::from_bytes(&format!("tallow:{name}"), None, bytes.clone(), graph.types_mut())
            .with_context(|| name.clone())?;
        graph.register_package(package).with_context(|| name.clone())
    };
    let socket = register(gateway)?;
    let plugs = functions.iter().map(&mut register).collect::<Result<Vec<_>>>()?;
    ensure!(!plugs.is_empty(), "no function to compose {} with", gateway.0);
    plug(&mut graph, plugs, socket)
        .with_context(|| format!("{} imports nothing of what the functions export", gateway.0))?;
    graph.encode(EncodeOptions::default()).context("the composition cannot be written")
}
