//! What a file is, told by its first bytes, and its content as a stream.

use std::io::{self, BufReader, Read, Seek};

use flate2::bufread::MultiGzDecoder;

use crate::reader::Reader;
use crate::zip::Unzip;

pub type Buffered = BufReader<Reader>;

/// Compressed bytes that are read at once.
const BUFFER_BYTES: usize = 256 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Plain,
    Gzip,
    Zstd,
    Zip,
    Parquet,
}

/// Tells the form; the reader is at its start afterwards.
pub fn form(reader: &mut Reader) -> io::Result<Form> {
    let mut first = [0; 4];
    let mut read = 0;
    while read < first.len() {
        match reader.read(&mut first[read..])? {
            0 => break,
            more => read += more,
        }
    }
    reader.rewind()?;
    Ok(match &first[..read] {
        [0x1f, 0x8b, ..] => Form::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Form::Zstd,
        b"PK\x03\x04" | b"PK\x05\x06" => Form::Zip,
        b"PAR1" => Form::Parquet,
        _ => Form::Plain,
    })
}

/// Hands the content's stream to `take`. Parquet is no stream.
pub fn with_stream<T>(
    reader: Reader,
    form: Form,
    take: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> io::Result<T> {
    match form {
        Form::Plain | Form::Parquet => {
            let mut reader = reader;
            take(&mut reader)
        }
        Form::Gzip => {
            let mut gzip = MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, reader));
            let taken = take(&mut gzip)?;
            Ok(taken)
        }
        Form::Zstd => {
            let buffered = BufReader::with_capacity(BUFFER_BYTES, reader);
            let mut zstd = zstd::Decoder::with_buffer(buffered)?;
            take(&mut zstd)
        }
        Form::Zip => take(&mut Unzip::open(BufReader::with_capacity(BUFFER_BYTES, reader))?),
    }
}
