//! JSON, one level at a time: the keys of an object or the items of an array, each value as the text that
//! writes it. The whole text is checked against the grammar (RFC 8259), nothing is built, and nesting takes a
//! byte a level of the heap and none of the stack. Nothing here turns text into values; `value` does.
//!
//! serde_json reads these messages at a third of the speed in the sandbox, because every value goes through it
//! twice; the tests hold this scanner against it.

use crate::reason::{Apart, excerpt};
use crate::swar;

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    at: usize,
    what: &'static str,
}

impl Fault {
    /// The fault as a reason; `text` is what was scanned.
    pub fn in_text(&self, text: &str) -> Apart {
        match text[text.floor_char_boundary(self.at)..].chars().next() {
            None => Apart::rejected(format!("JSON: EOF at byte {}", self.at)),
            Some(found) => {
                let found = excerpt(found.encode_utf8(&mut [0; 4]));
                Apart::rejected(format!("JSON: {found} at byte {}, {}", self.at, self.what))
            }
        }
    }
}

type Scan<T> = Result<T, Fault>;

pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Scanner { text, at: 0 }
    }

    /// The next byte that is not white space; 0 at the end (a NUL is no JSON either).
    pub fn peek(&mut self) -> u8 {
        loop {
            match self.byte() {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return byte,
            }
        }
    }

    /// Reads a byte that may come after white space.
    pub fn accept(&mut self, byte: u8) -> bool {
        let seen = self.peek() == byte;
        self.at += usize::from(seen);
        seen
    }

    pub fn fault<T>(&self, what: &'static str) -> Scan<T> {
        Err(Fault { at: self.at, what })
    }

    /// Whether nothing but white space is left.
    pub fn end(&mut self) -> Scan<()> {
        self.peek();
        if self.at == self.text.len() { Ok(()) } else { self.fault("not the end") }
    }

    /// The key of a member and its colon, between the quotes as written.
    pub fn key(&mut self) -> Scan<&'a str> {
        if self.peek() != b'"' {
            return self.fault("not a key");
        }
        let key = self.string()?;
        if !self.accept(b':') {
            return self.fault("not a colon");
        }
        Ok(&key[1..key.len() - 1])
    }

    /// Any value, as written.
    pub fn value(&mut self) -> Scan<&'a str> {
        match self.peek() {
            b'{' | b'[' => self.nested(),
            _ => self.scalar(),
        }
    }

    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn scalar(&mut self) -> Scan<&'a str> {
        match self.peek() {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.fault("not a value"),
        }
    }

    fn word(&mut self, word: &str) -> Scan<&'a str> {
        let start = self.at;
        for expected in word.bytes() {
            if self.byte() != expected {
                return self.fault("not true, false or null");
            }
            self.at += 1;
        }
        Ok(&self.text[start..self.at])
    }

    /// A string with its quotes; `at` is at the first one.
    fn string(&mut self) -> Scan<&'a str> {
        let start = self.at;
        self.at += 1;
        loop {
            self.plain();
            match self.byte() {
                b'"' => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at]);
                }
                b'\\' => self.escape()?,
                _ => return self.fault("not allowed in a string"),
            }
        }
    }

    /// Moves to the next byte of a string that does not stand for itself, or to the end.
    #[inline]
    fn plain(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(word) = bytes.get(self.at..).and_then(|rest| rest.first_chunk()) {
            let plain = swar::plain_bytes(u64::from_le_bytes(*word));
            self.at += plain;
            if plain < 8 {
                return;
            }
        }
        while matches!(bytes.get(self.at), Some(byte) if !matches!(byte, b'"' | b'\\' | 0..0x20)) {
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Scan<()> {
        self.at += 1;
        match self.byte() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.byte().is_ascii_hexdigit() {
                        return self.fault("not a hexadecimal digit");
                    }
                    self.at += 1;
                }
            }
            _ => return self.fault("not an escape"),
        }
        Ok(())
    }

    fn number(&mut self) -> Scan<&'a str> {
        let start = self.at;
        self.at += usize::from(self.byte() == b'-');
        match self.byte() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if let b'e' | b'E' = self.byte() {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), b'+' | b'-'));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { self.fault("not a digit") }
    }

    /// An object or array with all that is in it.
    fn nested(&mut self) -> Scan<&'a str> {
        let start = self.at;
        // The closing brackets that are due.
        let mut due = Vec::new();
        loop {
            match self.peek() {
                b'{' => {
                    self.at += 1;
                    due.push(b'}');
                    if self.peek() != b'}' {
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    due.push(b']');
                    if self.peek() != b']' {
                        continue;
                    }
                }
                _ => {
                    self.scalar()?;
                }
            }
            // After a value: close what ends here, until another value follows.
            loop {
                let Some(&closing) = due.last() else {
                    return Ok(&self.text[start..self.at]);
                };
                if self.accept(closing) {
                    due.pop();
                } else if self.accept(b',') {
                    if closing == b'}' {
                        self.key()?;
                    }
                    break;
                } else {
                    return self.fault("not a comma or the end of an object or array");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    fn scan(text: &str) -> Scan<&str> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end().map(|()| value)
    }

    fn reason(text: &str) -> String {
        match scan(text).unwrap_err().in_text(text) {
            Apart::Rejected(reason) | Apart::Ignored(reason) => reason.into_owned(),
        }
    }

    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
            "\"([ -!#-\\[\\]-~é€😀]|\\\\[\"/bfnrt\\\\]|\\\\u[0-9a-fA-F]{4}){0,12}\"",
        ];
        scalar.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5)
                    .prop_map(|items| format!("[ {} ]", items.join(" ,\n"))),
                prop::collection::vec(("[a-z]{0,10}", inner), 0..5).prop_map(|members| {
                    let members: Vec<_> =
                        members.iter().map(|(key, value)| format!("\"{key}\"\t: {value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_read_whole(text in json()) {
            prop_assert_eq!(scan(&text), Ok(text.as_str()));
        }

        #[test]
        fn a_changed_byte_is_judged_as_serde_json_judges_it(text in json(), at in any::<prop::sample::Index>(), byte in prop_oneof![Just(b'"'), Just(b'\\'), Just(b','), Just(b'}'), Just(b']'), Just(b'0'), 0u8..128]) {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let expected = serde_json::from_str::<IgnoredAny>(text).ok().map(|_| text.trim_ascii());
                prop_assert_eq!(scan(text).ok(), expected, "{}", text);
            }
        }

        #[test]
        fn a_cut_text_is_judged_as_serde_json_judges_it(text in json(), at in any::<prop::sample::Index>()) {
            let text = &text[..text.floor_char_boundary(at.index(text.len()))];
            prop_assert_eq!(scan(text).is_ok(), serde_json::from_str::<IgnoredAny>(text).is_ok());
        }
    }

    #[test]
    fn a_fault_says_what_is_there_and_where() {
        assert_eq!(reason(r#"{"e":"trade","E":17"#), "JSON: EOF at byte 19");
        assert_eq!(reason(r#"{"e":"tra"#), "JSON: EOF at byte 9");
        assert_eq!(reason("{\"e\":NaN}"), "JSON: \"N\" at byte 5, not a value");
        assert_eq!(reason("{\"e\":1}x"), "JSON: \"x\" at byte 7, not the end");
        assert_eq!(reason("[1 2]"), "JSON: \"2\" at byte 3, not a comma or the end of an object or array");
        assert_eq!(reason("[\"\n\"]"), "JSON: \"\\n\" at byte 2, not allowed in a string");
        assert_eq!(reason("[1]\0"), "JSON: \"\\0\" at byte 3, not the end");
        assert_eq!(reason("{\"é\" 1}"), "JSON: \"1\" at byte 6, not a colon");
    }

    #[test]
    fn a_million_levels_take_no_stack() {
        let depth = 1_000_000;
        assert!(scan(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).is_ok());
        assert_eq!(reason(&"[".repeat(depth)), format!("JSON: EOF at byte {depth}"));
        assert_eq!(reason(&r#"{"a":"#.repeat(depth)), format!("JSON: EOF at byte {}", 5 * depth));
    }
}
