//! What a commit says, held against what was computed again: pure, so that each difference has a test.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tallow_epoch::{Ledger, Watermarks};
use tallow_log::Record;
use tallow_log::record::{Change, Kind, Outgoing, Partition, Role};
use tallow_record::TopicPartition;
use tallow_sink::Item;

/// Something that differs: what it is about, and how.
pub type Difference = (String, String);

/// The files of a commit, by their rows. Bytes may differ where another version of the program wrote them.
pub fn outputs(recorded: &[Outgoing], computed: &[Item]) -> Vec<Difference> {
    let mut out = Vec::new();
    for outgoing in recorded {
        let object = outgoing.name.clone();
        match computed.iter().find(|item| item.sink == outgoing.sink && item.name == outgoing.name) {
            None => out.push((object, format!("computed again, none of its {} rows come out", outgoing.rows))),
            Some(item) if item.rows_digest != outgoing.rows_digest => out.push((
                object,
                format!(
                    "its rows are not what the functions make of the records: {} rows of digest {} in the log, {} of \
                     digest {} computed again",
                    outgoing.rows, outgoing.rows_digest, item.rows, item.rows_digest
                ),
            )),
            Some(_) => {}
        }
    }
    for item in computed {
        if !recorded.iter().any(|outgoing| item.sink == outgoing.sink && item.name == outgoing.name) {
            out.push((
                item.name.clone(),
                format!("computed again, it holds {} rows, and the log does not know it", item.rows),
            ));
        }
    }
    out
}

/// Partitions of which fewer records could be read than were taken: (partition, read, taken).
pub fn fewer_records(recorded: &Ledger, computed: &Ledger) -> Vec<(TopicPartition, u64, u64)> {
    let read = |partition| computed.partitions.get(partition).map_or(0, |counts| counts.records);
    let taken = recorded.partitions.iter().map(|(partition, counts)| (partition, counts.records));
    taken
        .map(|(partition, taken)| (partition.clone(), read(partition), taken))
        .filter(|(_, read, taken)| read < taken)
        .collect()
}

/// The books of an epoch, count by count.
pub fn books(recorded: &Ledger, computed: &Ledger) -> Vec<Difference> {
    let mut out = Vec::new();
    let partitions: BTreeSet<_> = recorded.partitions.keys().chain(computed.partitions.keys()).collect();
    for partition in partitions {
        let of = |ledger: &Ledger| json(&ledger.partitions.get(partition).cloned().unwrap_or_default());
        out.extend(differing(&partition.to_string(), &of(recorded), &of(computed)));
    }
    let windows: BTreeSet<_> = recorded.windows.keys().chain(computed.windows.keys()).collect();
    for window in windows {
        let of = |ledger: &Ledger| json(&ledger.windows.get(window).cloned().unwrap_or_default());
        out.extend(differing(&format!("window `{window}`"), &of(recorded), &of(computed)));
    }
    out
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn differing(what: &str, recorded: &Value, computed: &Value) -> Option<Difference> {
    let fields = recorded.as_object().into_iter().chain(computed.as_object()).flat_map(|map| map.keys());
    let fields: BTreeSet<&String> = fields.collect();
    let differing = fields.into_iter().filter(|field| recorded.get(field) != computed.get(field));
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    let texts: Vec<String> = differing
        .map(|field| {
            let (recorded, computed) = (shown(recorded.get(field)), shown(computed.get(field)));
            format!("`{field}` {recorded} in the log, {computed} computed again")
        })
        .collect();
    (!texts.is_empty()).then(|| (what.to_owned(), texts.join("; ")))
}

/// The newest event time of each partition.
pub fn event_times(recorded: &[Partition], computed: &Watermarks) -> Vec<Difference> {
    let computed: BTreeMap<_, _> = computed.partitions().collect();
    let mut out = Vec::new();
    for known in recorded {
        let Some(recorded) = known.max_event_time_us else { continue };
        let partition = TopicPartition::new(&known.topic, known.partition);
        let found = computed.get(&partition).and_then(|time| time.max_event_time_us);
        if found != Some(recorded) {
            out.push((
                partition.to_string(),
                format!("its newest event time is {recorded} µs in the log, {found:?} computed again"),
            ));
        }
    }
    out
}

/// State by window and group.
pub type State = BTreeMap<(String, u32), Vec<u8>>;

pub fn state(recorded: &State, computed: &State) -> Vec<Difference> {
    let groups: BTreeSet<_> = recorded.keys().chain(computed.keys()).collect();
    let empty = Vec::new();
    // A group without keys is as good as none.
    let of = |state: &'_ State, group: &(String, u32)| state.get(group).unwrap_or(&empty).clone();
    let differing = groups.into_iter().filter(|group| of(recorded, group) != of(computed, group));
    differing
        .map(|group| {
            let (recorded, computed) = (of(recorded, group).len(), of(computed, group).len());
            (
                format!("window `{}`, group {}", group.0, group.1),
                format!(
                    "its {recorded} bytes of state are not what the function leaves ({computed} bytes, computed again)"
                ),
            )
        })
        .collect()
}

/// What may not differ between a record and the one before it, whatever kind it is of. `back_to`: the record that a
/// rollback returns to, where it can be read.
pub fn succession(before: &Record, record: &Record, back_to: Option<&Record>) -> Vec<String> {
    let mut out = Vec::new();
    if (&before.chain, before.shard) != (&record.chain, record.shard) {
        out.push(format!("it is of another chain than the record before it, {}", before.commit_id()));
    }
    if record.term < before.term {
        out.push(format!(
            "its term {} is lower than that of the record before it, {}",
            record.term, before.term
        ));
    }
    let takes_nothing = record.epoch.chunks.is_empty() && record.epoch.outbox.is_empty();
    if record.kind != Kind::Commit && !takes_nothing {
        out.push("only the commit of an epoch takes records and gives files".to_owned());
    }
    let same = match record.kind {
        Kind::Commit => None,
        Kind::Fence | Kind::Swap => Some(before),
        Kind::Rollback => back_to,
    };
    if let Some(same) = same {
        let (old, new) = (&same.state, &record.state);
        let moved = [
            ("watermark", old.watermark_us != new.watermark_us),
            ("offsets", old.partitions != new.partitions),
            ("books", old.ledger != new.ledger),
            (
                "state",
                old.parts != new.parts && !(record.kind == Kind::Swap && swapped_window(before, record)),
            ),
        ];
        let what = moved.iter().filter(|(_, moved)| *moved).map(|(what, _)| *what);
        out.extend(what.map(|what| format!("its {what} should be those of record {}", same.seq)));
    }
    if record.kind == Kind::Commit && !before.state.functions.is_empty() {
        let roles = [Role::Parse, Role::Window].into_iter();
        let changed = roles.filter(|role| digest_of(before, *role) != digest_of(record, *role));
        out.extend(changed.map(|role| format!("its {role:?} function is another one, and no swap says so")));
    }
    out
}

/// Whether a swap took a window function up: another one, or the same once more.
pub fn swapped_window(before: &Record, record: &Record) -> bool {
    let named = |change: &Change| change.seq == record.seq && change.role == Role::Window;
    record.state.live.changes.iter().any(named)
        || digest_of(before, Role::Window) != digest_of(record, Role::Window)
}

fn digest_of(record: &Record, role: Role) -> Option<tallow_log::Digest> {
    record.state.functions.iter().find(|function| function.role == role).map(|function| function.digest)
}

/// Whether the watermark went no further than the event times allow. What counted as idle then is taken from the record;
/// a partition that has vanished since, or gave nothing yet, holds it back or not.
pub fn watermark(before: &Record, record: &Record, delay_us: i64, idle_advance: bool) -> Option<String> {
    let (from, to) = (before.state.watermark_us, record.state.watermark_us);
    let behind = |time_us: i64| time_us.saturating_sub(delay_us);
    let partitions = &record.state.partitions;
    let busy = || partitions.iter().filter(|it| !it.idle);
    let seen = partitions.iter().all(|it| it.max_event_time_us.is_some());
    let newest = partitions.iter().filter_map(|it| it.max_event_time_us).max().map(behind);
    let allowed = if seen && busy().next().is_some() {
        busy().filter_map(|it| it.max_event_time_us).min().map(behind)
    } else if busy().next().is_none() && idle_advance {
        newest.max(record.epoch.clock_us.map(behind))
    } else {
        newest
    };
    let allowed = from.max(allowed);
    (to > allowed).then(|| {
        format!(
            "its watermark {to:?} µs is ahead of what the event times of its partitions allow, {allowed:?} µs"
        )
    })
}

#[cfg(test)]
mod tests {
    use tallow_log::name::BlobName;
    use tallow_log::record::{BlobRef, Epoch, Function, Writer};
    use tallow_log::{Digest, record};

    use super::*;

    fn outgoing(name: &str, rows: &[u8]) -> Outgoing {
        let digest = Digest::of(rows);
        let blob = BlobName::new(1, digest, &tallow_edge::SeededRandom::new(1));
        Outgoing {
            sink: "lake".into(),
            name: name.into(),
            rows: 3,
            rows_digest: digest,
            digest,
            blob: BlobRef { name: blob, length: 9 },
        }
    }

    fn item(name: &str, rows: &[u8]) -> Item {
        let (bytes, rows_digest) = (bytes::Bytes::new(), Digest::of(rows));
        Item { sink: "lake", name: name.into(), bytes, rows: 3, rows_digest }
    }

    #[test]
    fn files_that_differ_are_missing_or_are_too_many_are_named() {
        let recorded = [outgoing("a", b"1"), outgoing("b", b"2")];
        assert_eq!(outputs(&recorded, &[item("b", b"2"), item("a", b"1")]), []);
        let named = |computed: &[Item]| {
            outputs(&recorded, computed).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(named(&[item("a", b"1"), item("b", b"x")]), ["b"]);
        assert_eq!(named(&[item("b", b"2")]), ["a"]);
        assert_eq!(named(&[item("a", b"1"), item("b", b"2"), item("c", b"")]), ["c"]);
    }

    #[test]
    fn books_that_differ_say_in_which_count() {
        let partition = TopicPartition::new("t", 0);
        let ledger = |records, rejected| {
            let mut ledger = Ledger::default();
            let counts = ledger.partition(&partition);
            (counts.records, counts.rejected) = (records, rejected);
            ledger.window("1m").late = rejected;
            ledger
        };
        assert_eq!(books(&ledger(5, 1), &ledger(5, 1)), []);
        assert_eq!(
            books(&ledger(5, 1), &ledger(5, 2)),
            [
                ("t/0".to_owned(), "`rejected` 1 in the log, 2 computed again".to_owned()),
                ("window `1m`".to_owned(), "`late` 1 in the log, 2 computed again".to_owned())
            ]
        );
        assert_eq!(fewer_records(&ledger(5, 0), &ledger(3, 0)), [(partition.clone(), 3, 5)]);
        assert_eq!(fewer_records(&ledger(5, 0), &Ledger::default()), [(partition, 0, 5)]);
        assert_eq!(fewer_records(&ledger(5, 0), &ledger(6, 0)), []);
    }

    #[test]
    fn state_is_compared_group_by_group_and_an_empty_one_is_none() {
        let of = |groups: &[(u32, &[u8])]| -> State {
            groups.iter().map(|(group, bytes)| (("1m".to_owned(), *group), bytes.to_vec())).collect()
        };
        assert_eq!(state(&of(&[(0, b"a"), (1, b"")]), &of(&[(0, b"a")])), []);
        let differing = state(&of(&[(0, b"a"), (1, b"b")]), &of(&[(0, b"a"), (1, b"c"), (2, b"d")]));
        let named: Vec<&str> = differing.iter().map(|(what, _)| what.as_str()).collect();
        assert_eq!(named, ["window `1m`, group 1", "window `1m`, group 2"]);
    }

    fn record(seq: u64, kind: Kind) -> Record {
        let function = |role, digest: &[u8]| Function {
            role,
            name: String::new(),
            digest: Digest::of(digest),
            contract: String::new(),
            state_version: None,
            file: None,
        };
        Record {
            seq,
            kind,
            parent: None,
            chain: "c".into(),
            shard: 0,
            term: 1,
            writer: Writer { id: String::new(), name: String::new() },
            at_us: 0,
            epoch: Epoch::default(),
            state: record::State {
                functions: vec![function(Role::Parse, b"p"), function(Role::Window, b"w")],
                ..record::State::default()
            },
            published_through: BTreeMap::new(),
            voided: None,
        }
    }

    #[test]
    fn a_record_that_does_not_follow_from_the_one_before_is_seen() {
        let before = record(4, Kind::Commit);
        let judged = |kind: Kind, change: &dyn Fn(&mut Record), back_to: Option<&Record>| {
            let mut record = record(5, kind);
            change(&mut record);
            succession(&before, &record, back_to)
        };
        for kind in [Kind::Commit, Kind::Fence, Kind::Swap, Kind::Rollback] {
            assert_eq!(judged(kind, &|_| {}, Some(&before)), Vec::<String>::new(), "{kind:?}");
        }
        let moved: &dyn Fn(&mut Record) = &|record| record.state.watermark_us = Some(7);
        assert_eq!(judged(Kind::Commit, moved, None), Vec::<String>::new());
        for kind in [Kind::Fence, Kind::Swap, Kind::Rollback] {
            assert_eq!(
                judged(kind, moved, Some(&before)),
                ["its watermark should be those of record 4"],
                "{kind:?}"
            );
        }
        assert_eq!(judged(Kind::Rollback, moved, None), Vec::<String>::new(), "the record is gone");
        let swapped: &dyn Fn(&mut Record) = &|record| record.state.functions[1].digest = Digest::of(b"x");
        assert_eq!(judged(Kind::Swap, swapped, None), Vec::<String>::new());
        assert_eq!(
            judged(Kind::Commit, swapped, None),
            ["its Window function is another one, and no swap says so"]
        );
        assert_eq!(judged(Kind::Commit, &|record| record.chain = "d".into(), None).len(), 1);
        assert_eq!(judged(Kind::Commit, &|record| record.term = 0, None).len(), 1);
    }

    #[test]
    fn a_watermark_may_not_run_ahead_of_the_event_times() {
        let partition = |number: i32, max_event_time_us: Option<i64>, idle: bool| Partition {
            topic: "t".into(),
            topic_id: None,
            partition: number,
            next: 0,
            max_event_time_us,
            idle,
            at_end_since_us: None,
        };
        let busy = || vec![partition(0, Some(500), false), partition(1, Some(300), false)];
        let one_idle = || vec![partition(0, Some(500), false), partition(1, Some(300), true)];
        let all_idle = || vec![partition(0, Some(500), true), partition(1, Some(300), true)];
        let unseen = || vec![partition(0, Some(500), false), partition(1, None, false)];
        for (partitions, from, to, idle_advance, good) in [
            (busy(), None, Some(290), false, true),
            (busy(), None, Some(291), false, false),
            (busy(), Some(400), Some(400), false, true),
            (one_idle(), None, Some(490), false, true),
            (one_idle(), None, Some(491), false, false),
            (all_idle(), None, Some(490), false, true),
            (all_idle(), None, Some(990), false, false),
            (all_idle(), None, Some(990), true, true),
            (all_idle(), None, Some(991), true, false),
            (unseen(), None, Some(490), false, true),
            (unseen(), None, Some(491), false, false),
            (Vec::new(), None, None, false, true),
            (Vec::new(), None, Some(0), false, false),
        ] {
            let (mut before, mut after) = (record(4, Kind::Commit), record(5, Kind::Commit));
            before.state.watermark_us = from;
            (after.state.watermark_us, after.state.partitions) = (to, partitions);
            after.epoch.clock_us = Some(1000);
            let judged = watermark(&before, &after, 10, idle_advance);
            assert_eq!(judged.is_none(), good, "{to:?} {:?}", after.state.partitions);
        }
    }
}
