//! What is wrong with a manifest, said so that it can be put right.

use std::fmt;
use std::path::Path;

use crate::node::{Node, Place};
use crate::secret::Secrets;

/// One mistake: where, under which key, what is wrong and what to do. Values of secrets are never in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The manifest as it was named by the caller.
    pub file: String,
    /// `None` if the manifest as a whole lacks something, or if the command line gave the value.
    pub place: Option<Place>,
    /// The key path, `trigger.kafka[candles].windows[1m].tumbling`; empty for a syntax error.
    pub key: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// What is wrong with a text, and what to do, without where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Problem {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<Problem> for String {
    fn from(problem: Problem) -> Self {
        problem.0
    }
}

/// Every mistake found in a manifest, in the order of its lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(Vec<Error>);

impl Errors {
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 50;
        for (index, error) in self.0.iter().take(MOST).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        if self.0.len() > MOST {
            write!(f, "\n… and {} more", self.0.len() - MOST)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// Collects mistakes while reading continues, and the secrets that none of them may show.
pub(crate) struct Report {
    file: String,
    errors: Vec<Error>,
    pub secrets: Secrets,
}

impl Report {
    pub fn new(file: &Path) -> Self {
        Self { file: file.display().to_string(), errors: Vec::new(), secrets: Secrets::default() }
    }

    pub fn at(&mut self, node: &Node, problem: impl Into<String>) {
        self.add(node.place, &node.path, problem);
    }

    /// The same where the mistake leaves no value.
    pub fn refuse<T>(&mut self, node: &Node, problem: impl Into<String>) -> Option<T> {
        self.at(node, problem);
        None
    }

    pub fn add(&mut self, place: Option<Place>, key: &str, problem: impl Into<String>) {
        let error = Error { file: self.file.clone(), place, key: key.to_owned(), problem: problem.into() };
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// The value, or every mistake that was found on the way to it.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Errors> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.into_errors()),
        }
    }

    pub fn into_errors(mut self) -> Errors {
        self.errors.sort_by_key(|error| error.place);
        for error in &mut self.errors {
            error.problem = self.secrets.hide(&error.problem).into_owned();
        }
        Errors(self.errors)
    }
}

/// The word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.75;
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// "did you mean …", or else all that is known.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if known.is_empty() => "there are none here".to_owned(),
        None => format!("known here: {}", quoted(known)),
    }
}

/// The word that was probably meant, and all that there are: for names that come from a function.
pub fn offer(word: &str, known: &[&str]) -> String {
    let meant = nearest(word, known.iter().copied()).map(|it| format!("did you mean `{it}`? "));
    let there = match known {
        [] => "there are none".to_owned(),
        known => format!("there are {}", quoted(known)),
    };
    format!("{}{there}", meant.unwrap_or_default())
}

pub(crate) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
