//! Compiled code on disk, by the component's digest and the engine's settings.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use tallow_digest::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::private_folder;

const SUM_BYTES: usize = 32;

/// What an earlier run compiled from the bytes of this digest with the same settings. A cache that cannot be read
/// or written costs time, never a start.
pub(crate) fn find(engine: &Engine, folder: Option<&Path>, digest: Digest) -> Option<Component> {
    read(engine, &path(engine, folder?, digest))
}

/// Keeps compiled code for later runs.
pub(crate) fn keep(engine: &Engine, folder: Option<&Path>, digest: Digest, code: &Component) {
    let Some(folder) = folder else { return };
    let kept = private_folder::make(folder).map_err(wasmtime::Error::from);
    if let Err(error) = kept.and_then(|()| write(&path(engine, folder, digest), code)) {
        tracing::warn!(folder = %folder.display(), %error, "compiled code is not cached: starts will be slower");
    }
}

fn path(engine: &Engine, folder: &Path, digest: Digest) -> PathBuf {
    folder.join(format!("{digest}-{:016x}.compiled", settings_hash(engine)))
}

/// The settings and version that compiled code depends on.
fn settings_hash(engine: &Engine) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

fn read(engine: &Engine, path: &Path) -> Option<Component> {
    if !path.parent().is_some_and(private_folder::is_private) {
        return None;
    }
    let file = std::fs::read(path).ok()?;
    let (sum, code) = file.split_at_checked(SUM_BYTES)?;
    if Digest::of(code).as_bytes() != sum {
        tracing::warn!(path = %path.display(), "cached code is damaged and is compiled again");
        return None;
    }
    // SAFETY: deserializing runs what the file holds as native code. The file is in a folder that no other
    // user can write to, was written by `write` below from wasmtime's own output, and its sum shows that it is whole.
    unsafe { Component::deserialize(engine, code) }.ok()
}

/// Written beside and renamed, so that a reader never sees half a file.
fn write(path: &Path, component: &Component) -> wasmtime::Result<()> {
    let code = component.serialize()?;
    let sum = Digest::of(&code);
    let draft = path.with_extension(format!("{}-{sum}", std::process::id()));
    let written = std::fs::write(&draft, [sum.as_bytes(), &code[..]].concat())
        .and_then(|()| std::fs::rename(&draft, path));
    if written.is_err() {
        // Half a file may be there, or none.
        let _ = std::fs::remove_file(&draft);
    }
    Ok(written?)
}

/// FNV-1a: the hash goes into a file name, so it must not differ between runs.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
