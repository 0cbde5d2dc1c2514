//! Builds function crates into components: a core module by the Rust compiler, then a component that asks its host for
//! nothing. Gateway crates become components that ask for HTTP and for functions.

mod component;
mod guests;
mod toolchain;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

pub use guests::{Guest, Workspace};
pub use toolchain::Toolchain;

/// Builds a function crate into the component `to`, whose bytes are returned. An unchanged one keeps its file.
pub fn build(toolchain: &Toolchain, workspace: &Workspace, guest: &Guest, to: &Path) -> Result<Vec<u8>> {
    let module = toolchain.compile(workspace, guest)?;
    let bytes = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let component =
        component::encode(&bytes, &guest.imports).with_context(|| format!("function `{}`", guest.name))?;
    write_if_changed(to, &component)?;
    Ok(component)
}

/// A component's SHA-256 in hex.
pub fn digest(component: &[u8]) -> String {
    Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a component whole or not at all, and an unchanged one not: a running host watches these files.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
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
