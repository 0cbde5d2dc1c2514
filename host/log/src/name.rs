//! Where the objects of a shard are: `_tallow/jobs/<pipeline>/<shard>/{log,blob,gc}/…`, and `owner` beside them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tallow_env::Random;

use tallow_store::Digest;

/// The folder of one shard of one pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a pipeline's folder: use up to 128 letters, digits, `_`, `-` and `.`, beginning with a \
     letter or digit"
)]
pub struct BadName(String);

impl Folder {
    pub fn new(pipeline: &str, shard: u32) -> Result<Self, BadName> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let begins_well = pipeline.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins_well || pipeline.len() > 128 || !pipeline.chars().all(plain) {
            return Err(BadName(pipeline.chars().take(80).collect()));
        }
        Ok(Self(format!("_tallow/jobs/{pipeline}/{shard}")))
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

    pub fn blob(&self, name: &BlobName) -> String {
        format!("{}/blob/{name}", self.0)
    }

    pub fn boundary(&self, seq: u64) -> String {
        format!("{}/gc/{seq:020}", self.0)
    }
}

/// The sequence number that ends the path of a record or of a boundary; none for foreign objects.
pub fn seq_of(path: &str) -> Option<u64> {
    let digits = path.rsplit('/').next()?;
    if digits.len() != 20 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// `<term>-<32 random hexadecimal digits>-<sha256 of the bytes>`: never the same twice, and says what the
/// bytes must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobName {
    pub term: u64,
    unique: u128,
    pub sha256: Digest,
}

impl BlobName {
    pub fn new(term: u64, sha256: Digest, random: &dyn Random) -> Self {
        let unique = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
        Self { term, unique, sha256 }
    }

    /// The name that ends a blob's path; none for foreign objects.
    pub fn of_path(path: &str) -> Option<Self> {
        path.rsplit('/').next()?.parse().ok()
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:032x}-{}", self.term, self.unique, self.sha256)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a blob's name")]
pub struct NotABlob(String);

impl FromStr for BlobName {
    type Err = NotABlob;

    fn from_str(text: &str) -> Result<Self, NotABlob> {
        let parse = || {
            let mut parts = text.splitn(3, '-');
            let term = parts.next()?.parse().ok()?;
            let unique = u128::from_str_radix(parts.next()?, 16).ok()?;
            let sha256 = parts.next()?.parse().ok()?;
            Some(Self { term, unique, sha256 })
        };
        match parse() {
            // Names are compared as text, so other spellings of the numbers are other names.
            Some(name) if name.to_string() == text => Ok(name),
            _ => Err(NotABlob(text.chars().take(160).collect())),
        }
    }
}

impl Serialize for BlobName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use tallow_env::SeededRandom;

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
    }

    #[test]
    fn a_blob_name_is_read_back_and_has_one_spelling() {
        let name = BlobName::new(3, Digest::of(b"x"), &SeededRandom::new(1));
        let text = name.to_string();
        assert_eq!(text.parse::<BlobName>().unwrap(), name);
        assert!(text.replacen("3-", "03-", 1).parse::<BlobName>().is_err());
        assert!(text[..text.len() - 1].parse::<BlobName>().is_err());
    }

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        for bad in ["", "..", "../x", "a/b", ".hidden", "a b", "ä", &"x".repeat(129)] {
            assert!(Folder::new(bad, 0).is_err(), "{bad}");
        }
    }
}
