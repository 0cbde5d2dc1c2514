//! A line as an example of others.

use serde::{Deserialize, Serialize};
use tallow_record::Place;

/// Files and symbols that are named one by one.
pub const NAMED: usize = 3;
/// Characters of a line that are shown.
const SHOWN_CHARS: usize = 100;

/// An example of lines with the same fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    pub file: String,
    pub line: i64,
    /// The line, or its beginning, without what a terminal would take for orders.
    pub text: String,
    /// As it is for this very line.
    pub reason: String,
}

impl Example {
    pub fn new(place: &Place, text: Option<&[u8]>, reason: &str) -> Self {
        let (file, line) = (place.topic.to_string(), place.offset);
        Self { file, line, text: shown(text.unwrap_or_default()), reason: reason.to_owned() }
    }
}

fn shown(line: &[u8]) -> String {
    // A character takes four bytes at most.
    let line = line.trim_ascii_end();
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN_CHARS * 4)]);
    let mut shown: String = text.chars().take(SHOWN_CHARS).flat_map(visible).collect();
    if text.chars().count() > SHOWN_CHARS || line.len() > SHOWN_CHARS * 4 {
        shown.push('…');
    }
    shown
}

fn visible(letter: char) -> Box<dyn Iterator<Item = char>> {
    match letter.is_control() {
        true => Box::new(letter.escape_default()),
        false => Box::new(std::iter::once(letter)),
    }
}

impl std::fmt::Display for Example {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: `{}`", self.file, self.line, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(shown("é".repeat(300).as_bytes()), format!("{}…", "é".repeat(100)));
        assert_eq!(shown(&[0xff; 3]), "\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(shown(b"1,2\n"), "1,2");
    }
}
