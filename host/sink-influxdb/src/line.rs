//! Line protocol. `measurement,tag=value field=value,field=value time`
//!
//! Servers differ in what a backslash before a comma or at a value's end means, and none takes a line break within a
//! value. So what is not safe in every one of them is written as `%` and two hexadecimal digits of its byte: control
//! characters, `%` itself, and in tags the backslash. Every text has one such form and comes back from it.

use std::fmt::Write;

/// Appends a tag's key or value, or a field's key. An empty text has no form.
pub fn push_tag(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' => push_encoded(out, c),
            ',' | '=' | ' ' => {
                out.push('\\');
                out.push(c);
            }
            c => push_plain(out, c),
        }
    }
}

/// Appends a measurement's name.
pub fn push_measurement(out: &mut String, text: &str) {
    for (at, c) in text.chars().enumerate() {
        match c {
            // A line that begins with it is a comment.
            '#' if at == 0 => push_encoded(out, c),
            '\\' => push_encoded(out, c),
            ',' | ' ' => {
                out.push('\\');
                out.push(c);
            }
            c => push_plain(out, c),
        }
    }
}

/// Appends a string field's value, with its quotes.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => push_plain(out, c),
        }
    }
    out.push('"');
}

/// Appends a float; false, and nothing is appended, for what line protocol has no form for: NaN and the infinities.
pub fn push_float(out: &mut String, value: f64) -> bool {
    if value.is_finite() {
        // As few digits as lead back to the same double; never without a point or exponent.
        _ = write!(out, "{value:?}");
    }
    value.is_finite()
}

/// Appends an integer field.
pub fn push_integer(out: &mut String, value: i64) {
    _ = write!(out, "{value}i");
}

/// Appends a boolean field.
pub fn push_boolean(out: &mut String, value: bool) {
    out.push_str(if value { "true" } else { "false" });
}

fn push_plain(out: &mut String, c: char) {
    if c == '%' || c.is_ascii_control() { push_encoded(out, c) } else { out.push(c) }
}

/// For one of ASCII.
fn push_encoded(out: &mut String, c: char) {
    _ = write!(out, "%{:02X}", u32::from(c));
}

/// The text that [`push_tag`] and its siblings wrote, once the server has undone the backslashes.
pub fn decoded(stored: &str) -> String {
    let mut out = String::with_capacity(stored.len());
    let mut rest = stored;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let byte = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (c, taken) = byte.map_or(('%', 1), |byte| (char::from(byte), 3));
        out.push(c);
        rest = &rest[at + taken..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(push: fn(&mut String, &str), text: &str) -> String {
        let mut out = String::new();
        push(&mut out, text);
        out
    }

    #[test]
    fn what_ends_a_tag_is_escaped_or_encoded() {
        for (text, tag) in [
            ("BTCUSDT", "BTCUSDT"),
            ("a b,c=d", r"a\ b\,c\=d"),
            ("a\\", "a%5C"),
            ("a\nm,t=1 f=1i 0\n", r"a%0Am\,t\=1\ f\=1i\ 0%0A"),
            ("100%", "100%25"),
            ("%0A", "%250A"),
            ("\"币\"", "\"币\""),
            ("#\t\0\u{7f}", "#%09%00%7F"),
        ] {
            assert_eq!(written(push_tag, text), tag);
            assert_eq!(decoded(&tag.replace('\\', "")), text);
        }
    }

    #[test]
    fn a_measurement_is_no_comment_and_keeps_its_equals_sign() {
        assert_eq!(written(push_measurement, "#a b,c=d"), r"%23a\ b\,c=d");
    }

    #[test]
    fn a_string_cannot_end_before_its_end() {
        assert_eq!(written(push_string, "a\"b\\"), r#""a\"b\\""#);
        assert_eq!(written(push_string, "a\nb"), "\"a%0Ab\"");
        assert_eq!(written(push_string, ""), "\"\"");
    }

    #[test]
    fn floats_have_a_form_unless_they_are_no_numbers() {
        for (value, text) in
            [(0.1, "0.1"), (-0.0, "-0.0"), (5.0, "5.0"), (1e300, "1e300"), (5e-324, "5e-324")]
        {
            let mut out = String::new();
            assert!(push_float(&mut out, value));
            assert_eq!(out, text);
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut out = String::new();
            assert!(!push_float(&mut out, value) && out.is_empty());
        }
    }
}
