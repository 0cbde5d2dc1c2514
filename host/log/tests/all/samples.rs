//! Any record at all, for round trips; and the one that is frozen in `formats/`.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use tallow_env::SeededRandom;
use tallow_epoch::{Ledger, PartitionCounts, WindowCounts};
use tallow_log::name::BlobName;
use tallow_log::record::{
    AsideRecord, BlobRef, Change, Chunk, Epoch, Function, Gap, Input, Kind, Live, Mode, Outgoing, Partition,
    Probation, Record, Role, SeqRange, SetAside, State, StatePart, What, Writer,
};
use tallow_record::TopicPartition;
use tallow_store::Digest;

pub fn blob(term: u64, text: &str) -> BlobRef {
    let name = BlobName::new(term, Digest::of(text.as_bytes()), &SeededRandom::new(term));
    BlobRef { name, length: text.len() as u64 }
}

/// The record in `formats/1.record`, field by field.
pub fn frozen() -> Record {
    let partition = TopicPartition::new("trades", 0);
    let mut ledger = Ledger::default();
    *ledger.partition(&partition) =
        PartitionCounts { records: 5, with_rows: 2, rejected: 1, ..Default::default() };
    ledger.partition(&partition).ignore("depthUpdate", 1);
    ledger.partition(&partition).set_aside("trap", 1);
    *ledger.window("1m") =
        WindowCounts { rows_taken: 2, assignments: 2, closed: 3, open: -1, ..WindowCounts::default() };
    let mut chain_ledger = ledger.clone();
    chain_ledger.window("1m").open = 0;
    chain_ledger.window("1m").closed = 2;
    Record {
        seq: 42,
        kind: Kind::Swap,
        parent: Some(Digest::of(b"parent")),
        chain: "00c0ffee00c0ffee".into(),
        shard: 3,
        term: 7,
        writer: Writer { id: "0123456789abcdef".into(), name: "host-ä/17".into() },
        at_us: 1_767_225_600_000_001,
        epoch: frozen_epoch(ledger),
        state: frozen_state(chain_ledger),
        published_through: BTreeMap::from([("lake".into(), 41), ("kafka".into(), 40)]),
        voided: Some(SeqRange { from: 30, through: 41 }),
    }
}

fn frozen_epoch(ledger: Ledger) -> Epoch {
    Epoch {
        clock_us: Some(1_767_225_600_000_000),
        watermark_us: Some(-1),
        chunks: vec![Chunk { topic: "trades".into(), partition: 0, from: 10, to: 17, clock_us: 5 }],
        gaps: vec![Gap { topic: "trades".into(), partition: 0, from: 7, to: 10, why: "retention".into() }],
        set_aside: SetAside::List(vec![AsideRecord {
            topic: "trades".into(),
            partition: 0,
            offset: 12,
            why: "trap".into(),
            reason: String::new(),
        }]),
        inputs: Vec::new(),
        outbox: vec![Outgoing {
            sink: "lake".into(),
            name: "speed/btc_1m/date=2026-01-01/x.parquet".into(),
            rows: 2,
            rows_digest: Digest::of(b"rows"),
            digest: Digest::of(b"file"),
            blob: blob(7, "file"),
        }],
        ledger,
        ..Epoch::default()
    }
}

fn frozen_state(ledger: Ledger) -> State {
    State {
        watermark_us: Some(1_767_225_540_000_000),
        partitions: vec![Partition {
            topic: "trades".into(),
            topic_id: Some("AbCdEf".into()),
            partition: 0,
            next: 17,
            max_event_time_us: Some(i64::MAX),
            idle: true,
            at_end_since_us: None,
            stands_since_us: None,
        }],
        functions: vec![
            Function {
                role: Role::Parse,
                name: "parse-market".into(),
                digest: Digest::of(b"parse"),
                contract: "tallow:parse@0.1.0".into(),
                state_version: None,
                file: None,
            },
            Function {
                role: Role::Window,
                name: "window".into(),
                digest: Digest::of(b"window"),
                contract: "tallow:window@0.1.0".into(),
                state_version: Some(1),
                file: None,
            },
        ],
        manifest: Some(Digest::of(b"manifest")),
        windows: serde_json::json!([{ "name": "1m", "size": "1m", "aggregates": ["count"] }]),
        parts: vec![StatePart { window: "1m".into(), group: 4, blob: blob(6, "state"), from: 1, length: 3 }],
        whole: BTreeMap::new(),
        ledger,
        released_through: BTreeMap::from([("lake".into(), 41)]),
        live: Live::default(),
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z0-9-]{1,12}"]
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(|bytes| Digest::of(&bytes))
}

fn blob_ref() -> impl Strategy<Value = BlobRef> {
    (any::<u64>(), digest(), any::<u64>(), any::<u64>()).prop_map(|(term, sha256, seed, length)| BlobRef {
        name: BlobName::new(term, sha256, &SeededRandom::new(seed)),
        length,
    })
}

fn ledger() -> impl Strategy<Value = Ledger> {
    let counts =
        (any::<[u64; 3]>(), btree_map(text(), any::<u64>(), 0..3), btree_map(text(), any::<u64>(), 0..3))
            .prop_map(|([records, with_rows, rejected], ignored, set_aside)| PartitionCounts {
                records,
                with_rows,
                ignored,
                rejected,
                set_aside,
            });
    let window = (any::<[u64; 9]>(), any::<i64>()).prop_map(|(n, open)| WindowCounts {
        rows_taken: n[0],
        invalid: n[1],
        assignments: n[2],
        closed: n[3],
        open,
        late: n[4],
        duplicate: n[5],
        conflict: n[6],
        dropped: n[8],
        untracked: n[7],
    });
    let partition = (text(), any::<i32>()).prop_map(|(topic, number)| TopicPartition::new(&topic, number));
    (btree_map(partition, counts, 0..3), btree_map(text(), window, 0..3))
        .prop_map(|(partitions, windows)| Ledger { partitions, windows })
}

fn epoch() -> impl Strategy<Value = Epoch> {
    let chunk = (text(), any::<i32>(), any::<[i64; 3]>())
        .prop_map(|(topic, partition, [from, to, clock_us])| Chunk { topic, partition, from, to, clock_us });
    let gap = (text(), any::<i32>(), any::<[i64; 2]>(), text())
        .prop_map(|(topic, partition, [from, to], why)| Gap { topic, partition, from, to, why });
    let aside = (text(), any::<i32>(), any::<i64>(), [text(), text()]).prop_map(
        |(topic, partition, offset, [why, reason])| AsideRecord { topic, partition, offset, why, reason },
    );
    let set_aside =
        prop_oneof![vec(aside, 0..3).prop_map(SetAside::List), blob_ref().prop_map(SetAside::Blob)];
    let outgoing = (text(), text(), any::<u64>(), digest(), digest(), blob_ref()).prop_map(
        |(sink, name, rows, rows_digest, digest, blob)| Outgoing {
            sink,
            name,
            rows,
            rows_digest,
            digest,
            blob,
        },
    );
    let input = (text(), digest(), blob_ref(), any::<[u64; 2]>())
        .prop_map(|(name, function, blob, [from, length])| Input { name, function, blob, from, length });
    let read = (any::<[bool; 2]>(), option::of(blob_ref()));
    let taken = (vec(chunk, 0..4), vec(gap, 0..2), vec(input, 0..3), set_aside, read);
    (any::<[Option<i64>; 2]>(), taken, vec(outgoing, 0..3), ledger()).prop_map(
        |([clock_us, watermark_us], (chunks, gaps, inputs, set_aside, read), outbox, ledger)| Epoch {
            clock_us,
            watermark_us,
            chunks,
            gaps,
            set_aside,
            inputs,
            outbox,
            ledger,
            closed_all: read.0[0],
            headers: read.0[1],
            archive: read.1,
        },
    )
}

fn state() -> impl Strategy<Value = State> {
    let partition =
        (text(), option::of(text()), any::<i32>(), any::<i64>(), any::<Option<i64>>(), any::<bool>())
            .prop_map(|(topic, topic_id, partition, next, max_event_time_us, idle)| Partition {
                at_end_since_us: idle.then_some(next),
                stands_since_us: None,
                topic,
                topic_id,
                partition,
                next,
                max_event_time_us,
                idle,
            });
    let role = prop_oneof![Just(Role::Parse), Just(Role::Window)];
    let function = (role, text(), digest(), text(), any::<Option<u32>>(), option::of(digest())).prop_map(
        |(role, name, digest, contract, state_version, file)| Function {
            role,
            name,
            digest,
            contract,
            state_version,
            file,
        },
    );
    let part = (text(), any::<u32>(), blob_ref(), any::<[u64; 2]>())
        .prop_map(|(window, group, blob, [from, length])| StatePart { window, group, blob, from, length });
    let windows = vec((text(), any::<i64>()), 0..3)
        .prop_map(|all| all.into_iter().map(|(name, size)| serde_json::json!({ name: size })).collect());
    (
        any::<Option<i64>>(),
        vec(partition, 0..3),
        vec(function, 0..3),
        option::of(digest()),
        windows,
        vec(part, 0..4),
        ledger(),
        (btree_map(text(), any::<u64>(), 0..3), live()),
    )
        .prop_map(
            |(
                watermark_us,
                partitions,
                functions,
                manifest,
                windows,
                parts,
                ledger,
                (released_through, live),
            )| {
                State {
                    live,
                    watermark_us,
                    partitions,
                    functions,
                    manifest,
                    windows,
                    parts,
                    whole: BTreeMap::new(),
                    ledger,
                    released_through,
                }
            },
        )
}

fn live() -> impl Strategy<Value = Live> {
    let mode = prop_oneof![Just(Mode::Hold), Just(Mode::Publish)];
    let role = || prop_oneof![Just(Role::Parse), Just(Role::Window)];
    let probation = (any::<u64>(), mode, role(), any::<u32>())
        .prop_map(|(since, mode, role, epochs_left)| Probation { since, mode, role, epochs_left });
    let what = prop_oneof![Just(What::Swap), Just(What::Release), Just(What::Rollback)];
    let change = (any::<u64>(), any::<i64>(), what, role(), [text(), text()], [digest(), digest()]).prop_map(
        |(seq, at_us, what, role, [name, why], [from, to])| Change {
            seq,
            at_us,
            what,
            role,
            name,
            from,
            to,
            why,
        },
    );
    let remake = any::<Option<[u64; 2]>>();
    (option::of(probation), remake, vec(change, 0..3)).prop_map(|(probation, remake, changes)| Live {
        probation,
        remake: remake.map(|[from, through]| SeqRange { from, through }),
        changes,
    })
}

/// Any record at all.
pub fn record() -> impl Strategy<Value = Record> {
    let kind = prop_oneof![Just(Kind::Fence), Just(Kind::Commit), Just(Kind::Swap), Just(Kind::Rollback)];
    let head = (any::<[u64; 2]>(), kind, option::of(digest()), any::<u32>(), any::<i64>());
    let voided = any::<Option<[u64; 2]>>();
    (head, [text(), text(), text()], epoch(), state(), btree_map(text(), any::<u64>(), 0..3), voided)
        .prop_map(
            |(
                ([seq, term], kind, parent, shard, at_us),
                [chain, id, name],
                epoch,
                state,
                published_through,
                voided,
            )| {
                Record {
                    seq,
                    kind,
                    parent,
                    chain,
                    shard,
                    term,
                    writer: Writer { id, name },
                    at_us,
                    epoch,
                    state,
                    published_through,
                    voided: voided.map(|[from, through]| SeqRange { from, through }),
                }
            },
        )
}
