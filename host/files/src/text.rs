//! Text of other encodings and line ends as UTF-8 with line feeds: UTF-16 as spreadsheets write it, a byte order mark,
//! carriage returns alone. What is UTF-8 already, or nothing that is known, goes through as it is.

use std::io::{self, Cursor, Read};

/// Bytes that tell what a text is.
const FIRST_BYTES: usize = 64 << 10;
/// Bytes that tell UTF-16 that has no byte order mark.
const UNMARKED_BYTES: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 { big_endian: bool },
}

/// The stream as UTF-8 with line feeds.
pub fn as_utf8<'s>(stream: &'s mut dyn Read) -> io::Result<Box<dyn Read + 's>> {
    let first = first_of(stream)?;
    let (encoding, mark) = encoding(&first);
    let mut first = Cursor::new(first);
    first.set_position(mark);
    let stream = first.chain(stream);
    let mut text: Box<dyn Read + 's> = match encoding {
        Encoding::Utf8 => Box::new(stream),
        Encoding::Utf16 { big_endian } => {
            Box::new(Utf16 { stream, big_endian, bytes: Vec::new(), text: Cursor::default() })
        }
    };
    let first = first_of(&mut text)?;
    let returns_alone = first.contains(&b'\r') && !first.contains(&b'\n');
    let text = Cursor::new(first).chain(text);
    Ok(if returns_alone { Box::new(LineFeeds(text)) } else { Box::new(text) })
}

fn first_of(stream: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut first = Vec::with_capacity(FIRST_BYTES);
    stream.take(FIRST_BYTES as u64).read_to_end(&mut first)?;
    Ok(first)
}

/// The encoding, and how long its mark is.
fn encoding(first: &[u8]) -> (Encoding, u64) {
    let unmarked = &first[..first.len().min(UNMARKED_BYTES)];
    let zero = |odd: usize| unmarked.iter().enumerate().all(|(at, byte)| (*byte == 0) == (at % 2 == odd));
    match first {
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => (Encoding::Utf16 { big_endian: false }, 2),
        [0xfe, 0xff, ..] => (Encoding::Utf16 { big_endian: true }, 2),
        [_, _, _, _, ..] if zero(1) => (Encoding::Utf16 { big_endian: false }, 0),
        [_, _, _, _, ..] if zero(0) => (Encoding::Utf16 { big_endian: true }, 0),
        _ => (Encoding::Utf8, 0),
    }
}

struct Utf16<R> {
    stream: R,
    big_endian: bool,
    /// Bytes that are not decoded: half a unit, or half a pair.
    bytes: Vec<u8>,
    text: Cursor<Vec<u8>>,
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let more = (&mut self.stream).take(FIRST_BYTES as u64).read_to_end(&mut self.bytes)?;
            if self.bytes.is_empty() {
                return Ok(0);
            }
            self.decode(more == 0);
        }
    }
}

impl<R> Utf16<R> {
    /// Decodes what is whole; all there is, at the end.
    fn decode(&mut self, at_end: bool) {
        let unit = |pair: &[u8]| match self.big_endian {
            true => u16::from_be_bytes([pair[0], pair[1]]),
            false => u16::from_le_bytes([pair[0], pair[1]]),
        };
        let mut units: Vec<u16> = self.bytes.chunks_exact(2).map(unit).collect();
        let half_a_pair = units.last().is_some_and(|last| (0xd800..0xdc00).contains(last));
        if half_a_pair && !at_end {
            units.pop();
        }
        self.bytes.drain(..if at_end { self.bytes.len() } else { 2 * units.len() });
        let text: String =
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        self.text = Cursor::new(text.into_bytes());
    }
}

/// Line feeds in place of carriage returns.
struct LineFeeds<R>(R);

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(into)?;
        into[..read].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        let mut text = String::new();
        as_utf8(&mut &bytes[..]).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn text_is_the_same_in_every_encoding_and_with_every_line_end() {
        let text = "1,2.5\nü,\u{1f4a1}\n".repeat(20_000);
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            text.clone().into_bytes(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe", &little[..]].concat(),
            [b"\xfe\xff", &big[..]].concat(),
            text.replace('\n', "\r").into_bytes(),
        ] {
            assert!(read(&bytes) == text, "{:?}", &bytes[..8]);
        }
        let plain: Vec<u8> = "1,2\n3,4\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&plain), "1,2\n3,4\n", "without a mark");
    }

    #[test]
    fn what_is_no_text_goes_through_as_it_is() {
        for bytes in [&b""[..], b"1", b"1,2\r\n3,4\r\n", b"a\0b\0\n\n"] {
            assert_eq!(read(bytes).as_bytes(), bytes);
        }
        assert_eq!(read(b"\xff\xfe1\0\x00\xd8"), "1\u{fffd}", "half a pair at the end");
    }
}
