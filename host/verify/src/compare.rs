//! What a commit says, held against what was computed again: pure, so that each difference has a test.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tallow_epoch::{Ledger, Watermarks};
use tallow_log::record::{Outgoing, Partition};
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

#[cfg(test)]
mod tests {
    use tallow_log::name::BlobName;
    use tallow_log::record::BlobRef;
    use tallow_store::Digest;

    use super::*;

    fn outgoing(name: &str, rows: &[u8]) -> Outgoing {
        let digest = Digest::of(rows);
        let blob = BlobName::new(1, digest, &tallow_env::SeededRandom::new(1));
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
        assert_eq!(fewer_records(&ledger(5, 0), &Ledger::default()), [(partition.clone(), 0, 5)]);
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
}
