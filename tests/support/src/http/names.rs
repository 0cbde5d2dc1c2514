//! Names whose addresses a test chooses.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tallow_http::Names;

/// Names whose answers are given beforehand; the last answer of each is repeated.
#[derive(Default)]
pub struct ScriptedNames {
    answers: Mutex<BTreeMap<String, VecDeque<Vec<IpAddr>>>>,
}

impl ScriptedNames {
    /// Adds an answer for a name, after those that it has.
    pub fn with(self, host: &str, addresses: &[IpAddr]) -> Self {
        let mut answers = self.answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers.entry(host.to_owned()).or_default().push_back(addresses.to_vec());
        Self { answers: Mutex::new(answers) }
    }
}

impl Names for ScriptedNames {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "no such name");
        let left = answers.get_mut(host).ok_or_else(unknown)?;
        let next = if left.len() > 1 { left.pop_front() } else { left.front().cloned() };
        next.ok_or_else(unknown)
    }
}
