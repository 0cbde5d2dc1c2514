//! `tallow functions build`: from a crate to a component.

use std::path::PathBuf;

use tallow_functions_build::{Toolchain, Workspace, build, digest};

use super::find;
use crate::cli::Failure;

#[derive(clap::Args)]
pub struct Args {
    /// The crate's folder, or one with several crates in it
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Folder for the components [default: cargo's target folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<(), Failure> {
    // `{:#}`: with what led to it.
    let failed = |error| Failure::failed(format!("{error:#}"));
    let workspace = Workspace::at(&args.folder).map_err(failed)?;
    let toolchain = Toolchain::find().map_err(failed)?;
    let out = args.out.unwrap_or_else(|| workspace.target.clone());
    std::fs::create_dir_all(&out).map_err(|error| Failure::failed(format!("{}: {error}", out.display())))?;
    for guest in &workspace.guests {
        let file = out.join(format!("{}.wasm", guest.name));
        let component = build(&toolchain, &workspace, guest, &file).map_err(failed)?;
        println!("{}  {} bytes  sha256:{}", find::shown(&file), component.len(), digest(&component));
    }
    Ok(())
}
