//! Does a record follow from the one before it? Pure.

use tallow_log::Record;
use tallow_log::record::{Change, Kind, Role};
use tallow_store::Digest;

/// What may not differ between a record and the one before it, whatever kind it is of. `back_to`: the record that a
/// rollback returns to, where it can be read.
pub fn judge(before: &Record, record: &Record, back_to: Option<&Record>) -> Vec<String> {
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

fn digest_of(record: &Record, role: Role) -> Option<Digest> {
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
    use std::collections::BTreeMap;

    use tallow_log::record::{self, Epoch, Function, Partition, Writer};

    use super::*;

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
            judge(&before, &record, back_to)
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
            stands_since_us: None,
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
