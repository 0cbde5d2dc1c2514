//! Builds every function crate into a component: `cargo run --release -p tallow-functions-build`.
//!
//! A function crate is a package under `functions/` with a `cdylib` target. Each becomes a core module by
//! the Rust compiler, then a component in `target/functions/<name>.wasm`. The same source and compiler give
//! the same digest from any folder. With the argument `tests` it builds the functions that tests need, from
//! `tests/guests/` into `target/functions/test/`.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use tallow_functions_build::{Toolchain, Workspace, build, digest};

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
    let argument = std::env::args().nth(1);
    let (from, to) = match argument.as_deref() {
        None => ("functions", "functions"),
        Some("tests") => ("tests/guests", "functions/test"),
        Some(other) => bail!("unknown argument `{other}`; there is only `tests`"),
    };
    let workspace = Workspace::here(from)?;
    let toolchain = Toolchain::find()?;
    eprintln!("building {} functions with {toolchain}", workspace.guests.len());
    let out = workspace.target.join(to);
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    for guest in &workspace.guests {
        let component = build(&toolchain, &workspace, guest, &out.join(format!("{}.wasm", guest.name)))?;
        println!("{:<16} {:>8} bytes  sha256 {}", guest.name, component.len(), digest(&component));
    }
    Ok(())
}
