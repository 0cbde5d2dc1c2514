//! Bytes and texts of strangers, so that a terminal shows them and obeys none of them.

/// Bytes per line of a dump.
const LINE: usize = 16;

/// Offset, hexadecimal and ASCII, a line per 16 bytes.
pub fn dump(bytes: &[u8]) -> Vec<String> {
    let line = |(index, line): (usize, &[u8])| {
        let mut hex = String::new();
        for (at, byte) in line.iter().enumerate() {
            hex.push_str(if at == LINE / 2 { "  " } else { " " });
            hex.push_str(&format!("{byte:02x}"));
        }
        let plain = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { *byte as char } else { '.' };
        let text: String = line.iter().map(plain).collect();
        format!("{:08x} {hex:<49}  |{text}|", index * LINE)
    };
    bytes.chunks(LINE).enumerate().map(line).collect()
}

/// A text on one line, without characters that move the cursor or turn the direction of writing.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let hidden = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        match letter.is_control() || hidden {
            true => out.extend(letter.escape_default()),
            false => out.push(letter),
        }
    }
    out
}

/// What bytes are as text; invalid UTF-8 is replaced.
pub fn text(bytes: &[u8]) -> String {
    plain(&String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_dumped_in_lines_of_sixteen() {
        let lines = dump(b"{\"e\":\"trade\"}\x1b[2J\xff");
        assert_eq!(
            lines,
            [
                "00000000  7b 22 65 22 3a 22 74 72  61 64 65 22 7d 1b 5b 32  |{\"e\":\"trade\"}.[2|",
                "00000010  4a ff                                             |J.|",
            ]
        );
        assert!(dump(b"").is_empty());
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_printed() {
        assert_eq!(plain("a\u{1b}[2Jb\n\u{202e}c\u{9b}é"), "a\\u{1b}[2Jb\\n\\u{202e}c\\u{9b}é");
        assert_eq!(text(b"BTC\xff\x07"), "BTC\u{fffd}\\u{7}");
    }
}
