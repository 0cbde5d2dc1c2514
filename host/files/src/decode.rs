//! What a file is, told by its first bytes, and its content as streams.

use std::io::{self, BufReader, Read, Seek};

use flate2::bufread::MultiGzDecoder;

use crate::reader::Reader;
use crate::zip;

/// Compressed bytes that are read at once.
const BUFFER_BYTES: usize = 256 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Plain,
    Gzip,
    Zstd,
    Zip,
    Parquet,
    ArrowFile,
    ArrowStream,
    /// Known, and not read: what it is, and what to do.
    Foreign(&'static str),
}

/// The first bytes of what is often taken for a file of klines and cannot be read.
const FOREIGN: [(&[u8], &str); 10] = [
    (b"FEA1\0", "it is Feather of version 1: write it as version 2 or as Parquet"),
    (b"BZh91AY&SY", "it is compressed by bzip2: unpack it first"),
    (b"\xfd7zXZ\0", "it is compressed by xz: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it first"),
    (b"Rar!\x1a\x07", "it is a RAR archive: unpack it first"),
    (b"\x04\x22\x4d\x18", "it is compressed by lz4: unpack it first"),
    (b"\x89HDF\r\n\x1a\n", "it is HDF5: write it as CSV or Parquet"),
    (b"Obj\x01", "it is Avro: write it as CSV or Parquet"),
    (b"SQLite format 3\0", "it is an SQLite database: write its table as CSV or Parquet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is a spreadsheet of an old kind (.xls): save the sheet as CSV"),
];

/// Tells the form; the reader is at its start afterwards.
pub fn form(reader: &mut Reader) -> io::Result<Form> {
    let mut first = [0; 16];
    let mut read = 0;
    while read < first.len() {
        match reader.read(&mut first[read..])? {
            0 => break,
            more => read += more,
        }
    }
    reader.rewind()?;
    Ok(of(&first[..read]))
}

fn of(first: &[u8]) -> Form {
    if let Some((_, what)) = FOREIGN.iter().find(|(start, _)| first.starts_with(start)) {
        return Form::Foreign(what);
    }
    match first {
        [0x1f, 0x8b, ..] => Form::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Form::Zstd,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Form::Zip,
        [b'P', b'A', b'R', b'1', ..] => Form::Parquet,
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => Form::ArrowFile,
        [0xff, 0xff, 0xff, 0xff, ..] => Form::ArrowStream,
        _ => Form::Plain,
    }
}

/// Hands the content to `take`, as a stream: that of each file in an archive, one after the other, until `take` says
/// that it wants no more. False where it has said so. Forms of columns are no streams.
pub fn each_stream(
    reader: Reader,
    form: Form,
    take: &mut dyn FnMut(&mut dyn Read) -> io::Result<bool>,
) -> io::Result<bool> {
    let buffered = |reader| BufReader::with_capacity(BUFFER_BYTES, reader);
    match form {
        Form::Gzip => take(&mut MultiGzDecoder::new(buffered(reader))),
        Form::Zstd => take(&mut zstd::Decoder::with_buffer(buffered(reader))?),
        Form::Zip => zip::each(reader, take),
        Form::Plain | Form::Parquet | Form::ArrowFile | Form::ArrowStream | Form::Foreign(_) => {
            let mut reader = reader;
            take(&mut reader)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_at_the_start_of_a_line_is_no_other_form() {
        for text in ["FEA1USDT,1,2", "BZhUSDT,1", "Obj,1", "Rar!,1", "ARROW1,2", "PKUSDT,1", "7z,1", "", "P"]
        {
            assert_eq!(of(text.as_bytes()), Form::Plain, "{text}");
        }
        assert!(matches!(of(b"\xfd7zXZ\0\0\x04"), Form::Foreign(what) if what.contains("xz")));
        assert_eq!(of(b"ARROW1\0\0\xff\xff\xff\xff"), Form::ArrowFile);
    }
}
