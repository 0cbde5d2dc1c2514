//! Should a commit's files be in the lake?

use std::collections::BTreeMap;

use tallow_log::Record;
use tallow_log::record::SeqRange;

/// What is to be expected of what a commit has for one sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicationState {
    Published,
    /// Committed, and not known to be published: the owner does it now, or the next one at its start.
    Due,
    /// Waits for the end of a probation.
    Held,
    /// A rollback came before anybody had seen it.
    Dropped,
}

/// `records`: all that can be read, by seq; `newest` is the last of them.
pub fn of(seq: u64, sink: &str, records: &BTreeMap<u64, Record>, newest: &Record) -> PublicationState {
    if let Some((rollback, range)) = rollback_of(seq, records) {
        let held = records.get(&range.through).is_some_and(|before| before.released_through(sink) < seq);
        return match rollback.published_through(sink) >= seq {
            _ if held => PublicationState::Dropped,
            true => PublicationState::Published,
            false => PublicationState::Due,
        };
    }
    if newest.released_through(sink) < seq {
        return PublicationState::Held;
    }
    if newest.published_through(sink) >= seq { PublicationState::Published } else { PublicationState::Due }
}

/// The rollback that made a commit void, and what it made void with it.
pub fn rollback_of(seq: u64, records: &BTreeMap<u64, Record>) -> Option<(&Record, SeqRange)> {
    records.range(seq..).find_map(|(_, record)| {
        record.voided.filter(|range| range.contains(seq)).map(|range| (record, range))
    })
}

#[cfg(test)]
mod tests {
    use tallow_log::record::{Epoch, Kind, State, Writer};

    use super::*;

    /// `released`, `published`: through which seq, as the record knows it.
    fn record(seq: u64, released: Option<u64>, published: u64, voided: Option<(u64, u64)>) -> (u64, Record) {
        let sinks = |through: u64| BTreeMap::from([("lake".to_owned(), through)]);
        let record = Record {
            seq,
            kind: if voided.is_some() { Kind::Rollback } else { Kind::Commit },
            parent: None,
            chain: String::new(),
            shard: 0,
            term: 1,
            writer: Writer { id: String::new(), name: String::new() },
            at_us: 0,
            epoch: Epoch::default(),
            state: State { released_through: released.map(sinks).unwrap_or_default(), ..State::default() },
            published_through: sinks(published),
            voided: voided.map(|(from, through)| SeqRange { from, through }),
        };
        (seq, record)
    }

    #[test]
    fn what_is_published_due_held_and_dropped_follows_from_the_log() {
        let held_then_void = [
            record(4, None, 3, None),
            record(5, Some(4), 4, None),
            record(6, Some(4), 4, None),
            record(7, None, 4, Some((5, 6))),
            record(8, None, 4, None),
        ];
        let public_then_void = [
            record(5, None, 4, None),
            record(6, None, 5, None),
            record(7, None, 5, Some((5, 6))),
            record(8, None, 7, None),
        ];
        let on_probation = [record(5, Some(4), 4, None), record(6, Some(4), 4, None)];
        for (log, seq, expected) in [
            (&held_then_void[..], 4, PublicationState::Published),
            (&held_then_void[..], 5, PublicationState::Dropped),
            (&held_then_void[..], 6, PublicationState::Dropped),
            (&held_then_void[..], 8, PublicationState::Due),
            (&public_then_void[..], 5, PublicationState::Published),
            (&public_then_void[..], 6, PublicationState::Due),
            (&public_then_void[..], 7, PublicationState::Published),
            (&on_probation[..], 4, PublicationState::Published),
            (&on_probation[..], 6, PublicationState::Held),
        ] {
            let records: BTreeMap<u64, Record> = log.iter().cloned().collect();
            let newest = &log.last().unwrap().1;
            assert_eq!(of(seq, "lake", &records, newest), expected, "{seq} of {:?}", records.keys());
        }
    }

    #[test]
    fn a_void_commit_names_its_rollback() {
        let records: BTreeMap<u64, Record> =
            [record(5, None, 4, None), record(6, None, 4, Some((5, 5)))].into();
        assert_eq!(rollback_of(5, &records).map(|(rollback, _)| rollback.seq), Some(6));
        assert!(rollback_of(6, &records).is_none());
    }
}
