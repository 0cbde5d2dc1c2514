//! The exchange puts `<name>.CHECKSUM` beside each archive: its SHA-256 in hex, two spaces, its name.

use std::io::Read;

use tallow_store::{Digest, Hasher};

use crate::object::{Object, Place, unreadable};
use crate::reader::Reader;
use crate::{File, FileError};

pub const SUFFIX: &str = ".CHECKSUM";

/// A checksum is one line; more is none.
const MAX_BYTES: u64 = 64 << 10;

/// What is done about checksums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksums {
    /// Checked where there is one.
    #[default]
    Present,
    /// Every file must have one.
    Required,
    Ignored,
}

/// Compares the file with what its checksum says; gives whether there was one.
pub fn check(file: &File, checksums: Checksums) -> Result<bool, FileError> {
    if checksums == Checksums::Ignored {
        return Ok(false);
    }
    let checksum = format!("{}{SUFFIX}", file.name);
    let place = file.place.beside(SUFFIX);
    let Some(expected) = expected(&place, &checksum)? else {
        return match checksums {
            Checksums::Required => Err(FileError::NoChecksum { file: file.name.clone(), checksum }),
            _ => Ok(false),
        };
    };
    let found = sum(file)?;
    if found != expected {
        return Err(FileError::Checksum { file: file.name.clone(), checksum, expected, found });
    }
    Ok(true)
}

fn expected(place: &Place, name: &str) -> Result<Option<Digest>, FileError> {
    let Some(version) = place.version(name)? else { return Ok(None) };
    let object = Object::open(place, &version, name)?;
    let text =
        object.range(0, version.size_bytes.min(MAX_BYTES)).map_err(|error| unreadable(name, &error))?;
    let text = String::from_utf8_lossy(&text);
    let sum = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let broken = |_| {
        let why = "it holds no SHA-256 (64 hexadecimal digits)".to_owned();
        FileError::Broken { file: name.to_owned(), why }
    };
    sum.parse().map(Some).map_err(broken)
}

fn sum(file: &File) -> Result<Digest, FileError> {
    let mut reader = Reader::open(file, None)?;
    let mut hasher = Hasher::default();
    let mut bytes = vec![0; 1 << 20];
    loop {
        match reader.read(&mut bytes).map_err(|error| unreadable(&file.name, &error))? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&bytes[..read]),
        }
    }
}
