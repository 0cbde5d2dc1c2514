//! The objects of a job's log: a pipeline's shards, a batch, a merge, a backfill.

use std::fmt::Display;

/// What holds the jobs' folders.
pub const JOBS: &str = "_tallow/jobs";

/// The folder of one shard of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a pipeline's folder: use up to 128 letters, digits, `_`, `-` and `.`, beginning with a \
     letter or digit"
)]
pub struct BadName(String);

impl Folder {
    pub fn new(job: &str, shard: u32) -> Result<Self, BadName> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let begins_well = job.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins_well || job.len() > 128 || !job.chars().all(plain) {
            return Err(BadName(job.chars().take(80).collect()));
        }
        Ok(Self(format!("{JOBS}/{job}/{shard}")))
    }

    /// The job and the shard in whose folder an object is.
    pub fn owner_of(path: &str) -> Option<(&str, u32)> {
        let mut parts = path.strip_prefix(JOBS)?.strip_prefix('/')?.split('/');
        Some((parts.next()?, parts.next()?.parse().ok()?))
    }

    pub fn path(&self) -> &str {
        &self.0
    }

    pub fn log(&self) -> String {
        format!("{}/log", self.0)
    }

    pub fn blobs(&self) -> String {
        format!("{}/blob", self.0)
    }

    pub fn boundaries(&self) -> String {
        format!("{}/gc", self.0)
    }

    /// The owner's sign of life.
    pub fn owner(&self) -> String {
        format!("{}/owner", self.0)
    }

    pub fn record(&self, seq: u64) -> String {
        format!("{}/log/{seq:020}", self.0)
    }

    pub fn blob(&self, name: &impl Display) -> String {
        format!("{}/blob/{name}", self.0)
    }

    pub fn boundary(&self, seq: u64) -> String {
        format!("{}/gc/{seq:020}", self.0)
    }
}

/// The sequence number that ends the path of a record or of a boundary; `None` for other objects.
pub fn seq_of(path: &str) -> Option<u64> {
    let digits = path.rsplit('/').next()?;
    if digits.len() != 20 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_their_numbers_and_are_read_back() {
        let folder = Folder::new("btc-1m", 0).unwrap();
        assert_eq!(folder.record(7), "_tallow/jobs/btc-1m/0/log/00000000000000000007");
        assert!(folder.record(9) < folder.record(10));
        assert_eq!(seq_of(&folder.record(u64::MAX)), Some(u64::MAX));
        assert_eq!(seq_of(&folder.boundary(12)), Some(12));
        assert_eq!(seq_of("_tallow/jobs/btc-1m/0/log/README"), None);
        assert_eq!(seq_of("_tallow/jobs/btc-1m/0/log/+0000000000000000007"), None);
        assert_eq!(Folder::owner_of(&folder.record(7)), Some(("btc-1m", 0)));
        assert_eq!(Folder::owner_of("_tallow/jobs/btc-1m/x/log"), None);
    }

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        for bad in ["", "..", "../x", "a/b", ".hidden", "a b", "ä", &"x".repeat(129)] {
            assert!(Folder::new(bad, 0).is_err(), "{bad}");
        }
    }
}
