//! Builds every function crate into a component: `cargo run --release -p tallow-functions-build`.
//!
//! A function crate is a package under `functions/` with a `cdylib` target. Each becomes a core module by
//! the Rust compiler, then a component in `target/functions/<name>.wasm`. The same source and compiler give
//! the same digest from any folder. With the argument `tests` it builds the functions that tests need, from
//! `tests/guests/` into `target/functions/test/`; with `gateways` the functions and the gateways.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use tallow_functions_build::{Guest, Toolchain, Workspace, build, digest};

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
        None | Some("gateways") => ("functions", "functions"),
        Some("tests") => ("tests/guests", "functions/test"),
        Some(other) => bail!("unknown argument `{other}`; there are `tests` and `gateways`"),
    };
    let workspace = Workspace::here(from)?;
    let toolchain = Toolchain::find()?;
    let out = workspace.target.join(to);
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let file = |name: &str| out.join(format!("{name}.wasm"));
    let make = |guests: &[Guest]| -> Result<()> {
        eprintln!("building {} components with {toolchain}", guests.len());
        for guest in guests {
            say(&guest.name, &build(&toolchain, &workspace, guest, &file(&guest.name))?);
        }
        Ok(())
    };
    make(&workspace.guests)?;
    if argument.as_deref() == Some("gateways") {
        make(&workspace.gateways)?;
    }
    Ok(())
}

fn say(name: &str, component: &[u8]) {
    println!("{name:<20} {:>8} bytes  sha256 {}", component.len(), digest(component));
}
