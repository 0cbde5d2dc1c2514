//! Why a record gives no row. Reasons are for people and for counting: short, and the same for the same fault.

use std::borrow::Cow;

/// Longest reason, in bytes.
const MAX_REASON_BYTES: usize = 200;
/// Longest piece of a message that a reason shows, in characters.
const MAX_EXCERPT: usize = 40;

/// A record that is set apart.
#[derive(Debug, PartialEq, Eq)]
pub enum Apart {
    /// Known and not asked for.
    Ignored(Cow<'static, str>),
    /// Broken.
    Rejected(Cow<'static, str>),
}

/// Boxed, so that what is right costs no more than a word to hand on.
pub type Step<T> = Result<T, Box<Apart>>;

impl Apart {
    #[cold]
    pub fn rejected(reason: impl Into<Cow<'static, str>>) -> Box<Self> {
        Box::new(Apart::Rejected(bounded(reason.into())))
    }

    #[cold]
    pub fn ignored(reason: impl Into<Cow<'static, str>>) -> Box<Self> {
        Box::new(Apart::Ignored(bounded(reason.into())))
    }

    pub fn reason(&self) -> &str {
        match self {
            Apart::Ignored(reason) | Apart::Rejected(reason) => reason,
        }
    }

    pub fn is_ignored(&self) -> bool {
        matches!(self, Apart::Ignored(_))
    }

    /// Puts the place where it was found before the reason of a rejection.
    pub fn within(mut self: Box<Self>, place: impl FnOnce() -> String) -> Box<Self> {
        if let Apart::Rejected(reason) = &mut *self {
            *reason = bounded(Cow::Owned(format!("{}: {reason}", place())));
        }
        self
    }
}

/// A piece of a message, quoted, with control characters escaped, cut if it is long.
pub fn excerpt(text: &[u8]) -> String {
    // A character has four bytes at most: what may be shown is in here.
    let shown = String::from_utf8_lossy(&text[..text.len().min(4 * MAX_EXCERPT)]);
    match shown.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{:?}…", &shown[..end]),
        None => format!("{shown:?}"),
    }
}

/// What is wrong with the text of a column or field.
#[cold]
pub fn fault(name: &str, what: &str, text: &[u8]) -> Box<Apart> {
    Apart::rejected(format!("{name}: {what}: {}", excerpt(text)))
}

fn bounded(reason: Cow<'static, str>) -> Cow<'static, str> {
    if reason.len() <= MAX_REASON_BYTES {
        return reason;
    }
    let end = reason.floor_char_boundary(MAX_REASON_BYTES - "…".len());
    Cow::Owned(format!("{}…", &reason[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_never_exceeds_its_bound_nor_cuts_a_character() {
        let Apart::Rejected(reason) = *Apart::rejected("é".repeat(1000)) else { panic!() };
        assert!(reason.len() <= MAX_REASON_BYTES && reason.ends_with("é…"));
    }

    #[test]
    fn an_excerpt_escapes_control_characters_and_cuts_long_text() {
        assert_eq!(excerpt(b"a\n\0"), r#""a\n\0""#);
        assert_eq!(excerpt("x".repeat(50).as_bytes()), format!("{:?}…", "x".repeat(40)));
    }
}
