//! An object's bytes before they are stored. Few are in memory; many are in a scratch file, an unnamed one that is gone
//! with the process.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tallow_digest::{Digest, Hasher};

/// A body of more bytes is in a scratch file.
pub const SPILL_BYTES: usize = 16 << 20;

/// Bytes with their digest. Clones share them.
#[derive(Clone)]
pub struct Body {
    held: Held,
    length: u64,
    digest: Digest,
}

#[derive(Clone)]
enum Held {
    Memory(Bytes),
    Scratch(Arc<File>),
}

impl Body {
    /// Bytes that are in memory already, and stay there.
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let (length, digest) = (bytes.len() as u64, Digest::of(&bytes));
        Self { held: Held::Memory(bytes), length, digest }
    }

    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes, where they are in memory: always where there are at most [`SPILL_BYTES`].
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.held {
            Held::Memory(bytes) => Some(bytes),
            Held::Scratch(_) => None,
        }
    }

    /// Some of the bytes. An error where there are not as many, or the scratch file cannot be read.
    pub fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.start > range.end || range.end > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match &self.held {
            Held::Memory(bytes) => Ok(bytes.slice(range.start as usize..range.end as usize)),
            Held::Scratch(file) => {
                let mut bytes = vec![0; (range.end - range.start) as usize];
                file.read_exact_at(&mut bytes, range.start)?;
                Ok(bytes.into())
            }
        }
    }
}

/// Bodies are equal where their bytes are.
impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        (self.length, self.digest) == (other.length, other.digest)
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes, {})", self.length, self.digest)
    }
}

/// Takes a body as it comes: into memory first, and into a scratch file once there is much.
///
/// ```
/// use std::io::Write;
/// use tallow_store::{Body, BodyWriter};
///
/// let mut writer = BodyWriter::new(&std::env::temp_dir());
/// writer.write_all(b"one ")?;
/// writer.write_all(b"two")?;
/// assert_eq!(writer.finish(), Body::of("one two"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct BodyWriter {
    folder: PathBuf,
    held: Writing,
    length: u64,
    hasher: Hasher,
}

enum Writing {
    Memory(Vec<u8>),
    Scratch(File),
}

impl BodyWriter {
    /// `folder`: where a scratch file is made. It is looked at when there is one to be made.
    pub fn new(folder: &Path) -> Self {
        let held = Writing::Memory(Vec::new());
        Self { folder: folder.to_owned(), held, length: 0, hasher: Hasher::default() }
    }

    pub fn finish(self) -> Body {
        let held = match self.held {
            Writing::Memory(bytes) => Held::Memory(bytes.into()),
            Writing::Scratch(file) => Held::Scratch(Arc::new(file)),
        };
        Body { held, length: self.length, digest: self.hasher.finish() }
    }

    fn spill(&self, bytes: &[u8]) -> io::Result<File> {
        let mut file = tempfile::tempfile_in(&self.folder)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Writing::Memory(before) = &self.held
            && before.len() + bytes.len() > SPILL_BYTES
        {
            self.held = Writing::Scratch(self.spill(before)?);
        }
        match &mut self.held {
            Writing::Memory(before) => before.extend_from_slice(bytes),
            Writing::Scratch(file) => file.write_all(bytes)?,
        }
        Ok(())
    }
}

impl Write for BodyWriter {
    /// All of the bytes or an error, which says where the scratch file is.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes).map_err(|error| {
            let folder = self.folder.display();
            let why =
                format!("cannot write a scratch file in {folder}: {error}. Make room there, or set TMPDIR");
            io::Error::new(error.kind(), why)
        })?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8], piece: usize) -> Body {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = BodyWriter::new(folder.path());
        bytes.chunks(piece).for_each(|piece| writer.write_all(piece).unwrap());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "a scratch file has no name");
        writer.finish()
    }

    #[test]
    fn a_small_body_is_in_memory_a_large_one_is_not_and_both_are_what_was_written() {
        let bytes: Vec<u8> = (0..SPILL_BYTES + 1).map(|index| (index * 31 % 251) as u8).collect();
        for (length, in_memory) in [(0, true), (SPILL_BYTES, true), (SPILL_BYTES + 1, false)] {
            let body = written(&bytes[..length], 1_000_003);
            assert_eq!(body, Body::of(bytes[..length].to_vec()), "{length}");
            assert_eq!(body.bytes().is_some(), in_memory, "{length}");
            let end = length as u64;
            assert_eq!(body.read(0..end).unwrap(), bytes[..length], "{length}");
            let from = end - end.min(7);
            assert_eq!(body.read(from..end).unwrap(), bytes[from as usize..length], "{length}");
            assert!(body.read(from..end + 1).is_err(), "{length}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named_once_it_is_needed() {
        let folder = tempfile::tempdir().unwrap().path().join("none");
        let mut writer = BodyWriter::new(&folder);
        writer.write_all(b"few").unwrap();
        let error = writer.write_all(&vec![0; SPILL_BYTES]).unwrap_err().to_string();
        assert!(error.contains(folder.to_str().unwrap()), "{error}");
    }
}
