use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tallow_env::SeededRandom;

use super::*;
use crate::name::BlobName;
use crate::record::{Epoch, Pipeline, State, StatePart, Writer};

fn chain(records: &[(u64, Bytes)]) -> Result<Vec<Record>, Broken> {
    super::chain(records)
}

fn blob(text: &str) -> BlobRef {
    let name = BlobName::new(1, Digest::of(text.as_bytes()), &SeededRandom::new(text.len() as u64));
    BlobRef { name, length: text.len() as u64 }
}

fn outgoing(sink: &str) -> Outgoing {
    let digest = Digest::of(b"");
    Outgoing { sink: sink.into(), name: "x".into(), rows: 0, rows_digest: digest, digest, blob: blob("out") }
}

fn record(seq: u64, kind: Kind, sinks: &[&str]) -> Record {
    Record {
        seq,
        kind,
        parent: None,
        chain: "c".into(),
        shard: 0,
        term: 1,
        writer: Writer { id: "w".into(), name: "host/1".into() },
        at_us: 0,
        epoch: Epoch { outbox: sinks.iter().map(|sink| outgoing(sink)).collect(), ..Epoch::default() },
        state: State::default(),
        published_through: BTreeMap::new(),
        voided: None,
    }
}

fn through(sinks: &[(&str, u64)]) -> BTreeMap<String, u64> {
    sinks.iter().map(|&(sink, seq)| (sink.to_owned(), seq)).collect()
}

/// Records 1 to n with their bytes, each with the one before as its parent.
fn log(length: u64) -> Vec<(u64, Bytes)> {
    let mut parent = None;
    (1..=length)
        .map(|seq| {
            let bytes = Record { parent, ..record(seq, Kind::Commit, &[]) }.encode().unwrap();
            parent = Some(Digest::of(&bytes));
            (seq, bytes.into())
        })
        .collect()
}

#[test]
fn an_answer_is_judged_by_whose_record_is_there_and_by_the_boundary() {
    let mine: Bytes = record(5, Kind::Commit, &[]).encode().unwrap().into();
    let theirs =
        Record { writer: Writer { id: "z".into(), name: "z".into() }, ..record(5, Kind::Fence, &[]) };
    let exists = |theirs: &Bytes| Create::Exists { theirs: theirs.clone() };
    let their_bytes = theirs.encode().unwrap().into();
    for (answer, boundary, expected) in [
        (Create::Created, None, Outcome::Committed),
        (Create::Created, Some(5), Outcome::Committed),
        (Create::Created, Some(6), Outcome::Overtaken { boundary: 6 }),
        (exists(&mine), None, Outcome::Committed),
        (exists(&mine), Some(6), Outcome::Overtaken { boundary: 6 }),
        (exists(&their_bytes), None, Outcome::Fenced { by: theirs.writer.clone(), term: theirs.term }),
        (exists(&their_bytes), Some(6), Outcome::Fenced { by: theirs.writer.clone(), term: theirs.term }),
        (exists(&Bytes::new()), None, Outcome::Unreadable(FormatError::NotARecord)),
    ] {
        assert_eq!(outcome::<Pipeline>(&answer, "w", 5, boundary), expected);
    }
}

#[test]
fn what_lies_below_the_boundary_does_not_count_and_a_hole_above_it_does() {
    for (listed, boundary, expected) in [
        (vec![], None, Ok(vec![])),
        (vec![1, 2, 3], None, Ok(vec![1, 2, 3])),
        (vec![1, 2, 3], Some(3), Ok(vec![3])),
        (vec![2, 7, 8], Some(7), Ok(vec![7, 8])),
        (vec![2, 3], None, Err(Broken::Missing { seq: 1 })),
        (vec![1, 3], None, Err(Broken::Missing { seq: 2 })),
        (vec![1, 2, 8], Some(7), Err(Broken::Missing { seq: 7 })),
        (vec![], Some(7), Err(Broken::Gone { boundary: 7 })),
        (vec![1, 2], Some(7), Err(Broken::Gone { boundary: 7 })),
    ] {
        assert_eq!(retained(&listed, boundary), expected, "{listed:?} {boundary:?}");
    }
}

#[test]
fn a_chain_holds_from_any_record_on_that_was_kept() {
    let log = log(5);
    for first in 0..5 {
        assert_eq!(chain(&log[first..]).unwrap().len(), 5 - first);
    }
}

#[test]
fn a_record_that_was_changed_swapped_or_cut_off_breaks_the_chain_there() {
    let good = log(5);
    let mut other = good.clone();
    let changed = Record { at_us: 1, ..Record::<Pipeline>::decode(&good[2].1).unwrap() };
    other[2].1 = changed.encode().unwrap().into();
    assert_eq!(chain(&other), Err(Broken::Torn { seq: 4 }));

    let mut misplaced = good.clone();
    misplaced[1].1 = good[2].1.clone();
    assert_eq!(chain(&misplaced), Err(Broken::Misplaced { seq: 2, says: 3 }));

    let mut cut = good.clone();
    cut[4].1 = good[4].1.slice(..100);
    assert!(matches!(chain(&cut), Err(Broken::Unreadable { seq: 5, .. })));

    let orphan = Record { parent: None, ..record(9, Kind::Commit, &[]) }.encode().unwrap();
    assert_eq!(chain(&[(9, orphan.into())]), Err(Broken::Torn { seq: 9 }));
}

#[test]
fn a_lost_or_short_blob_of_the_state_or_of_an_outbox_is_found() {
    let mut newest = record(5, Kind::Commit, &["lake"]);
    newest.state.parts.push(StatePart {
        window: "1m".into(),
        group: 0,
        blob: blob("state"),
        from: 0,
        length: 5,
    });
    let to_publish = unpublished(std::slice::from_ref(&newest));
    let (state, out) = (blob("state").name.to_string(), blob("out").name.to_string());
    for (stored, lost) in [
        (vec![(&state, 5), (&out, 3)], None),
        (vec![(&state, 5)], Some(blob("out"))),
        (vec![(&out, 3)], Some(blob("state"))),
        (vec![(&state, 4), (&out, 3)], Some(blob("state"))),
    ] {
        let stored = stored.into_iter().map(|(name, size)| (name.clone(), size)).collect();
        assert_eq!(lost_blob(&newest, &to_publish, &stored).map(|(blob, _)| blob.clone()), lost);
    }
}

#[test]
fn each_sink_publishes_above_what_it_has_up_to_what_is_released_without_what_is_void() {
    let (lake, both): (&[_], &[_]) = (&["lake"], &["lake", "kafka"]);
    let mut retained: Vec<Record> =
        (1..=9).map(|seq| record(seq, Kind::Commit, if seq % 2 == 0 { both } else { lake })).collect();
    retained[8].epoch.outbox.clear();
    retained[8].kind = Kind::Rollback;
    retained[8].voided = Some(SeqRange { from: 7, through: 8 });
    retained[8].published_through = through(&[("lake", 3), ("kafka", 0)]);
    let seqs = |retained: &[Record], wanted: &str| -> Vec<u64> {
        let due = unpublished(retained).into_iter();
        due.filter(|publication| publication.sink == wanted).map(|publication| publication.seq).collect()
    };
    assert_eq!(seqs(&retained, "lake"), [4, 5, 6]);
    assert_eq!(seqs(&retained, "kafka"), [2, 4, 6]);
    retained[8].state.released_through = through(&[("lake", 4)]);
    assert_eq!(seqs(&retained, "lake"), [4]);
    assert_eq!(seqs(&retained, "kafka"), [2, 4, 6]);
    assert_eq!(seqs(&retained[..0], "lake"), [0; 0]);
}

fn kept(seqs: std::ops::RangeInclusive<u64>) -> Vec<Kept> {
    let sinks = BTreeSet::from(["lake".to_owned()]);
    seqs.map(|seq| Kept {
        seq,
        kind: Kind::Commit,
        sinks: sinks.clone(),
        blobs: BTreeSet::new(),
        voided: None,
    })
    .collect()
}

#[test]
fn a_clean_up_keeps_the_newest_and_what_is_not_published() {
    for (keep, published, expected) in [
        (10, 100, 91),
        (10, 95, 91),
        (10, 89, 90),
        (10, 40, 41),
        (1, 100, 100),
        (0, 100, 100),
        (1000, 100, 11),
        (10, 0, 11),
    ] {
        let found = boundary(&kept(11..=100), keep, &through(&[("lake", published)]), |_| 100);
        assert_eq!(found, Some(expected), "keep {keep}, published {published}");
    }
    assert_eq!(boundary(&[], 10, &BTreeMap::new(), |_| 0), None);
}

#[test]
fn a_clean_up_keeps_the_record_before_a_swap_until_the_swap_is_released_or_void() {
    let mut kept = kept(1..=100);
    kept[49].kind = Kind::Swap;
    let published = through(&[("lake", 100)]);
    assert_eq!(boundary(&kept, 10, &published, |_| 49), Some(49));
    assert_eq!(boundary(&kept, 10, &published, |_| 50), Some(91));
    kept[69].voided = Some(SeqRange { from: 50, through: 69 });
    assert_eq!(boundary(&kept, 10, &published, |_| 49), Some(91));
}

#[test]
fn what_a_rollback_made_void_need_not_be_published_to_be_cleaned_away() {
    let mut kept = kept(1..=100);
    kept[69].voided = Some(SeqRange { from: 50, through: 69 });
    assert_eq!(boundary(&kept, 10, &through(&[("lake", 49)]), |_| 100), Some(70));
}

#[test]
fn what_a_marker_says_is_held_against_what_the_log_knows() {
    use MarkerFault::{Absent, Ahead, Behind};
    for (marker, published, released, through) in [
        (None, 0, 9, Ok(0)),
        (None, 1, 9, Err(Absent { published: 1 })),
        (Some(4), 0, 9, Ok(4)),
        (Some(4), 4, 9, Ok(4)),
        // Published, and killed before the next commit could say so.
        (Some(5), 4, 9, Ok(5)),
        (Some(9), 4, 9, Ok(9)),
        (Some(3), 4, 9, Err(Behind { marker: 3, published: 4 })),
        // A log from a backup, or another's marker.
        (Some(10), 4, 9, Err(Ahead { marker: 10, released: 9 })),
        // Held for a probation, and out all the same.
        (Some(5), 4, 4, Err(Ahead { marker: 5, released: 4 })),
    ] {
        let marked = Marked { marker, published, released };
        assert_eq!(marked.through(), through, "{marked:?}");
    }
}

#[test]
fn after_a_crash_a_sink_gets_what_its_marker_lacks_and_no_more() {
    // Commits 1 to 9, of which 7 and 8 are void; those with an even number have something for Kafka.
    let both: &[_] = &["lake", "kafka"];
    let log = |published: u64, released: Option<u64>| {
        let mut log: Vec<Record> = (1..=9)
            .map(|seq| record(seq, Kind::Commit, if seq % 2 == 0 { both } else { &["lake"] }))
            .collect();
        let newest = log.last_mut().unwrap();
        newest.epoch.outbox.clear();
        newest.kind = Kind::Rollback;
        newest.voided = Some(SeqRange { from: 7, through: 8 });
        newest.published_through = through(&[("lake", 9), ("kafka", published)]);
        newest.state.released_through = released.map(|seq| through(&[("kafka", seq)])).unwrap_or_default();
        log
    };
    for (published, released, marker, due) in [
        (0, None, None, vec![2, 4, 6]),
        (0, None, Some(2), vec![4, 6]),
        (2, None, Some(2), vec![4, 6]),
        (2, None, Some(6), vec![]),
        // Commit 8 went out before it was made void; nothing of it is taken back, and nothing comes twice.
        (2, None, Some(8), vec![]),
        (0, Some(4), None, vec![2, 4]),
        (0, Some(4), Some(2), vec![4]),
        (2, Some(2), Some(2), vec![]),
    ] {
        let log = log(published, released);
        let newest = log.last().unwrap();
        let marked = Marked { marker, published, released: newest.released_through("kafka") };
        let out = marked.through().unwrap();
        let mut to_publish = unpublished(&log);
        to_publish.retain(|publication| publication.is_due("kafka", out));
        let seqs: Vec<u64> = to_publish.iter().map(|publication| publication.seq).collect();
        assert_eq!(seqs, due, "published {published}, released {released:?}, marker {marker:?}");
    }
}
