//! The one file in a zip archive, as the exchange packs them: stored or deflated, its checksum compared at the end.

use std::io::{self, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use crate::decode::Buffered;

const END_OF_DIRECTORY: [u8; 4] = *b"PK\x05\x06";
const DIRECTORY_ENTRY: [u8; 4] = *b"PK\x01\x02";
const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
/// The end record is at the end, before a comment of up to 64 KiB.
const END_BYTES: usize = 22;
const ENTRY_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
/// A size that is kept elsewhere (zip64).
const ELSEWHERE: u32 = u32::MAX;

/// What the directory says of a file.
struct Entry {
    encrypted: bool,
    method: u16,
    crc: u32,
    compressed_bytes: u32,
    bytes: u32,
    header_at: u32,
}

/// The content of an archive's only file.
pub enum Unzip {
    Stored(Checked<Take<Buffered>>),
    Deflated(Checked<DeflateDecoder<Take<Buffered>>>),
}

impl Unzip {
    pub fn open(mut archive: Buffered) -> io::Result<Self> {
        let entry = only_entry(&mut archive)?;
        if entry.encrypted {
            return Err(invalid("it is encrypted"));
        }
        archive.seek(SeekFrom::Start(u64::from(entry.header_at)))?;
        let header: [u8; LOCAL_BYTES] = read(&mut archive)?;
        if !header.starts_with(&LOCAL_HEADER) {
            return Err(invalid("its directory points to no file"));
        }
        let skipped = i64::from(u16_at(&header, 26)) + i64::from(u16_at(&header, 28));
        archive.seek_relative(skipped)?;
        let content = archive.take(u64::from(entry.compressed_bytes));
        let (crc, bytes) = (entry.crc, u64::from(entry.bytes));
        match entry.method {
            0 => Ok(Self::Stored(Checked { content, crc, bytes, sum: Crc::new(), read: 0 })),
            8 => {
                let content = DeflateDecoder::new(content);
                Ok(Self::Deflated(Checked { content, crc, bytes, sum: Crc::new(), read: 0 }))
            }
            other => Err(invalid(format!("compressed by method {other}: only deflate is known"))),
        }
    }
}

impl Read for Unzip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(content) => content.read(into),
            Self::Deflated(content) => content.read(into),
        }
    }
}

/// Compares length and checksum once the content ends.
pub struct Checked<R> {
    content: R,
    crc: u32,
    bytes: u64,
    sum: Crc,
    read: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(into)?;
        self.sum.update(&into[..read]);
        self.read += read as u64;
        if read == 0 && !into.is_empty() && (self.read, self.sum.sum()) != (self.bytes, self.crc) {
            return Err(invalid("its content is not what its directory says (length or CRC-32)"));
        }
        Ok(read)
    }
}

/// Which of several files would be meant cannot be told.
fn only_entry(archive: &mut Buffered) -> io::Result<Entry> {
    let size = archive.seek(SeekFrom::End(0))?;
    let tail_bytes = size.min((END_BYTES + usize::from(u16::MAX)) as u64);
    archive.seek(SeekFrom::Start(size - tail_bytes))?;
    let mut tail = Vec::new();
    archive.read_to_end(&mut tail)?;
    let ends = tail.len().saturating_sub(END_BYTES - 1);
    let end = (0..ends).rev().find(|at| tail[*at..].starts_with(&END_OF_DIRECTORY));
    let end = &tail[end.ok_or_else(|| invalid("it has no directory: it is cut off"))?..];
    let (entries, mut at) = (u16_at(end, 10), u64::from(u32_at(end, 16)));
    let mut files = Vec::new();
    for _ in 0..entries {
        archive.seek(SeekFrom::Start(at))?;
        let entry: [u8; ENTRY_BYTES] = read(archive)?;
        if !entry.starts_with(&DIRECTORY_ENTRY) {
            return Err(invalid("its directory is damaged"));
        }
        let name_bytes = u16_at(&entry, 28);
        let mut name = vec![0; usize::from(name_bytes)];
        archive.read_exact(&mut name)?;
        at += ENTRY_BYTES as u64 + u64::from(name_bytes);
        at += u64::from(u16_at(&entry, 30)) + u64::from(u16_at(&entry, 32));
        if !name.ends_with(b"/") {
            files.push(Entry {
                encrypted: u16_at(&entry, 8) & 1 == 1,
                method: u16_at(&entry, 10),
                crc: u32_at(&entry, 16),
                compressed_bytes: u32_at(&entry, 20),
                bytes: u32_at(&entry, 24),
                header_at: u32_at(&entry, 42),
            });
        }
    }
    match (files.pop(), files.len()) {
        (Some(only), 0) if [only.compressed_bytes, only.bytes, only.header_at].contains(&ELSEWHERE) => {
            Err(invalid("it is larger than 4 GiB: unpack it first"))
        }
        (Some(only), 0) => Ok(only),
        (more, others) => {
            let files = others + usize::from(more.is_some());
            Err(invalid(format!("the archive holds {files} files, and one is expected")))
        }
    }
}

fn read<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
