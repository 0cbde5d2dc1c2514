//! `tallow schema`: the JSON schema of a manifest, for editors.

use std::io::{self, ErrorKind, Write};

use super::Failure;

/// Of the tables that are Tallow's; made by the manifest's reader.
const SCHEMA: &str = include_str!("../../../docs/manifest.schema.json");

pub fn run() -> Result<(), Failure> {
    match io::stdout().lock().write_all(SCHEMA.as_bytes()) {
        // The reader may stop early, as `head` does.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::failed(error)),
        _ => Ok(()),
    }
}
