//! A sorted run: an Arrow IPC stream in an unnamed file, cut into blocks that are compressed each by itself, so that
//! reading takes the memory of one block and nothing beside it.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use zstd::bulk::{Compressor, Decompressor};

use crate::SortError;
use crate::layout::Layout;

/// Runs are written once and read once: time counts for more than space.
const LEVEL: i32 = 1;

/// Blocks take memory in multiples of it, so that one fits where another was.
const ROUND_BYTES: usize = 64 << 10;

/// A run that is written.
#[derive(Debug)]
pub struct Run {
    file: File,
    blocks: u64,
    /// What the largest block takes in memory.
    pub largest_bytes: usize,
}

/// Writes a run, a block after the other.
pub struct RunWriter {
    layout: Arc<Layout>,
    file: File,
    stream: StreamWriter<Vec<u8>>,
    compressor: Compressor<'static>,
    packed: Vec<u8>,
    blocks: u64,
    largest_bytes: usize,
}

impl RunWriter {
    pub fn new(layout: &Arc<Layout>) -> Result<Self, SortError> {
        let file = tempfile::tempfile_in(&layout.scratch)
            .map_err(|error| SortError::scratch(&layout.scratch, "made", error))?;
        Self::onto(file, layout)
    }

    fn onto(file: File, layout: &Arc<Layout>) -> Result<Self, SortError> {
        Ok(Self {
            layout: layout.clone(),
            file,
            stream: StreamWriter::try_new(Vec::new(), &layout.schema)?,
            compressor: Compressor::new(LEVEL).map_err(ArrowError::from)?,
            packed: Vec::new(),
            blocks: 0,
            largest_bytes: 0,
        })
    }

    /// Adds rows as one block.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), SortError> {
        self.stream.write(rows)?;
        let block = self.stream.get_mut();
        self.packed.resize(zstd::zstd_safe::compress_bound(block.len()), 0);
        let packed_bytes = self
            .compressor
            .compress_to_buffer(block, self.packed.as_mut_slice())
            .map_err(ArrowError::from)?;
        let head = Head { packed_bytes: packed_bytes as u64, block_bytes: block.len() as u64 };
        let written = (self.file.write_all(&head.to_bytes()))
            .and_then(|()| self.file.write_all(&self.packed[..packed_bytes]));
        written.map_err(|error| SortError::scratch(&self.layout.scratch, "written", error))?;
        self.largest_bytes = self.largest_bytes.max(block.len().next_multiple_of(ROUND_BYTES));
        self.blocks += 1;
        block.clear();
        Ok(())
    }

    pub fn finish(mut self) -> Result<Run, SortError> {
        self.file.rewind().map_err(|error| SortError::scratch(&self.layout.scratch, "read", error))?;
        Ok(Run { file: self.file, blocks: self.blocks, largest_bytes: self.largest_bytes })
    }
}

/// What stands before each block.
struct Head {
    packed_bytes: u64,
    block_bytes: u64,
}

impl Head {
    const BYTES: usize = 16;

    fn to_bytes(&self) -> [u8; Self::BYTES] {
        (u128::from(self.block_bytes) << 64 | u128::from(self.packed_bytes)).to_le_bytes()
    }

    fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let both = u128::from_le_bytes(bytes);
        Self { packed_bytes: both as u64, block_bytes: (both >> 64) as u64 }
    }
}

/// Unpacks blocks of all the runs that are merged.
pub struct Unpacker {
    decompressor: Decompressor<'static>,
    packed: Vec<u8>,
}

impl Unpacker {
    pub fn new() -> Result<Self, SortError> {
        let decompressor = Decompressor::new().map_err(ArrowError::from)?;
        Ok(Self { decompressor, packed: Vec::new() })
    }

    fn unpack(&mut self, file: &mut File) -> io::Result<Buffer> {
        let mut head = [0; Head::BYTES];
        file.read_exact(&mut head)?;
        let head = Head::from_bytes(head);
        self.packed.resize(head.packed_bytes as usize, 0);
        file.read_exact(&mut self.packed)?;
        let block_bytes = (head.block_bytes as usize).next_multiple_of(ROUND_BYTES);
        let mut block = Vec::with_capacity(block_bytes);
        self.decompressor.decompress_to_buffer(&self.packed, &mut block)?;
        Ok(block.into())
    }
}

/// Reads a run, a block after the other.
#[derive(Debug)]
pub struct RunReader {
    file: File,
    blocks: u64,
    stream: StreamDecoder,
}

impl RunReader {
    pub fn new(run: Run) -> Self {
        Self { file: run.file, blocks: run.blocks, stream: StreamDecoder::new() }
    }

    /// The rows of the next block; `None` after the last one.
    pub fn next(
        &mut self,
        unpacker: &mut Unpacker,
        scratch: &Path,
    ) -> Result<Option<RecordBatch>, SortError> {
        if self.blocks == 0 {
            return Ok(None);
        }
        self.blocks -= 1;
        let mut block = unpacker
            .unpack(&mut self.file)
            .map_err(|error| SortError::scratch(scratch, "read back", error))?;
        Ok(self.stream.decode(&mut block)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;
    use crate::sorter::tests::{layout, rows};

    #[test]
    fn blocks_come_back_as_they_were_written() {
        let blocks = [rows(&[(Some("B"), None, 1)]), rows(&[(None, Some(3), 2), (Some("A"), Some(-1), 3)])];
        let layout = layout(&std::env::temp_dir());
        let mut writer = RunWriter::new(&layout).unwrap();
        blocks.iter().for_each(|block| writer.write(block).unwrap());
        let mut reader = RunReader::new(writer.finish().unwrap());
        let mut unpacker = Unpacker::new().unwrap();
        for block in &blocks {
            assert_eq!(reader.next(&mut unpacker, &layout.scratch).unwrap().as_ref(), Some(block));
        }
        assert_eq!(reader.next(&mut unpacker, &layout.scratch).unwrap(), None);
    }

    #[test]
    fn a_full_disk_is_told_with_the_folder_and_what_to_do() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut writer = RunWriter::onto(full, &layout("/scratch".as_ref())).unwrap();
        let error = writer.write(&rows(&[(Some("A"), Some(1), 1)])).unwrap_err();
        let shown = error.to_string();
        assert!(shown.starts_with("/scratch: a scratch file cannot be written: No space left"), "{shown}");
        assert!(shown.ends_with("Free space there, or have a folder used that has more"), "{shown}");
        assert_eq!(error.exit_code(), 1);
    }
}
