//! Why something from outside is refused.

use std::fmt;

/// What is wrong with what was given, for people, with the place where it was found before it. A function answers with
/// its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(String);

impl Refusal {
    /// Puts the place where it was found before it.
    pub fn within(self, place: impl fmt::Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl From<String> for Refusal {
    fn from(what: String) -> Self {
        Self(what)
    }
}

impl From<&str> for Refusal {
    fn from(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> String {
        refusal.0
    }
}

/// Returns from a function with a [`Refusal`](crate::Refusal) of that text.
#[macro_export]
macro_rules! refuse {
    ($($what:tt)*) => {
        return Err($crate::Refusal::from(format!($($what)*)))
    };
}
