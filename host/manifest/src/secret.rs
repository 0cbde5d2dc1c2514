//! Values that must not be shown.

use std::fmt;

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
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A setting that is passed on to a client library under its own name.
#[derive(Clone, PartialEq, Eq)]
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

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(value) => value.fmt(f),
            Self::Secret(secret) => secret.fmt(f),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(value) => value.fmt(f),
            Self::Secret(secret) => secret.fmt(f),
        }
    }
}

fn is_secret_name(name: &str) -> bool {
    const MARKS: [&str; 7] =
        ["password", "secret", "token", "key", "credential", "passphrase", "oauthbearer.config"];
    let name = name.to_lowercase();
    MARKS.iter().any(|mark| name.contains(mark))
}
