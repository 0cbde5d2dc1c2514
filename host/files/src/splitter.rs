//! A stream of bytes, cut into whole lines.

use std::io::{self, Read};
use std::sync::Arc;

use memchr::{memchr_iter, memrchr};

use crate::FileError;

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

pub enum Failure {
    Stream(io::Error),
    File(FileError),
}

/// Cuts a stream after line ends.
pub struct Splitter<'a> {
    pub name: &'a str,
    pub piece_bytes: usize,
    /// Lines given so far.
    pub lines: u64,
    /// Whether the next lines are the first ones of a file.
    pub begins: bool,
    pub sink: Sink<'a>,
}

impl Splitter<'_> {
    /// Cuts the stream of one file. False where the sink wanted no more.
    pub fn split(&mut self, stream: &mut dyn Read) -> Result<bool, Failure> {
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

    #[test]
    fn a_line_that_never_ends_is_told_with_its_number() {
        let text = [b"one\n".to_vec(), vec![b'x'; 3 * MAX_LINE_BYTES]].concat();
        assert!(split(&text, 1 << 10).unwrap_err().to_string().starts_with("f:2: a line of more than"));
    }
}
