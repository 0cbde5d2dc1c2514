//! Dead letters as the sink writes them, read back, counted and sent again.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use tallow_letters::{Filter, Journal, Letters, Outcome, REPLAYS, Replay, Rules, Sent, Summary, Target};
use tallow_sink::{DeadLetter, DeadLetters, KeptLetter, ReasonKind, Sink};
use tallow_store::Store;
use tallow_test_support::sink::{Variant, sample};

fn letter(offset: i64, row: Option<u32>) -> KeptLetter {
    let place = tallow_record::Place { topic: "trades".into(), partition: 0, offset };
    let letter = DeadLetter {
        place,
        timestamp_us: 1000 + offset,
        key: Some(b"AB".to_vec()),
        value: Some(b"{".to_vec()),
        headers: vec![("trace".to_owned(), None), ("tallow.reason".to_owned(), Some(b"old".to_vec()))],
        kind: ReasonKind::Rejected,
        reason: format!("JSON: EOF at byte {offset}"),
        window: None,
        row,
    };
    KeptLetter { letter, commit: "c1/0/2".to_owned() }
}

fn rules() -> Rules {
    Rules { pipeline: "candles".to_owned(), to: "fixed".to_owned(), again: false, most_replays: 3 }
}

#[test]
fn letters_come_back_as_the_sink_was_given_them() {
    let store = Store::memory().unwrap();
    let (first, second) = (sample(7, Variant::First), sample(8, Variant::First));
    for output in [&second, &first] {
        let sink = DeadLetters::new(store.clone());
        for item in sink.prepare(output).unwrap() {
            sink.publish(&item.name, item.bytes).unwrap();
        }
    }
    let all = Filter::default();
    let mut letters = Letters::of(&store, first.pipeline, &all).unwrap();
    let read: Vec<KeptLetter> = letters.by_ref().map(Result::unwrap).collect();
    let sorted = |mut dead: Vec<DeadLetter>| {
        dead.sort_by_key(|it| (it.place.clone(), it.row, it.window.clone(), it.kind, it.reason.clone()));
        dead
    };
    let expected: Vec<DeadLetter> = [sorted(first.dead.clone()), sorted(second.dead.clone())].concat();
    assert_eq!(read.iter().map(|kept| kept.letter.clone()).collect::<Vec<_>>(), expected);
    assert_eq!((read[0].commit.as_str(), read.last().unwrap().commit.as_str()), ("c1a9/3/7", "c1a9/3/8"));
    assert_eq!((letters.read().files, letters.read().of_files), (2, 2));
    assert_eq!(Letters::of(&store, "another", &all).unwrap().count(), 0);
    store.put_overwrite("dead-letter/another/date=2024-08-09/x.parquet", "no Parquet").unwrap();
    let mut broken = Letters::of(&store, "another", &all).unwrap();
    assert!(broken.next().unwrap().unwrap_err().to_string().contains("date=2024-08-09/x.parquet"));
    assert!(broken.next().is_none(), "it ends after an error");
}

#[test]
fn letters_are_counted_by_reason_with_the_first_and_the_last() {
    let mut summary = Summary::default();
    for offset in [5, 3, 9] {
        summary.add(&letter(offset, None).letter);
    }
    summary.add(&DeadLetter { kind: ReasonKind::Trap, ..letter(4, None).letter });
    let groups: Vec<_> = summary.groups.iter().collect();
    assert_eq!(groups[0].0, &(ReasonKind::Rejected, "JSON: EOF at byte N".to_owned()));
    let ends = (groups[0].1.letters, groups[0].1.first.offset, groups[0].1.last.offset);
    assert_eq!((ends, summary.letters), ((3, 3, 9), 4));
    for number in 0..1000u32 {
        let letters: String = format!("{number:04}").bytes().map(|digit| (digit + 49) as char).collect();
        summary.add(&DeadLetter { reason: letters, ..letter(1, None).letter });
    }
    assert!(summary.groups.len() <= 202, "hostile reasons share a line");
    assert_eq!(summary.groups.values().map(|group| group.letters).sum::<u64>(), 1004);
}

#[test]
fn a_record_is_sent_once_with_its_bytes_and_where_it_comes_from() {
    let (rules, journal) = (rules(), Journal::default());
    let mut replay = Replay::new(&rules, &journal);
    let Outcome::Send { message, replays } = replay.next(&letter(7, Some(0))) else { panic!("it is sent") };
    assert_eq!((message.key.as_deref(), message.value.as_slice(), replays), (Some(&b"AB"[..]), &b"{"[..], 1));
    let headers: Vec<(&str, Option<&str>)> = message
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str(), value.as_deref().map(|value| std::str::from_utf8(value).unwrap()))
        })
        .collect();
    assert_eq!(
        headers,
        [
            ("trace", None),
            ("tallow.commit", Some("c1/0/2")),
            ("tallow.pipeline", Some("candles")),
            ("tallow.topic", Some("trades")),
            ("tallow.partition", Some("0")),
            ("tallow.offset", Some("7")),
            ("tallow.reason-kind", Some("rejected")),
            ("tallow.reason", Some("JSON: EOF at byte 7")),
            ("tallow.replays", Some("1")),
        ]
    );
    assert_eq!(replay.next(&letter(7, Some(1))), Outcome::SameRecord);
    let mut tombstone = letter(8, None);
    tombstone.letter.value = None;
    assert_eq!(replay.next(&tombstone), Outcome::Tombstone);
    let tally = replay.tally;
    assert_eq!(
        (tally.letters, tally.sent, tally.bytes, tally.same_record, tally.tombstones),
        (3, 1, 3, 1, 1)
    );
}

#[test]
fn a_record_that_dies_again_counts_its_replays() {
    let store = Store::memory().unwrap();
    let rules = rules();
    // The journal alone knows: the parse function asks for no headers.
    for replays in 1..=3 {
        let journal = Journal::read(&store, "candles").unwrap();
        let at = |replays: u32| letter(i64::from(replays) * 10, None);
        let mut dead = at(replays - 1);
        if replays > 1 {
            dead.letter.place.topic = "fixed".into();
        }
        assert_eq!(journal.replays(&dead.letter.place), replays - 1);
        let Outcome::Send { replays: now, .. } = Replay::new(&rules, &journal).next(&dead) else {
            panic!("it is sent")
        };
        assert_eq!(now, replays);
        let place = &dead.letter.place;
        let sent = Sent {
            topic: place.topic.to_string(),
            partition: place.partition,
            offset: place.offset,
            to: Target { partition: 0, offset: i64::from(replays) * 10 },
            replays,
        };
        journal.writer(&store, "candles", "fixed").add(5, vec![sent]).unwrap();
        let journal = Journal::read(&store, "candles").unwrap();
        assert_eq!(Replay::new(&rules, &journal).next(&dead), Outcome::SentBefore);
        let again = Rules { again: true, ..rules.clone() };
        assert!(matches!(Replay::new(&again, &journal).next(&dead), Outcome::Send { .. }));
    }
    let journal = Journal::read(&store, "candles").unwrap();
    let mut dead = letter(30, None);
    dead.letter.place.topic = "fixed".into();
    assert_eq!(Replay::new(&rules, &journal).next(&dead), Outcome::Exhausted);
    // So do its headers, where they are known.
    let mut told = letter(99, None);
    told.letter.headers.push((REPLAYS.to_owned(), Some(b"3".to_vec())));
    assert_eq!(Replay::new(&rules, &Journal::default()).next(&told), Outcome::Exhausted);
}

#[test]
fn pages_of_two_replays_at_once_are_both_kept() {
    let store = Store::memory().unwrap();
    let journal = Journal::read(&store, "candles").unwrap();
    let mut writers = [0, 1].map(|_| journal.writer(&store, "candles", "fixed"));
    for (offset, writer) in (0..).zip(&mut writers) {
        let to = Target { partition: 0, offset: 100 + offset };
        let sent = Sent { topic: "trades".to_owned(), partition: 0, offset, to, replays: 1 };
        writer.add(offset, vec![sent]).unwrap();
    }
    let journal = Journal::read(&store, "candles").unwrap();
    for offset in 0..2 {
        assert!(journal.was_sent(&letter(offset, None).letter.place, "fixed"));
        assert!(!journal.was_sent(&letter(offset, None).letter.place, "other"));
    }
    store.put_overwrite(&tallow_lake::replays("candles", 9), "{}").unwrap();
    let broken = Journal::read(&store, "candles").unwrap_err().to_string();
    assert!(broken.contains("_tallow/replays/candles/00000000000000000009.json"), "{broken}");
}
