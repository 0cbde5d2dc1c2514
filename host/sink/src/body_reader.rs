//! A file that may be in a scratch file, as the Parquet reader takes it.

use std::io::{self, BufReader, Read};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use tallow_store::Body;

pub struct BodyReader(pub Body);

impl Length for BodyReader {
    fn len(&self) -> u64 {
        self.0.length()
    }
}

impl ChunkReader for BodyReader {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(From { body: self.0.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.saturating_add(length as u64);
        self.0.read(start..end).map_err(|error| ParquetError::External(error.into()))
    }
}

/// Reads on from a place.
pub struct From {
    body: Body,
    at: u64,
}

impl Read for From {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let end = self.body.length().min(self.at.saturating_add(into.len() as u64));
        let bytes = self.body.read(self.at.min(end)..end)?;
        into[..bytes.len()].copy_from_slice(&bytes);
        self.at = end;
        Ok(bytes.len())
    }
}
