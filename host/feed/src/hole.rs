//! Ids that cannot be had: a record of its own kind, in the place where they would have been.

use serde::{Deserialize, Serialize};

/// A hole as Kafka holds it. Parse functions ignore it; the windows count the ids as missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// Always `hole`.
    pub e: String,
    /// When it was written down, in milliseconds since 1970-01-01 UTC.
    #[serde(rename = "E")]
    pub time_ms: i64,
    /// The symbol.
    pub s: String,
    pub stream: String,
    /// Both inclusive.
    pub first: i64,
    pub last: i64,
    pub why: String,
}

impl Hole {
    /// What a record's value says, if it is a hole.
    pub fn read(value: &[u8]) -> Option<Self> {
        if !value.starts_with(br#"{"e":"hole""#) {
            return None;
        }
        serde_json::from_slice(value).ok()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        // Text and integers can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// How many ids.
    pub fn ids(&self) -> u64 {
        self.last.abs_diff(self.first).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_read_back_and_nothing_else_is_one() {
        let hole = Hole {
            e: "hole".into(),
            time_ms: 7,
            s: "A".into(),
            stream: "trade".into(),
            first: 3,
            last: 5,
            why: "\"gone\"".into(),
        };
        assert_eq!(Hole::read(&hole.to_bytes()), Some(hole.clone()));
        assert_eq!(hole.ids(), 3);
        for other in [&b""[..], br#"{"e":"hole"}"#, br#"{"e":"trade","s":"A"}"#, b"\xff"] {
            assert_eq!(Hole::read(other), None);
        }
    }
}
