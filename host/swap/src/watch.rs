//! Swaps in a component whose file changes: once the file has stayed the same for a moment, it is vetted and swapped in.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tallow_log::record::Mode;
use tallow_store::Digest;

use crate::admission;
use crate::candidate::{Terms, Vet};
use crate::hot_swap::Target;
use tallow_pipeline::hooks::Outcome;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The files of a pipeline's functions, by the manifest's names.
pub struct Files(pub Vec<(String, PathBuf)>);

/// Looks until the pipeline is over.
pub fn watch(target: &Target, files: &Files, vet: &Vet, over: &(dyn Fn() -> bool + Sync)) {
    let mut seen: Vec<Seen> = files.0.iter().map(|(_, path)| Seen::new(digest(path))).collect();
    while !over() {
        target.services.clock.sleep(LOOK_EVERY);
        for ((name, path), seen) in files.0.iter().zip(&mut seen) {
            if seen.is_news(digest(path)) {
                swap_in(target, name, path, vet);
            }
        }
    }
}

/// What is known of a file. Pure.
struct Seen {
    /// What was swapped in, or refused, last.
    settled: Option<Digest>,
    /// What it was when last looked at.
    last: Option<Digest>,
}

impl Seen {
    fn new(digest: Option<Digest>) -> Self {
        Self { settled: digest, last: digest }
    }

    /// A file that is being written changes from look to look, or is not there.
    fn is_news(&mut self, now: Option<Digest>) -> bool {
        let stable = now.is_some() && now == self.last;
        self.last = now;
        let news = stable && now != self.settled;
        if news {
            self.settled = now;
        }
        news
    }
}

fn digest(path: &Path) -> Option<Digest> {
    std::fs::read(path).ok().map(|bytes| Digest::of(&bytes))
}

fn swap_in(target: &Target, name: &str, path: &Path, vet: &Vet) {
    let (pipeline, file) = (target.services.plan.name(), path.display().to_string());
    let Ok(bytes) = std::fs::read(path) else { return };
    let terms = Terms { mode: Some(Mode::Publish), probation_epochs: None, why: format!("{file} changed") };
    let done = admission::vetted(target, vet, name, bytes.into(), file.clone())
        .and_then(|candidate| admission::swap(target, &candidate, &terms));
    match done {
        Ok(Outcome::Swapped { seq, .. }) => tracing::info!(pipeline, file, seq, "swapped in a changed file"),
        Ok(Outcome::Dropped { why }) => not_swapped(pipeline, &file, &why),
        Err(error) => not_swapped(pipeline, &file, &error),
    }
}

fn not_swapped(pipeline: &str, file: &str, why: &dyn Display) {
    tracing::error!(pipeline, file, %why, "did not swap in a changed file; the running function continues");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_news_once_it_stays_as_it_is_and_only_once() {
        let (a, b) = (Some(Digest::of(b"a")), Some(Digest::of(b"b")));
        let half = Some(Digest::of(b"half of b"));
        let mut seen = Seen::new(a);
        let looks = [
            (a, false),
            (None, false),
            (half, false),
            (b, false),
            (b, true),
            (b, false),
            (a, false),
            (a, true),
        ];
        for (now, news) in looks {
            assert_eq!(seen.is_news(now), news);
        }
    }
}
