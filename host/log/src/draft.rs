//! What an owner wants to commit.

use crate::record::{Content, Kind, Pipeline, Record, SeqRange};

/// How a draft contradicts the newest record, with the numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Contradiction(pub String);

impl From<&str> for Contradiction {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

/// The parts of a record that are the job's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft<C: Content = Pipeline> {
    /// Anything but [`Kind::Fence`].
    pub kind: Kind,
    pub epoch: C::Epoch,
    pub state: C::State,
    /// For a rollback: the records from the swap to the newest.
    pub voided: Option<SeqRange>,
}

impl<C: Content> Draft<C> {
    /// An epoch's commit.
    pub fn commit(epoch: C::Epoch, state: C::State) -> Self {
        Self { kind: Kind::Commit, epoch, state, voided: None }
    }

    /// Checks the draft against the newest record.
    pub fn check(&self, newest: &Record<C>) -> Result<(), Contradiction> {
        match self.kind {
            Kind::Fence => Err("only opening a shard writes a fence".into()),
            _ => C::check(self, newest),
        }
    }
}
