//! A piece of a record, as messages quote it.

/// Characters that are shown.
const MOST: usize = 120;

/// The beginning of a value: text as it is, other bytes and control characters escaped.
pub fn excerpt(value: &[u8]) -> String {
    let mut out = String::new();
    let mut shown = 0;
    for chunk in value[..value.len().min(4 * MOST)].utf8_chunks() {
        for character in chunk.valid().chars() {
            match character.is_control() {
                true => out.extend(character.escape_default()),
                false => out.push(character),
            }
            shown += 1;
            if shown == MOST {
                out.push('…');
                return out;
            }
        }
        out.extend(chunk.invalid().iter().flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_as_it_is_and_other_bytes_escaped() {
        assert_eq!(excerpt(b"{\"a\":1}"), "{\"a\":1}");
        assert_eq!(excerpt(b"\xff\n\xe2\x82\xac"), "\\xff\\n\u{20ac}");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(excerpt(&b"x".repeat(10_000)), format!("{}…", "x".repeat(MOST)));
    }
}
