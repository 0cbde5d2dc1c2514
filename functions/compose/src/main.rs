//! Composes each gateway with the functions that it calls: `target/functions/<gateway>-composed.wasm`. Gateways and
//! functions are built by `tallow-functions-build gateways` before.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tallow_functions_build::{Workspace, digest, write_if_changed};
use tallow_functions_compose::compose;

/// What a gateway is composed with.
const CALLED: [&str; 4] = ["parse-market", "window", "merge", "backfill-binance"];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let workspace = Workspace::here("functions")?;
    let folder = workspace.target.join("functions");
    let functions = CALLED.iter().map(|name| read(&folder, name)).collect::<Result<Vec<_>>>()?;
    for gateway in &workspace.gateways {
        let name = format!("{}-composed", gateway.name);
        let composed = compose(&read(&folder, &gateway.name)?, &functions)
            .with_context(|| format!("cannot compose {name}"))?;
        write_if_changed(&folder.join(format!("{name}.wasm")), &composed)?;
        println!("{name:<20} {:>8} bytes  sha256 {}", composed.len(), digest(&composed));
    }
    Ok(())
}

fn read(folder: &Path, name: &str) -> Result<(String, Vec<u8>)> {
    let path = folder.join(format!("{name}.wasm"));
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok((name.to_owned(), bytes))
}
