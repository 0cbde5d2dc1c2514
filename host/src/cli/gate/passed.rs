//! Which functions have passed, by everything that they were tried on: trying takes seconds, and a start must not.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tallow_engine::private_folder;
use tallow_store::Digest;
use tallow_vet::Candidate;

/// Marks in a folder beside the compiled code. Without such a folder, everything is tried each time.
pub struct Passed {
    folder: Option<PathBuf>,
    /// This program: another one may try other things.
    program: String,
}

impl Passed {
    pub fn new(folder: Option<PathBuf>, program: &Path) -> Self {
        let program = std::fs::metadata(program).map(|file| {
            format!("{} {} {} {}", program.display(), file.len(), file.mtime(), file.mtime_nsec())
        });
        Self { folder, program: program.unwrap_or_default() }
    }

    /// What a candidate's trial depends on.
    pub fn key(&self, candidate: &Candidate<'_>) -> String {
        let mut text = format!(
            "{}\n{}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n",
            self.program,
            Digest::of(candidate.bytes),
            candidate.contract,
            candidate.compile,
            candidate.limits,
            candidate.options,
            candidate.specs,
            candidate.columns,
            candidate.predecessor.map(|it| it.digest()),
        );
        for vector in candidate.golden {
            text.push_str(&format!("{} {}\n", vector.name, Digest::of(vector.text.as_bytes())));
        }
        Digest::of(text.as_bytes()).to_string()
    }

    /// A mark in a folder that others can write to is not believed.
    pub fn has(&self, key: &str) -> bool {
        let folder = self.folder.as_ref().filter(|folder| private_folder::is_private(folder));
        folder.is_some_and(|folder| folder.join(key).is_file())
    }

    /// A mark that cannot be left costs time at the next start, and nothing else.
    pub fn note(&self, key: &str) {
        let Some(folder) = &self.folder else { return };
        let noted = private_folder::make(folder).and_then(|()| std::fs::write(folder.join(key), ""));
        if let Err(error) = noted {
            tracing::debug!(folder = %folder.display(), %error, "the function will be vetted at the next start, too");
        }
    }
}
