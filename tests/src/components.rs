//! Components that differ from the built ones in nothing that is read.

use std::fs;
use std::path::{Path, PathBuf};

use crate::paths;

/// The bytes of a built component, with a section that says nothing but `note`.
pub fn with_note(name: &str, note: &str) -> Vec<u8> {
    let mut bytes = fs::read(paths::functions().join(format!("{name}.wasm"))).expect("it is built");
    bytes.extend([0, 5 + note.len() as u8, 4]);
    bytes.extend(b"note");
    bytes.extend(note.as_bytes());
    bytes
}

/// These as a file of a folder.
pub fn noted(folder: &Path, name: &str, note: &str) -> PathBuf {
    let path = folder.join(format!("{name}-{note}.wasm"));
    fs::write(&path, with_note(name, note)).expect("a file in a temporary folder");
    path
}
