//! Builds every function crate into a component: `cargo run --release -p tallow-functions-build`.
//!
//! A function crate is a package under `functions/` with a `cdylib` target. Each becomes a core module by
//! the Rust compiler, then a component in `target/functions/<name>.wasm`. The same source and compiler give
//! the same digest from any folder. With the argument `tests` it builds the functions that tests need, from
//! `tests/guests/` into `target/functions/test/`.

mod component;
mod guests;
mod toolchain;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use guests::{Guest, Workspace};
use toolchain::Toolchain;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<()> {
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
        let module = toolchain.compile(&workspace, guest)?;
        let bytes = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
        let component = component::encode(&bytes).with_context(|| format!("function `{}`", guest.name))?;
        write_if_changed(&out.join(format!("{}.wasm", guest.name)), &component)?;
        report(guest, &component);
    }
    Ok(())
}

fn report(guest: &Guest, component: &[u8]) {
    let digest: String = Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{:<16} {:>8} bytes  sha256 {digest}", guest.name, component.len());
}

/// A running host watches these files: it must never see half a component, nor a change where there is none.
fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let temporary = path.with_extension(format!("wasm.{}", std::process::id()));
    fs::write(&temporary, bytes).with_context(|| format!("cannot write {}", temporary.display()))?;
    fs::rename(&temporary, path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_component_keeps_its_modification_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        write_if_changed(&path, b"one").unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        file.set_modified(long_ago).unwrap();

        write_if_changed(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), long_ago);

        write_if_changed(&path, b"two").unwrap();
        assert_ne!(fs::metadata(&path).unwrap().modified().unwrap(), long_ago);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }
}
