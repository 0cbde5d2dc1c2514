//! The files in a zip archive, one after the other.

use std::io::{self, BufReader, Read};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, Error, ErrorKind, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ReaderAt, ZipArchive};

use crate::reader::Reader;

/// Files that spreadsheets put into what they write, which is a zip archive too.
const OF_SPREADSHEETS: [&str; 2] = ["[Content_Types].xml", "META-INF/manifest.xml"];
/// Compressed bytes that are read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// What the directory says about a file.
struct Entry {
    name: String,
    method: CompressionMethod,
    encrypted: bool,
    place: rawzip::ZipArchiveEntryWayfinder,
}

/// Hands the content of each file to `take`, by name, until that wants no more. What a Mac adds, and other
/// hidden files, are left out.
pub fn each(archive: Reader, take: &mut dyn FnMut(&mut dyn Read) -> io::Result<bool>) -> io::Result<bool> {
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let archive = ZipArchive::from_seekable(archive, &mut buffer).map_err(of_archive)?;
    let mut entries = directory(&archive, &mut buffer)?;
    if let Some(entry) = entries.iter().find(|entry| OF_SPREADSHEETS.contains(&entry.name.as_str())) {
        return Err(invalid(format!(
            "it is a spreadsheet (it holds `{}`): save the sheet as CSV",
            entry.name
        )));
    }
    entries.retain(|entry| is_content(&entry.name));
    if entries.is_empty() {
        return Err(invalid("the archive holds no files".to_owned()));
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    for entry in entries {
        let taken = content(&archive, &entry).and_then(|mut content| take(&mut content));
        if !taken.map_err(|error| within(&entry.name, error))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn directory<R: ReaderAt>(archive: &ZipArchive<R>, buffer: &mut [u8]) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut entries = archive.entries(buffer);
    while let Some(entry) = entries.next_entry().map_err(of_archive)? {
        found.push(Entry {
            name: String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned(),
            method: entry.compression_method(),
            encrypted: entry.flags().is_encrypted(),
            place: entry.wayfinder(),
        });
    }
    match archive.entries_hint() == found.len() as u64 {
        true => Ok(found),
        false => Err(invalid("its directory is damaged".to_owned())),
    }
}

/// A file's content; its length and checksum are compared at its end.
fn content<'a, R: ReaderAt + 'a>(
    archive: &'a ZipArchive<R>,
    entry: &Entry,
) -> io::Result<Box<dyn Read + 'a>> {
    if entry.encrypted {
        return Err(invalid("it is encrypted".to_owned()));
    }
    let found = archive.get_entry(entry.place).map_err(of_archive)?;
    let packed = BufReader::with_capacity(BUFFER_BYTES, found.reader());
    match entry.method {
        CompressionMethod::STORE => Ok(Box::new(found.verifying_reader(packed))),
        CompressionMethod::DEFLATE => Ok(Box::new(found.verifying_reader(DeflateDecoder::new(packed)))),
        other => Err(invalid(format!("compressed by {other:?}, and only deflate is known: pack it again"))),
    }
}

fn is_content(name: &str) -> bool {
    !name.ends_with('/') && !name.split('/').any(|part| part == "__MACOSX" || part.starts_with('.'))
}

/// An error with the name of the file in the archive; what caused it stays the cause.
#[derive(Debug, thiserror::Error)]
#[error("`{name}`: {error}")]
struct Within {
    name: String,
    #[source]
    error: io::Error,
}

fn within(name: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Within { name: name.to_owned(), error })
}

fn of_archive(error: Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::IO(error) => error,
        ErrorKind::MissingEndOfCentralDirectory | ErrorKind::Eof => {
            invalid("it has no directory at its end: it is cut off".to_owned())
        }
        other => invalid(format!("it is no sound zip archive: {other}")),
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
