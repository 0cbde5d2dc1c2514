//! A file's lines, a few thousand at a time.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use memchr::{memchr_iter, memrchr};

use crate::checksum::{self, Checksums};
use crate::decode::{self, Form};
use crate::reader::Reader;
use crate::text;
use crate::{File, FileError};
use crate::{ipc_rows, parquet_rows};

/// Longest line.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// Whole lines, one after the other, with their line ends (which the last line of a file may lack).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    pub bytes: Vec<u8>,
    /// End of each line in `bytes`.
    pub ends: Vec<u32>,
    /// The first line of a file, without its end, or the names of the columns of a file that has no lines; given with
    /// the first lines of the file, and with those of each file in an archive.
    pub first_line: Option<Arc<str>>,
}

impl Lines {
    /// Leaves the first `count` lines out.
    pub fn drop_first(&mut self, count: usize) {
        let Some(end) = count.checked_sub(1).and_then(|last| self.ends.get(last)).copied() else { return };
        self.bytes.drain(..end as usize);
        self.ends.drain(..count);
        self.ends.iter_mut().for_each(|it| *it -= end);
    }
}

/// What receives lines says whether it wants more.
pub type Sink<'s> = &'s mut dyn FnMut(Lines) -> bool;

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

pub enum Failure {
    Stream(io::Error),
    File(FileError),
}

/// Cuts a stream after line ends.
pub struct Splitter<'a> {
    name: &'a str,
    pub piece_bytes: usize,
    /// Lines given so far.
    lines: u64,
    /// Whether the next lines are the first ones of a file.
    begins: bool,
    sink: Sink<'a>,
}

impl Splitter<'_> {
    /// Cuts the stream of one file. False where the sink wanted no more.
    fn split(&mut self, stream: &mut dyn Read) -> Result<bool, Failure> {
        self.begins = true;
        let mut bytes = Vec::new();
        loop {
            let room = self.piece_bytes.max(2 * bytes.len()) - bytes.len();
            // Spare capacity keeps `read_to_end` from asking whether it is needed.
            bytes.reserve(room + 64);
            let read = stream.take(room as u64).read_to_end(&mut bytes).map_err(Failure::Stream)?;
            if read < room {
                return Ok(bytes.is_empty() || self.give(bytes));
            }
            let end = match memrchr(b'\n', &bytes) {
                Some(last) => last + 1,
                None if bytes.len() > MAX_LINE_BYTES => {
                    let (file, line) = (self.name.to_owned(), self.lines + 1);
                    return Err(Failure::File(FileError::LongLine { file, line }));
                }
                None => continue,
            };
            let rest = bytes[end..].to_vec();
            bytes.truncate(end);
            if !self.give(bytes) {
                return Ok(false);
            }
            bytes = rest;
        }
    }

    /// Gives whole lines; the first of a file say what its first line is.
    fn give(&mut self, bytes: Vec<u8>) -> bool {
        let first = self.begins.then(|| first_line(&bytes));
        self.give_under(bytes, first)
    }

    /// Gives whole lines under a first line that is not among them.
    pub fn give_under(&mut self, bytes: Vec<u8>, first_line: Option<Arc<str>>) -> bool {
        let mut ends = Vec::with_capacity(bytes.len() / 48);
        ends.extend(memchr_iter(b'\n', &bytes).map(|at| at as u32 + 1));
        if ends.last().is_none_or(|last| (*last as usize) < bytes.len()) {
            ends.push(bytes.len() as u32);
        }
        self.lines += ends.len() as u64;
        self.begins = false;
        (self.sink)(Lines { bytes, ends, first_line })
    }

    /// Whether nothing has been given yet.
    pub fn at_start(&self) -> bool {
        self.begins
    }
}

fn first_line(bytes: &[u8]) -> Arc<str> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &[u8], piece_bytes: usize) -> Result<Vec<Lines>, FileError> {
        let mut pieces = Vec::new();
        let mut sink = |lines: Lines| {
            pieces.push(lines);
            true
        };
        let mut splitter = Splitter { name: "f", piece_bytes, lines: 0, begins: true, sink: &mut sink };
        match splitter.split(&mut &text[..]) {
            Ok(_) => Ok(pieces),
            Err(Failure::File(error)) => Err(error),
            Err(Failure::Stream(error)) => panic!("{error}"),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_together_are_the_file_and_end_after_lines(text in "[a\r\n]{0,200}", piece_bytes in 1usize..50) {
            let pieces = split(text.as_bytes(), piece_bytes).unwrap();
            let together: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes.clone()).collect();
            prop_assert_eq!(together, text.as_bytes());
            let lines: Vec<&[u8]> = pieces.iter().flat_map(|piece| {
                let starts = std::iter::once(0).chain(piece.ends.iter().map(|end| *end as usize));
                starts.zip(&piece.ends).map(|(start, end)| &piece.bytes[start..*end as usize])
            }).collect();
            let expected: Vec<&str> = text.split_inclusive('\n').collect();
            prop_assert_eq!(lines, expected.iter().map(|line| line.as_bytes()).collect::<Vec<_>>());
            prop_assert!(pieces.iter().skip(1).all(|piece| piece.first_line.is_none()));
            let first = pieces.first().map(|piece| piece.first_line.as_deref().unwrap_or_default().to_owned());
            prop_assert_eq!(first.unwrap_or_default(), text.split('\n').next().map(|line| line.strip_suffix('\r').unwrap_or(line)).unwrap_or_default());
        }
    }

    #[test]
    fn the_first_lines_can_be_left_out() {
        let whole = split(b"a\nbc\n\nd", 100).unwrap().remove(0);
        for (count, text, ends) in
            [(0, "a\nbc\n\nd", vec![2, 5, 6, 7]), (2, "\nd", vec![1, 2]), (4, "", vec![])]
        {
            let mut lines = whole.clone();
            lines.drop_first(count);
            assert_eq!((lines.bytes.as_slice(), lines.ends), (text.as_bytes(), ends), "{count}");
        }
    }

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

    #[test]
    fn a_line_that_never_ends_is_told_with_its_number() {
        let text = [b"one\n".to_vec(), vec![b'x'; 3 * MAX_LINE_BYTES]].concat();
        assert!(split(&text, 1 << 10).unwrap_err().to_string().starts_with("f:2: a line of more than"));
    }
}
