//! Mistakes that are found once the manifest is read, as the manifest's own.

use super::Manifest;
use crate::error::{Errors, Report};
use crate::places::Mistake;

impl Manifest {
    /// Mistakes as the manifest's own are said: with file, line and key.
    pub fn mistakes(&self, mistakes: Vec<Mistake>) -> Errors {
        let mut report = Report::new(&self.path.display().to_string());
        report.secrets = self.secrets.clone();
        for Mistake { key, problem } in mistakes {
            report.add(self.places.find(&key), &key, problem);
        }
        report.into_errors()
    }
}
