//! JSON, one level at a time: the keys of an object or the items of an array, each value as the bytes that
//! write it. The whole text is checked against the grammar (RFC 8259), nothing is built, and nesting takes a
//! byte a level of the heap and none of the stack.
//!
//! In place of serde_json's raw values, because a parser has to take 2.5 M records a second in the sandbox and every
//! value would go through serde_json twice; the tests hold this scanner against it.

use crate::reason::{Apart, excerpt};
use crate::swar;

/// A reading position in a text. Methods that give `None` leave it at the fault: see [`Scanner::fault`].
pub struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// What was expected where the scanner stopped.
    expected: &'static str,
}

impl<'a> Scanner<'a> {
    /// `text` is UTF-8: only what is ASCII is looked at.
    pub fn new(text: &'a [u8]) -> Self {
        Scanner { text, at: 0, expected: "" }
    }

    /// Why the scanner stopped.
    pub fn fault(&self) -> Box<Apart> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
        match found {
            Some(found) => {
                let found = excerpt(found.encode_utf8(&mut [0; 4]).as_bytes());
                Apart::rejected(format!("JSON: {found} at byte {}, not {}", self.at, self.expected))
            }
            None => Apart::rejected(format!("JSON: EOF at byte {}", self.at)),
        }
    }

    /// Stops for want of something.
    #[cold]
    pub fn stop<T>(&mut self, expected: &'static str) -> Option<T> {
        self.expected = expected;
        None
    }

    /// The next byte that is not white space; 0 at the end (a NUL is no JSON either).
    #[inline(always)]
    pub fn peek(&mut self) -> u8 {
        loop {
            let byte = self.byte();
            // One comparison for what comes most.
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.at += 1;
        }
    }

    /// Reads a byte that may come after white space.
    #[inline(always)]
    pub fn accept(&mut self, byte: u8) -> bool {
        let seen = self.peek() == byte;
        self.at += usize::from(seen);
        seen
    }

    /// Reads a byte that must come after white space.
    #[inline(always)]
    pub fn expect(&mut self, byte: u8, name: &'static str) -> Option<()> {
        if self.accept(byte) { Some(()) } else { self.stop(name) }
    }

    /// Reads what follows a member or item: whether another one comes, or the end of what holds them.
    #[inline(always)]
    pub fn another(&mut self, closing: u8) -> Option<bool> {
        let found = self.peek();
        if found != b',' && found != closing {
            return self.stop("a comma or the end of an object or array");
        }
        self.at += 1;
        Some(found == b',')
    }

    /// Reads the end: nothing but white space may be left.
    pub fn end(&mut self) -> Option<()> {
        self.peek();
        if self.at == self.text.len() { Some(()) } else { self.stop("the end") }
    }

    /// The key of a member, between its quotes as written, and the colon.
    #[inline(always)]
    pub fn key(&mut self) -> Option<&'a [u8]> {
        // A key of one letter, as most are.
        if let Some(&[b'"', b'A'..=b'Z' | b'a'..=b'z', b'"', b':']) = self.text.get(self.at..self.at + 4) {
            self.at += 4;
            return self.text.get(self.at - 3..self.at - 2);
        }
        if self.peek() != b'"' {
            return self.stop("a key");
        }
        let key = self.string()?;
        self.expect(b':', "a colon")?;
        key.get(1..key.len() - 1)
    }

    /// Any value, as written.
    #[inline(always)]
    pub fn value(&mut self) -> Option<&'a [u8]> {
        match self.peek() {
            b'{' | b'[' => self.nested(),
            first => self.scalar(first),
        }
    }

    #[inline(always)]
    fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// The next eight bytes, if there are as many.
    #[inline(always)]
    fn word(&self) -> Option<u64> {
        self.text.get(self.at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
    }

    #[inline(always)]
    fn scalar(&mut self, first: u8) -> Option<&'a [u8]> {
        match first {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.name(b"true"),
            b'f' => self.name(b"false"),
            b'n' => self.name(b"null"),
            _ => self.stop("a value"),
        }
    }

    #[inline(always)]
    fn name(&mut self, name: &[u8]) -> Option<&'a [u8]> {
        let start = self.at;
        for &expected in name {
            if self.byte() != expected {
                return self.stop("true, false or null");
            }
            self.at += 1;
        }
        self.text.get(start..self.at)
    }

    /// A string with its quotes; the position is at the first one.
    #[inline(always)]
    fn string(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        self.at += 1;
        loop {
            self.plain();
            match self.byte() {
                b'"' => {
                    self.at += 1;
                    return self.text.get(start..self.at);
                }
                b'\\' => self.escape()?,
                _ => return self.stop("allowed in a string"),
            }
        }
    }

    /// Moves to the next byte of a string that does not mean itself, or to the end.
    #[inline(always)]
    fn plain(&mut self) {
        while let Some(word) = self.word() {
            let plain = swar::plain_bytes(word);
            self.at += plain;
            if plain < 8 {
                return;
            }
        }
        while matches!(self.text.get(self.at), Some(byte) if !matches!(byte, b'"' | b'\\' | 0..0x20)) {
            self.at += 1;
        }
    }

    #[inline(never)]
    fn escape(&mut self) -> Option<()> {
        self.at += 1;
        match self.byte() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.byte().is_ascii_hexdigit() {
                        return self.stop("a hexadecimal digit");
                    }
                    self.at += 1;
                }
            }
            _ => return self.stop("an escape"),
        }
        Some(())
    }

    #[inline(always)]
    fn number(&mut self) -> Option<&'a [u8]> {
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
        self.text.get(start..self.at)
    }

    #[inline(always)]
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(word) = self.word() {
            let digits = swar::leading_digits(word) as usize;
            self.at += digits;
            if digits < 8 {
                break;
            }
        }
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Some(()) } else { self.stop("a digit") }
    }

    /// An object or array with all that is in it.
    #[inline(never)]
    fn nested(&mut self) -> Option<&'a [u8]> {
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
                first => {
                    self.scalar(first)?;
                }
            }
            // After a value: close what ends here, until another value follows.
            loop {
                let Some(&closing) = due.last() else {
                    return self.text.get(start..self.at);
                };
                if self.another(closing)? {
                    if closing == b'}' {
                        self.key()?;
                    }
                    break;
                }
                due.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    fn scan(text: &str) -> Result<&str, Box<Apart>> {
        let mut scanner = Scanner::new(text.as_bytes());
        let value = scanner.value().and_then(|value| scanner.end().map(|()| value));
        value.map(|value| std::str::from_utf8(value).unwrap()).ok_or_else(|| scanner.fault())
    }

    fn reason(text: &str) -> String {
        match *scan(text).unwrap_err() {
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
