//! What all windows hold, as a snapshot.

use tallow_contract::Refusal;
use tallow_contract::window::SnapshotPiece;

use super::Windows;
use crate::snapshots::{Held, Writing};

impl Windows {
    /// The parts that changed after `since`; with 0 all that hold a key. A part whose last key was dropped
    /// is given once more, without keys.
    ///
    /// # Errors
    /// Something else is given in pieces, and there is more of it.
    pub fn snapshot_by(&mut self, since: u64, max_bytes: u64) -> Result<SnapshotPiece, Refusal> {
        let mut writing = match self.writing.take() {
            Some(writing) if writing.since == since => writing,
            other => {
                self.writing = other;
                self.check_idle()?;
                Writing::new(since)
            }
        };
        let piece = writing.piece(&self.held(), max_bytes);
        self.writing = piece.more.then_some(writing);
        Ok(piece)
    }

    /// [`Windows::snapshot_by`], all at once.
    pub fn snapshot(&self, since: u64) -> SnapshotPiece {
        let mut writing = Writing::new(since);
        let mut whole = writing.piece(&self.held(), u64::MAX);
        while whole.more {
            let piece = writing.piece(&self.held(), u64::MAX);
            whole.parts.extend(piece.parts);
            whole.more = piece.more;
        }
        whole
    }

    fn held(&self) -> Held<'_> {
        Held { specs: &self.specs, topics: &self.topics, version: self.version }
    }
}
