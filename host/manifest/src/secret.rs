//! Values that must not be shown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is shown instead of a secret.
const MASK: &str = "***";
/// Shorter values are hidden between quotes only: anywhere else they would hide parts of ordinary words.
const SHORTEST: usize = 4;
/// What signed URLs escape.
const IN_URLS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A string that prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself: for the client that needs it, never for a message, a log or a file.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// A setting that is passed on to a client library under its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    Plain(String),
    Secret(Secret),
}

impl Setting {
    /// Secret if it came from a secret variable, or if its name says so.
    pub(crate) fn new(name: &str, value: String, from_secret: bool) -> Self {
        if from_secret || is_secret_name(name) {
            Self::Secret(Secret::new(value))
        } else {
            Self::Plain(value)
        }
    }

    /// The value itself, secret or not: for the client that needs it.
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(value) => value,
            Self::Secret(secret) => secret.expose(),
        }
    }

    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

/// Settings with their values, secret or not: for the client that needs them.
pub fn exposed(settings: &BTreeMap<String, Setting>) -> BTreeMap<String, String> {
    settings.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
}

/// The values that must not be shown, whatever text they turn up in: libraries repeat what they were given in their
/// errors and logs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Each in every way in which it may be written, the longest first, so that none hides a part of another one.
    spellings: Vec<String>,
}

impl Secrets {
    pub fn learn(&mut self, value: &str) {
        // Each line of a key or certificate may be shown alone.
        let parts = std::iter::once(value).chain(value.lines()).map(str::trim);
        self.add(parts.flat_map(spellings).collect());
    }

    pub fn learn_all(&mut self, others: &Self) {
        self.add(others.spellings.clone());
    }

    fn add(&mut self, more: Vec<String>) {
        self.spellings.extend(more);
        self.spellings.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        self.spellings.dedup();
    }

    /// The text with `***` for every secret in it.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut hidden = Cow::Borrowed(text);
        for spelling in &self.spellings {
            if hidden.contains(spelling.as_str()) {
                hidden = Cow::Owned(hidden.replace(spelling.as_str(), MASK));
            }
        }
        hidden
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// As it is, and as Rust, JSON and URLs escape it.
fn spellings(value: &str) -> Vec<String> {
    if value.is_empty() {
        return Vec::new();
    }
    let debug = format!("{value:?}");
    let json = serde_json::Value::from(value).to_string();
    let inside = |quoted: &str| quoted[1..quoted.len() - 1].to_owned();
    let url = utf8_percent_encode(value, IN_URLS).to_string();
    let all = [value.to_owned(), inside(&debug), inside(&json), url];
    if value.len() >= SHORTEST {
        return all.into();
    }
    let quoted = |text: &String| ['"', '\'', '`'].map(|quote| format!("{quote}{text}{quote}"));
    all.iter().flat_map(quoted).collect()
}

fn is_secret_name(name: &str) -> bool {
    const MARKS: [&str; 7] =
        ["password", "secret", "token", "key", "credential", "passphrase", "oauthbearer.config"];
    let name = name.to_lowercase();
    MARKS.iter().any(|mark| name.contains(mark))
}
