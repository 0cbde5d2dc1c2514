//! Decisions: facts in, decision out, no I/O.

mod marker;

pub use marker::{Marked, MarkerFault};

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::record::{BlobRef, Content, FormatError, Kind, Outgoing, Record, SeqRange, Writer};
use tallow_store::{Create, Digest};

/// What the store's answer to the create of our record means.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Committed,
    /// Another owner's record is there.
    Fenced {
        by: Writer,
        term: u64,
    },
    /// Our record is there, and another owner's clean-up boundary is above it: it counts for nothing.
    Overtaken {
        boundary: u64,
    },
    /// Something is there that is no record.
    Unreadable(FormatError),
}

/// Judges the create of `log/<seq>`. `boundary` is the highest clean-up boundary, read after the answer: a
/// writer that slept through another's clean-up finds its place empty and must not take that for a commit.
pub fn outcome<C: Content>(answer: &Create, writer_id: &str, seq: u64, boundary: Option<u64>) -> Outcome {
    match answer {
        Create::Exists { theirs } => match Record::<C>::decode(theirs) {
            // Ours in other bytes: a commit that was thought lost and was made again.
            Ok(record) if record.writer.id == writer_id => committed(seq, boundary),
            Ok(record) => Outcome::Fenced { by: record.writer, term: record.term },
            Err(error) => Outcome::Unreadable(error),
        },
        Create::Created => committed(seq, boundary),
    }
}

fn committed(seq: u64, boundary: Option<u64>) -> Outcome {
    match boundary {
        Some(boundary) if boundary > seq => Outcome::Overtaken { boundary },
        _ => Outcome::Committed,
    }
}

/// Why a log cannot be continued.
#[derive(Debug, PartialEq)]
pub enum Broken {
    /// Records are missing between the boundary and the newest.
    Missing {
        seq: u64,
    },
    Unreadable {
        seq: u64,
        why: FormatError,
    },
    /// The record says that it is another one.
    Misplaced {
        seq: u64,
        says: u64,
    },
    /// It does not follow from the bytes of the record before.
    Torn {
        seq: u64,
    },
    /// Every record is gone, though a clean-up says that there were some.
    Gone {
        boundary: u64,
    },
}

impl Broken {
    /// The record to blame.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Missing { seq }
            | Self::Unreadable { seq, .. }
            | Self::Misplaced { seq, .. }
            | Self::Torn { seq }
            | Self::Gone { boundary: seq } => *seq,
        }
    }

    pub fn why(&self) -> String {
        match self {
            Self::Missing { .. } => "it is missing, and records after it are there".to_owned(),
            Self::Unreadable { why, .. } => why.to_string(),
            Self::Misplaced { says, .. } => format!("it says that it is record {says}"),
            Self::Torn { .. } => "it does not follow from the bytes of the record before it".to_owned(),
            Self::Gone { boundary } => {
                format!("there is no record left, though a clean-up kept those from {boundary} on")
            }
        }
    }
}

/// The sequence numbers to read at a start: all that are kept, ascending. Records below the boundary are what
/// a clean-up has not reached yet, or what a fenced owner left.
pub fn retained(listed: &[u64], boundary: Option<u64>) -> Result<Vec<u64>, Broken> {
    let first = boundary.unwrap_or(1);
    let kept: Vec<u64> = listed.iter().copied().filter(|&seq| seq >= first).collect();
    if kept.is_empty() {
        return boundary.map_or(Ok(kept), |boundary| Err(Broken::Gone { boundary }));
    }
    match kept.iter().zip(first..).find(|(seq, expected)| *seq != expected) {
        Some((_, missing)) => Err(Broken::Missing { seq: missing }),
        None => Ok(kept),
    }
}

/// Checks the retained records, given in order with their bytes, and their chain of parents.
pub fn chain<C: Content>(records: &[(u64, Bytes)]) -> Result<Vec<Record<C>>, Broken> {
    let mut out = Vec::with_capacity(records.len());
    let mut parent: Option<Digest> = None;
    for (seq, bytes) in records {
        let record = Record::<C>::decode(bytes).map_err(|why| Broken::Unreadable { seq: *seq, why })?;
        if record.seq != *seq {
            return Err(Broken::Misplaced { seq: *seq, says: record.seq });
        }
        // The oldest that is kept may follow one that was cleaned away; the very first follows none.
        let torn = match parent {
            Some(parent) => record.parent != Some(parent),
            None => record.parent.is_none() != (*seq == 1),
        };
        if torn {
            return Err(Broken::Torn { seq: *seq });
        }
        parent = Some(Digest::of(bytes));
        out.push(record);
    }
    Ok(out)
}

/// The first blob, of those that the newest record's state and the outboxes still to be published need, that
/// is not stored in full (`stored`: blob names with their sizes in bytes).
pub fn lost_blob<'a, C: Content>(
    newest: &'a Record<C>,
    to_publish: &'a [Publication],
    stored: &BTreeMap<String, u64>,
) -> Option<(&'a BlobRef, String)> {
    let state = C::state_blobs(&newest.state).into_iter();
    let outboxes = to_publish.iter().flat_map(|publication| &publication.outbox).map(|out| &out.blob);
    state.chain(outboxes).find_map(|blob| match stored.get(&blob.name.to_string()) {
        None => Some((blob, "it is missing".to_owned())),
        Some(&size) if size != blob.length => {
            Some((blob, format!("it should hold {} bytes, and holds {size}", blob.length)))
        }
        Some(_) => None,
    })
}

/// What one committed epoch has for one sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    pub sink: String,
    /// Of the record that holds the outbox.
    pub seq: u64,
    pub outbox: Vec<Outgoing>,
}

/// What may not have been published yet, by sink and in order: above what the newest record knows as
/// published, up to what is released, without what a rollback made void.
pub fn unpublished<C: Content>(retained: &[Record<C>]) -> Vec<Publication> {
    publications(retained, |newest, sink, seq| {
        seq > newest.published_through(sink) && seq <= newest.released_through(sink)
    })
}

/// What waits for its release, by sink and in order.
pub fn held<C: Content>(retained: &[Record<C>]) -> Vec<Publication> {
    publications(retained, |newest, sink, seq| seq > newest.released_through(sink))
}

/// What the records that are not void have for the sinks, where `due` says so of the newest record, a sink and a
/// record's seq.
fn publications<C: Content>(
    retained: &[Record<C>],
    due: impl Fn(&Record<C>, &str, u64) -> bool,
) -> Vec<Publication> {
    let Some(newest) = retained.last() else { return Vec::new() };
    let voided: Vec<SeqRange> = retained.iter().filter_map(|record| record.voided).collect();
    let mut out = Vec::new();
    for sink in sinks(retained) {
        for record in retained {
            let due =
                due(newest, &sink, record.seq) && !voided.iter().any(|range| range.contains(record.seq));
            let outbox: Vec<_> =
                record.outbox().iter().filter(|outgoing| outgoing.sink == sink).cloned().collect();
            if due && !outbox.is_empty() {
                out.push(Publication { sink: sink.clone(), seq: record.seq, outbox });
            }
        }
    }
    out
}

fn sinks<C: Content>(retained: &[Record<C>]) -> BTreeSet<String> {
    retained.iter().flat_map(Record::outbox).map(|outgoing| outgoing.sink.clone()).collect()
}

/// What the clean-up has to know of a record.
#[derive(Clone, Debug)]
pub struct Kept {
    pub seq: u64,
    pub kind: Kind,
    pub sinks: BTreeSet<String>,
    pub blobs: BTreeSet<String>,
    pub voided: Option<SeqRange>,
}

impl Kept {
    pub fn of<C: Content>(record: &Record<C>) -> Self {
        Self {
            seq: record.seq,
            kind: record.kind,
            sinks: record.outbox().iter().map(|outgoing| outgoing.sink.clone()).collect(),
            blobs: record.blobs().map(|blob| blob.name.to_string()).collect(),
            voided: record.voided,
        }
    }
}

/// The lowest record to keep: the last `keep` ones, all that some sink has not published, and from before a
/// swap that is not released in full (a rollback returns to the record before it). `newest` must be the last
/// of `kept`.
pub fn boundary(
    kept: &[Kept],
    keep: u64,
    published: &BTreeMap<String, u64>,
    released: impl Fn(&str) -> u64,
) -> Option<u64> {
    let (oldest, newest) = (kept.first()?.seq, kept.last()?.seq);
    let voided: Vec<SeqRange> = kept.iter().filter_map(|record| record.voided).collect();
    let void = |seq: u64| voided.iter().any(|range| range.contains(seq));
    let done = |sink: &str| published.get(sink).copied().unwrap_or(0);
    let sinks: BTreeSet<&String> =
        kept.iter().flat_map(|record| &record.sinks).chain(published.keys()).collect();

    let by_age = (newest + 1).saturating_sub(keep.max(1));
    let unpublished = kept
        .iter()
        .filter(|record| !void(record.seq) && record.sinks.iter().any(|sink| record.seq > done(sink)))
        .map(|record| record.seq);
    let unreleased = kept
        .iter()
        .filter(|record| record.kind == Kind::Swap && !void(record.seq))
        .filter(|record| sinks.iter().any(|sink| released(sink) < record.seq))
        .map(|record| record.seq - 1);
    let lowest = unpublished.chain(unreleased).min().unwrap_or(newest);
    Some(by_age.min(lowest).max(oldest))
}

#[cfg(test)]
mod tests;
