//! A file as a stream that can seek.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::object::Object;
use crate::{File, FileError};

/// Bytes asked of a store at once: requests are slow, and many of them are slower.
const REMOTE_READ: usize = 4 << 20;

pub struct Reader {
    object: Object,
    size_bytes: u64,
    at: u64,
    /// Counts the bytes that were read.
    progress: Option<Arc<AtomicU64>>,
    /// What was read ahead of a store, and where it begins.
    ahead: (u64, Vec<u8>),
}

impl Reader {
    pub fn open(file: &File, progress: Option<Arc<AtomicU64>>) -> Result<Self, FileError> {
        let object = Object::open(&file.place, &file.version, &file.name)?;
        Ok(Self { object, size_bytes: file.version.size_bytes, at: 0, progress, ahead: (0, Vec::new()) })
    }

    /// Exactly so many bytes from `offset` on; where the stream stands does not change.
    pub fn range(&self, offset: u64, length: u64) -> io::Result<Bytes> {
        if let Some(progress) = &self.progress {
            progress.fetch_add(length, Ordering::Relaxed);
        }
        self.object.range(offset, length)
    }

    fn read_remote(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let within = |(from, bytes): &(u64, Vec<u8>), at: u64| {
            at.checked_sub(*from).map(|skip| skip as usize).filter(|skip| *skip < bytes.len())
        };
        if within(&self.ahead, self.at).is_none() {
            let mut bytes = std::mem::take(&mut self.ahead.1);
            bytes.resize(REMOTE_READ, 0);
            let read = self.object.read_at(&mut bytes, self.at, self.size_bytes)?;
            bytes.truncate(read);
            self.ahead = (self.at, bytes);
        }
        let Some(skip) = within(&self.ahead, self.at) else { return Ok(0) };
        let ready = &self.ahead.1[skip..];
        let count = ready.len().min(into.len());
        into[..count].copy_from_slice(&ready[..count]);
        Ok(count)
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match self.object {
            Object::Local(_) => self.object.read_at(into, self.at, self.size_bytes)?,
            Object::Remote { .. } => self.read_remote(into)?,
        };
        self.at += read as u64;
        if let Some(progress) = &self.progress {
            progress.fetch_add(read as u64, Ordering::Relaxed);
        }
        Ok(read)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size_bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
