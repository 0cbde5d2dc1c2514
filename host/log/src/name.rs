//! What blobs are called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tallow_env::Random;

use tallow_store::Digest;

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

    /// The name that ends a blob's path; `None` for other objects.
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
    fn a_blob_name_is_read_back_and_has_one_spelling() {
        let name = BlobName::new(3, Digest::of(b"x"), &SeededRandom::new(1));
        let text = name.to_string();
        assert_eq!(text.parse::<BlobName>().unwrap(), name);
        assert!(text.replacen("3-", "03-", 1).parse::<BlobName>().is_err());
        assert!(text[..text.len() - 1].parse::<BlobName>().is_err());
    }
}
