//! A file's lines, a few thousand at a time.

use std::io::{self};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::checksum::{self, Checksums};
use crate::decode::{self, Form};
use crate::reader::Reader;
use crate::splitter::{Failure, Sink, Splitter};
use crate::text;
use crate::{File, FileError};
use crate::{ipc_rows, parquet_rows};

/// Reads a file to its end, or until `sink` wants no more, in pieces of about `piece_bytes`. `progress` counts the
/// file's bytes as they are read.
pub fn read(
    file: &File,
    checksums: Checksums,
    piece_bytes: usize,
    progress: Arc<AtomicU64>,
    sink: Sink<'_>,
) -> Result<(), FileError> {
    checksum::check(file, checksums)?;
    let mut reader = Reader::open(file, Some(progress))?;
    let form = decode::form(&mut reader).map_err(|error| fault(file, Form::Plain, &error))?;
    let mut splitter = Splitter { name: &file.name, piece_bytes, lines: 0, begins: true, sink };
    let whole = match form {
        Form::Parquet => guarded(file, || parquet_rows::read(file, reader, &mut splitter))?,
        Form::ArrowFile => guarded(file, || ipc_rows::read_file(file, reader, &mut splitter))?,
        Form::ArrowStream => guarded(file, || ipc_rows::read_stream(file, reader, &mut splitter))?,
        Form::Foreign(what) => {
            return Err(FileError::Broken { file: file.name.clone(), why: what.to_owned() });
        }
        form => streams(file, form, reader, &mut splitter)?,
    };
    if whole && file.place.version(&file.name)?.as_ref() != Some(&file.version) {
        return Err(FileError::Changed { file: file.name.clone() });
    }
    Ok(())
}

/// Reads forms that are streams of lines. False where the sink wanted no more.
fn streams(file: &File, form: Form, reader: Reader, splitter: &mut Splitter<'_>) -> Result<bool, FileError> {
    // An error of the splitter's own goes around the stream's, which are of another kind.
    let mut failed = None;
    let whole = decode::each_stream(reader, form, &mut |stream| {
        splitter.split(&mut text::as_utf8(stream)?).or_else(|error| match error {
            Failure::Stream(error) => Err(error),
            Failure::File(error) => {
                failed = Some(error);
                Ok(false)
            }
        })
    });
    match failed {
        Some(error) => Err(error),
        None => whole.map_err(|error| fault(file, form, &error)),
    }
}

/// The readers of columns were not made for files that someone has damaged on purpose: they may panic.
fn guarded(file: &File, read: impl FnOnce() -> Result<bool, FileError>) -> Result<bool, FileError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let why = "its content contradicts itself: it is damaged".to_owned();
        Err(FileError::Broken { file: file.name.clone(), why })
    })
}

/// A plain file that cannot be read is a matter of the disk, a compressed one may be broken.
fn fault(file: &File, form: Form, error: &io::Error) -> FileError {
    let store = cause_of::<tallow_store::StoreError>(error);
    match (form, store) {
        (_, Some(error)) => FileError::Store(error.clone()),
        (Form::Plain, None) => crate::object::unreadable(&file.name, error),
        (_, None) => FileError::Broken { file: file.name.clone(), why: error.to_string() },
    }
}

/// What of that kind is behind an error.
fn cause_of<E: std::error::Error + 'static>(error: &io::Error) -> Option<&E> {
    let mut cause = error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static));
    while let Some(it) = cause {
        if let Some(found) = it.downcast_ref::<E>() {
            return Some(found);
        }
        cause = match it.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static)),
            None => it.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitter::Lines;

    fn found(folder: &std::path::Path, name: &str) -> File {
        let files = crate::expand(&[name.to_owned()], folder, &Default::default()).unwrap();
        files.into_iter().next().unwrap()
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_an_error_whatever_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let text = "1,2,3\n".repeat(10_000);
        for change in ["appended", "replaced", "removed"] {
            std::fs::write(&path, &text).unwrap();
            let file = found(folder.path(), "a.csv");
            let mut given = 0;
            let mut sink = |lines: Lines| {
                given += lines.ends.len();
                match change {
                    "appended" => {
                        let mut file = std::fs::File::options().append(true).open(&path).unwrap();
                        std::io::Write::write_all(&mut file, b"4,5,6\n").unwrap();
                    }
                    "replaced" => {
                        std::fs::write(folder.path().join("b"), &text).unwrap();
                        std::fs::rename(folder.path().join("b"), &path).unwrap();
                    }
                    _ => _ = std::fs::remove_file(&path),
                }
                true
            };
            let read = read(&file, Checksums::Present, 1 << 12, Arc::default(), &mut sink);
            assert!(matches!(read, Err(FileError::Changed { .. })), "{change}: {read:?}");
            assert!(given > 0);
        }
        // Before it is read, too.
        std::fs::write(&path, &text).unwrap();
        let file = found(folder.path(), "a.csv");
        std::fs::write(&path, "another").unwrap();
        let read = read(&file, Checksums::Present, 1 << 12, Arc::default(), &mut |_| true);
        assert!(matches!(read, Err(FileError::Changed { .. })), "{read:?}");
    }

    #[test]
    fn an_object_is_read_as_a_file_is_and_a_changed_one_is_an_error() {
        let store = tallow_store::Store::open("memory:///lines", &Default::default()).unwrap();
        let text = "1,2,3\n".repeat(1_000_000);
        store.put_overwrite("k/a.csv", text.clone().into_bytes()).unwrap();
        let file = found(std::path::Path::new("/"), "memory:///lines/k*/a.csv");
        let mut together = Vec::new();
        let mut sink = |lines: Lines| {
            together.extend_from_slice(&lines.bytes);
            true
        };
        read(&file, Checksums::Present, 1 << 16, Arc::default(), &mut sink).unwrap();
        assert!(together == text.as_bytes());
        let mut sink = |_| {
            store.put_overwrite("k/a.csv", text[..text.len() - 6].to_owned().into_bytes()).unwrap();
            true
        };
        assert!(read(&file, Checksums::Present, 1 << 16, Arc::default(), &mut sink).is_err());
    }
}
