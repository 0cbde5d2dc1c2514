//! The parts of a commit's state: what it says about the tables, and what it holds of work that is not done.

use tallow_log::record::{BlobRef, State, StatePart};

/// Names the part that tells of the tables.
const TABLES: &str = "table";
/// Names the parts of unfinished work: its account first, then the blobs that the account names.
const UNFINISHED: &str = "unfinished";

/// Work that a job has begun and that no run has taken in. The newest commit holds it, so that the next owner of the job
/// can continue with it; a commit that does not hold it lets its blobs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The job's own account of it.
    pub account: BlobRef,
    /// The blobs that the account names.
    pub blobs: Vec<BlobRef>,
}

/// The state of a commit.
pub(crate) fn state(tables: BlobRef, unfinished: Option<&Unfinished>) -> State {
    let part = |window: &str, group: usize, blob: &BlobRef| {
        let length = blob.length;
        StatePart { window: window.to_owned(), group: group as u32, blob: blob.clone(), from: 0, length }
    };
    let held = unfinished.into_iter().flat_map(|held| std::iter::once(&held.account).chain(&held.blobs));
    let held = held.enumerate().map(|(group, blob)| part(UNFINISHED, group, blob));
    State { parts: std::iter::once(part(TABLES, 0, &tables)).chain(held).collect(), ..State::default() }
}

/// The blob that tells of the tables; none before the first run.
pub(crate) fn tables(state: &State) -> Option<BlobRef> {
    state.parts.iter().find(|part| part.window == TABLES).map(|part| part.blob.clone())
}

pub(crate) fn unfinished(state: &State) -> Option<Unfinished> {
    let mut held = state.parts.iter().filter(|part| part.window == UNFINISHED).map(|part| part.blob.clone());
    Some(Unfinished { account: held.next()?, blobs: held.collect() })
}
