//! Functions that change while a pipeline runs: what a record says about it.

use serde::{Deserialize, Serialize};

use super::{Role, SeqRange};
use tallow_store::Digest;

/// How many changes a record remembers: for people, so that the newest record answers without the older ones.
const REMEMBERED: usize = 32;

/// What became of the functions since the chain began, and what is still open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// The swap whose function has yet to prove itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probation: Option<Probation>,
    /// Records that were published and then made void by a rollback, as long as not all of their offsets have
    /// been taken again: what comes out again is published only where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remake: Option<SeqRange>,
    /// The last changes, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probation {
    /// The record that swapped; a rollback returns to the one before it.
    pub since: u64,
    pub mode: Mode,
    pub role: Role,
    /// Epochs with records that are still to pass.
    pub epochs_left: u32,
}

/// What happens to results while their function is on probation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They wait: a rollback makes them void before anybody has seen them.
    Hold,
    /// They go out at once: a rollback can only correct them by a revision.
    Publish,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The record that made it.
    pub seq: u64,
    /// Wall clock, µs since 1970-01-01 UTC.
    pub at_us: i64,
    pub what: What,
    pub role: Role,
    /// The manifest's name of the component.
    pub name: String,
    /// Digests of the components before and after.
    pub from: Digest,
    pub to: Digest,
    /// In words, for people.
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Swap,
    /// The end of a probation that went well.
    Release,
    Rollback,
}

impl Live {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn remember(&mut self, change: Change) {
        self.changes.push(change);
        let surplus = self.changes.len().saturating_sub(REMEMBERED);
        self.changes.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_changes_are_remembered() {
        let mut live = Live::default();
        for seq in 0..40 {
            live.remember(Change {
                seq,
                at_us: 0,
                what: What::Swap,
                role: Role::Parse,
                name: "parse".into(),
                from: Digest::of(b"a"),
                to: Digest::of(b"b"),
                why: String::new(),
            });
        }
        assert_eq!(live.changes.len(), REMEMBERED);
        assert_eq!(live.changes.last().map(|change| change.seq), Some(39));
    }
}
