//! What is promised of a proof: what was committed is proved, each forgery is caught and named, and what is gone is told
//! apart from what is wrong. In memory, with the built functions in their sandbox.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Float64Array, RecordBatch};
use common::{
    COUNTS, DRAIN, MINUTES, SECOND_US, World, epochs, market, pipeline, plain, run_with_swap, trade,
};
use crossbeam_channel::bounded;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use tallow_lake::Folder;
use tallow_log::Record;
use tallow_log::record::{Kind, Mode, Role, SeqRange};
use tallow_log::status::last_records;
use tallow_manifest::Pipeline;
use tallow_pipeline::hooks::Rollback;
use tallow_record::TopicPartition;
use tallow_verify::range::Ask;
use tallow_verify::report::{Part, Report, Verdict};
use tallow_verify::verify;
use tallow_worker::plan::Mode as RunMode;

const SLIDING: &str = r#"
[[trigger.kafka.windows]]
name = "slide"
kinds = ["trade"]
sliding = { size = "1m", slide = "20s" }
keys = ["symbol"]
ids = "id"
[trigger.kafka.windows.aggregates]
close = "last(price)"
volume = "sum(quantity)"
[[trigger.kafka.windows]]
name = "session"
kinds = ["trade"]
session = "8s"
keys = ["symbol"]
[trigger.kafka.windows.aggregates]
high = "max(price)"
trades = "count()"
"#;

fn prove(world: &World, pipeline: &Pipeline, ask: Ask) -> Report {
    verify(&world.verifier(pipeline), ask, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// Everything is proved; the report says what it was.
fn proved(world: &World, pipeline: &Pipeline) -> Report {
    let report = prove(world, pipeline, Ask::All);
    assert_eq!(report.verdict(), Verdict::Proved, "{report:#?}");
    report
}

fn log(world: &World) -> Vec<Record> {
    let mut records = last_records(&world.store, "candles", 0, 1000).unwrap();
    records.reverse();
    records
}

/// Commits that took records.
fn epochs_of(world: &World) -> u64 {
    log(world).iter().filter(|record| record.kind == Kind::Commit).count() as u64
}

/// A market with everything in it that is set apart: late rows, broken and unknown records, a conflict, a duplicate, a
/// tombstone and an event time ahead of the clock.
fn busy_market(world: &World, partitions: i32, seconds: std::ops::Range<i64>) {
    for second in seconds {
        for partition in 0..partitions {
            let symbol = ["BTCUSDT", "ETHUSDT", "SOLUSDT"][partition as usize % 3];
            let send = |value: String| world.append(partition, value);
            let priced = |id: i64, at: i64, price: &str| trade(symbol, id, at * SECOND_US, price, "0.5");
            send(priced(second, second, &format!("{}.25", 100 + second % 7)));
            match second % 23 {
                4 => send(format!("{{\"e\":\"trade\",\"at\":{second}")),
                7 => {
                    send(r#"{"e":"depthUpdate","E":1723161600000,"s":"B","U":1,"u":2,"b":[],"a":[]}"#.into())
                }
                11 => send(priced(second, second, &format!("{}.25", 100 + second % 7))),
                13 => send(priced(second, second, "999")),
                15 if second > 100 => send(priced(1_000_000 + second, second - 90, "1")),
                19 if second == 42 => send(priced(2_000_000, 9_000, "1")),
                _ => {}
            }
        }
    }
}

#[test]
fn a_busy_market_is_proved_from_the_topic_and_from_the_archive() {
    let windows = format!("{MINUTES}{SLIDING}");
    for (partitions, workers, archive) in [(1, 1, false), (3, 4, false), (3, 2, true)] {
        let keys = format!(
            "epoch = {{ max-records = 97 }}\nlimits = {{ batch-records = 16 }}\nparse-workers = {workers}\narchive = \
             {archive}"
        );
        let pipeline = pipeline(&keys, &windows);
        let world = World::new(partitions);
        for part in [0..90, 90..200, 200..330] {
            busy_market(&world, partitions as i32, part);
            world.run(&pipeline).outcome.unwrap();
        }
        world.run_as(&pipeline, RunMode { available_now: true, close_all: true }).outcome.unwrap();
        for folder in ["speed/candles_1m", "speed/candles_slide", "speed/candles_session", "dead-letter"] {
            assert!(!world.rows(folder).is_empty(), "{folder}");
        }
        assert!(!world.rows("late").is_empty());
        assert!(log(&world).iter().any(|record| record.epoch.closed_all && !record.epoch.outbox.is_empty()));
        if archive {
            for partition in 0..partitions as i32 {
                world.log.truncate(&TopicPartition::new("trades", partition), 10_000);
            }
        }
        let report = proved(&world, &pipeline);
        assert_eq!(report.epochs, epochs_of(&world));
        let taken = log(&world).last().unwrap().state.ledger.clone();
        assert_eq!(report.records, taken.partitions.values().map(|counts| counts.records).sum::<u64>());
        assert_eq!(report.from_archive > 0, archive);
        let outbox: Vec<_> = log(&world).into_iter().flat_map(|record| record.epoch.outbox).collect();
        assert_eq!(report.files, outbox.len() as u64);
        assert_eq!(report.rows, outbox.iter().map(|outgoing| outgoing.rows).sum::<u64>());
    }
}

#[test]
fn records_that_were_set_aside_are_left_out_as_the_log_says() {
    let mut world = World::new(1);
    (world.parse, world.window) = ("test/hostile-parse", "test/hostile-window");
    for at in 0..180 {
        world.append(
            0,
            match at {
                3 => "trap".to_owned(),
                50 => "loop".to_owned(),
                77 => plain(666, at),
                _ => plain(at, at),
            },
        );
    }
    let pipeline = pipeline(
        "limits = { batch-records = 16, deadline = \"200ms\" }\nepoch = { max-records = 60 }",
        COUNTS,
    );
    world.run(&pipeline).outcome.unwrap();
    assert_eq!(world.rows("dead-letter/candles").len(), 3);
    assert_eq!(proved(&world, &pipeline).set_aside, 3);
}

#[test]
fn swaps_are_proved_with_the_functions_on_both_sides() {
    for role in [Role::Parse, Role::Window] {
        for (mode, probation) in [(Mode::Publish, 3), (Mode::Hold, 3), (Mode::Hold, 100)] {
            let world = World::new(1);
            market(&world, 0..400);
            let pipeline = epochs(MINUTES);
            run_with_swap(&world, &pipeline, role, b'1', mode, probation);
            let report = proved(&world, &pipeline);
            let name = if role == Role::Parse { "parse" } else { "window" };
            assert_eq!(report.functions[name].len(), 2, "{report:#?}");
            assert_eq!(report.swaps, u64::from(role == Role::Window));
            assert_eq!(report.held > 0, probation == 100, "what waits is said to wait");
            assert_eq!(report.epochs, epochs_of(&world));
        }
    }
}

#[test]
fn void_commits_of_a_rollback_are_proved_and_called_void() {
    for (role, variant) in [(Role::Window, b'4'), (Role::Parse, b'4')] {
        let world = World::guests();
        market(&world, 0..400);
        let pipeline = epochs(COUNTS);
        run_with_swap(&world, &pipeline, role, variant, Mode::Hold, 5);
        let report = proved(&world, &pipeline);
        assert_eq!(report.void.len(), 1, "{report:#?}");
    }
}

#[test]
fn after_a_rollback_only_rows_that_differ_are_expected() {
    for variant in [b'1', b'2'] {
        let world = World::guests();
        let pipeline = epochs(COUNTS);
        market(&world, 0..200);
        run_with_swap(&world, &pipeline, Role::Window, variant, Mode::Publish, 100);
        market(&world, 200..400);
        let wiring = world.wire(&pipeline, DRAIN);
        let (reply, _outcome) = bounded(1);
        wiring.swap.requests.ask_rollback(Rollback { why: "a change of mind".to_owned(), reply });
        world.run_wired(wiring).outcome.unwrap();
        let report = proved(&world, &pipeline);
        assert_eq!(report.void.len(), 1);
        assert_eq!(report.epochs, epochs_of(&world));
    }
}

/// A world with a few minutes committed, and its first file of candles.
fn committed() -> (World, Pipeline, String) {
    let world = World::new(1);
    let pipeline = epochs(MINUTES);
    market(&world, 0..400);
    world.run(&pipeline).outcome.unwrap();
    let file = world.store.list("speed/candles_1m").unwrap()[0].0.clone();
    (world, pipeline, file)
}

/// Exactly one thing is wrong; what it is.
fn only_fault(world: &World, pipeline: &Pipeline) -> (u64, Part, String, String) {
    let report = prove(world, pipeline, Ask::All);
    assert_eq!((report.verdict(), report.exit_code()), (Verdict::Wrong, 65), "{report:#?}");
    let [wrong] = &report.wrong[..] else { panic!("{:#?}", report.wrong) };
    (wrong.commit, wrong.part, wrong.object.clone(), wrong.why.clone())
}

fn commit_of(world: &World, file: &str) -> u64 {
    let gave = |record: &&Record| record.epoch.outbox.iter().any(|outgoing| outgoing.name == file);
    log(world).iter().find(gave).unwrap().seq
}

/// A file's rows, and what its footer says about them.
fn read(bytes: bytes::Bytes) -> (RecordBatch, BTreeMap<String, String>) {
    let mut file = tallow_sink::LakeFile::open("", bytes).unwrap();
    let rows = file.rows().unwrap();
    let ours = file.footer().iter().filter(|(key, _)| key.starts_with("tallow."));
    (rows, ours.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The file with one close changed, its footer as it was.
fn forged(world: &World, file: &str) -> Vec<u8> {
    let bytes = world.store.get(file).unwrap().unwrap();
    let (rows, claims) = read(bytes);
    let index = rows.schema().index_of("close").unwrap();
    let mut columns = rows.columns().to_vec();
    columns[index] = Arc::new(Float64Array::from(vec![1.0; rows.num_rows()]));
    let rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
    let footer = claims.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    let properties = WriterProperties::builder().set_key_value_metadata(Some(footer)).build();
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    out
}

#[test]
fn a_forged_candle_is_caught_by_the_bytes_and_by_the_rows() {
    let (world, pipeline, file) = committed();
    proved(&world, &pipeline);
    world.store.put_overwrite(&file, forged(&world, &file)).unwrap();
    let report = prove(&world, &pipeline, Ask::One(commit_of(&world, &file)));
    assert_eq!(report.verdict(), Verdict::Wrong);
    assert!(report.wrong.iter().all(|wrong| wrong.object == file && wrong.part == Part::Files));
    let whys: Vec<&str> = report.wrong.iter().map(|wrong| wrong.why.as_str()).collect();
    assert!(whys[0].starts_with("it was changed: its sha256 is "), "{whys:?}");
    assert!(whys[1].contains("rows are not those that were committed"), "{whys:?}");
    assert_eq!(report.epochs, 1, "what was committed is still what the functions make of the records");
}

#[test]
fn a_file_that_is_missing_and_one_that_is_too_many_are_named() {
    let (world, pipeline, file) = committed();
    let bytes = world.store.get(&file).unwrap().unwrap();
    world.store.delete(&file).unwrap();
    let (commit, part, object, why) = only_fault(&world, &pipeline);
    assert_eq!((commit, part, object.as_str()), (commit_of(&world, &file), Part::Files, file.as_str()));
    assert_eq!(why, "it is missing");

    world.store.put_overwrite(&file, bytes.clone()).unwrap();
    let other_day = file.replace("date=2024-08-09", "date=2024-08-10");
    assert_ne!(other_day, file);
    world.store.put_overwrite(&other_day, bytes.clone()).unwrap();
    let (commit, _, object, why) = only_fault(&world, &pipeline);
    assert_eq!((commit, object), (commit_of(&world, &file), other_day.clone()));
    assert!(why.contains("no such commit gave it"), "{why}");

    world.store.delete(&other_day).unwrap();
    let newest = log(&world).last().unwrap().seq;
    let later = file.replace(&format!("{:020}", commit_of(&world, &file)), &format!("{:020}", newest + 5));
    world.store.put_overwrite(&later, bytes).unwrap();
    let (commit, _, object, _) = only_fault(&world, &pipeline);
    assert_eq!((commit, object), (newest + 5, later));
}

fn record_path(seq: u64) -> String {
    Folder::new("candles", 0).unwrap().record(seq)
}

/// Writes a record again, its checksum right.
fn rewrite(world: &World, seq: u64, change: impl FnOnce(&mut Record)) {
    let bytes = world.store.get(&record_path(seq)).unwrap().unwrap();
    let mut record = <Record>::decode(&bytes).unwrap();
    change(&mut record);
    world.store.put_overwrite(&record_path(seq), record.encode().unwrap()).unwrap();
}

#[test]
fn a_changed_log_record_is_caught() {
    let (world, pipeline, file) = committed();
    let (seq, newest) = (commit_of(&world, &file), log(&world).last().unwrap().seq);
    let whole = world.store.get(&record_path(seq)).unwrap().unwrap();
    let mut bytes = whole.to_vec();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    world.store.put_overwrite(&record_path(seq), bytes).unwrap();
    let report = prove(&world, &pipeline, Ask::All);
    assert_eq!(report.wrong.len(), 2, "the record, and its file that no record gave: {:#?}", report.wrong);
    assert_eq!((report.wrong[0].commit, report.wrong[0].part), (seq, Part::Log));
    assert!(report.wrong[0].why.starts_with("its checksum is"), "{}", report.wrong[0].why);
    assert_eq!(report.unprovable[0].commits, SeqRange { from: seq + 1, through: seq + 1 });
    world.store.put_overwrite(&record_path(seq), whole.clone()).unwrap();
    proved(&world, &pipeline);

    rewrite(&world, seq, |record| record.at_us += 1);
    let (commit, part, object, why) = only_fault(&world, &pipeline);
    assert_eq!((commit, part, object), (seq, Part::Log, record_path(seq)));
    assert_eq!(why, format!("it is not the record that record {} was written after", seq + 1));
    world.store.put_overwrite(&record_path(seq), whole).unwrap();

    // No record vouches for the newest: it is held to what is computed again.
    let newest_whole = world.store.get(&record_path(newest)).unwrap().unwrap();
    type Change = Box<dyn FnOnce(&mut Record)>;
    let forgeries: [(Change, Part); 5] = [
        (Box::new(|record| record.state.parts[0].length -= 1), Part::State),
        (
            Box::new(|record| record.state.watermark_us = record.state.watermark_us.map(|us| us + 1)),
            Part::Log,
        ),
        (Box::new(|record| record.state.partitions[0].next += 1), Part::Log),
        (
            Box::new(|record| {
                record.state.partitions[0].max_event_time_us =
                    record.state.partitions[0].max_event_time_us.map(|us| us + 1)
            }),
            Part::State,
        ),
        (
            Box::new(|record| {
                for ledger in [&mut record.epoch.ledger, &mut record.state.ledger] {
                    let counts = ledger.partition(&TopicPartition::new("trades", 0));
                    (counts.with_rows, counts.rejected) = (counts.with_rows - 1, counts.rejected + 1);
                }
            }),
            Part::Books,
        ),
    ];
    for (index, (change, part)) in forgeries.into_iter().enumerate() {
        rewrite(&world, newest, change);
        let report = prove(&world, &pipeline, Ask::All);
        assert!(report.wrong.iter().any(|wrong| wrong.part == part), "{index}: {:#?}", report.wrong);
        assert!(report.wrong.iter().all(|wrong| wrong.commit == newest), "{index}: {:#?}", report.wrong);
        world.store.put_overwrite(&record_path(newest), newest_whole.clone()).unwrap();
    }
    proved(&world, &pipeline);
}

#[test]
fn a_commit_forged_whole_is_caught_by_computing_it_again() {
    let world = World::new(1);
    let pipeline = epochs(MINUTES);
    // The run ends with the commit of minute 0: nothing follows it.
    market(&world, 0..63);
    world.run(&pipeline).outcome.unwrap();
    let newest = log(&world).last().unwrap().clone();
    let [outgoing] = &newest.epoch.outbox[..] else { panic!("{:?}", newest.epoch.outbox) };
    let rows = tallow_sink::rows_digest(&read(forged(&world, &outgoing.name).into()).0);
    let rows = rows.unwrap();
    // The footer names the digest of the forged rows, too.
    let forged = {
        let bytes = forged(&world, &outgoing.name);
        let (table, mut claims) = read(bytes.into());
        claims.insert("tallow.rows_digest".to_owned(), rows.to_string());
        let footer = claims.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        let properties = WriterProperties::builder().set_key_value_metadata(Some(footer)).build();
        let mut out = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut out, table.schema(), Some(properties)).unwrap();
        writer.write(&table).unwrap();
        writer.close().unwrap();
        out
    };
    let digest = tallow_store::Digest::of(&forged);
    let name: tallow_log::name::BlobName = outgoing
        .blob
        .name
        .to_string()
        .replace(&outgoing.digest.to_string(), &digest.to_string())
        .parse()
        .unwrap();
    let folder = Folder::new("candles", 0).unwrap();
    world.store.put_overwrite(&folder.blob(&name), forged.clone()).unwrap();
    world.store.put_overwrite(&outgoing.name, forged.clone()).unwrap();
    rewrite(&world, newest.seq, |record| {
        let outgoing = &mut record.epoch.outbox[0];
        (outgoing.digest, outgoing.rows_digest) = (digest, rows);
        (outgoing.blob.name, outgoing.blob.length) = (name.clone(), forged.len() as u64);
    });
    let (commit, part, object, why) = only_fault(&world, &pipeline);
    assert_eq!((commit, part, object), (newest.seq, Part::Rows, outgoing.name.clone()));
    assert!(why.starts_with("its rows are not what the functions make of the records"), "{why}");
}

#[test]
fn a_blob_or_component_that_belies_its_name_is_named() {
    let (world, pipeline, file) = committed();
    let folder = Folder::new("candles", 0).unwrap();
    let record = log(&world).into_iter().find(|record| record.seq == commit_of(&world, &file)).unwrap();
    let blob = folder.blob(&record.epoch.outbox[0].blob.name);
    let whole = world.store.get(&blob).unwrap().unwrap();
    world.store.put_overwrite(&blob, &b"other bytes"[..]).unwrap();
    let (commit, _, object, why) = only_fault(&world, &pipeline);
    assert_eq!((commit, object), (record.seq, blob.clone()));
    assert!(why.contains("not the one in its name"), "{why}");
    world.store.put_overwrite(&blob, whole).unwrap();

    let state = folder.blob(&record.state.parts[0].blob.name);
    let whole = world.store.get(&state).unwrap().unwrap();
    let mut bytes = whole.to_vec();
    bytes[0] ^= 1;
    world.store.put_overwrite(&state, bytes).unwrap();
    let report = prove(&world, &pipeline, Ask::All);
    assert!(report.wrong.iter().all(|wrong| wrong.object == state), "{:#?}", report.wrong);
    assert!(!report.wrong.is_empty());
    world.store.put_overwrite(&state, whole).unwrap();

    let digest = record.state.functions.iter().find(|it| it.role == Role::Window).unwrap().digest;
    let path = format!("_tallow/functions/{digest}.wasm");
    let verifier = world.verifier(&pipeline);
    world.store.put_overwrite(&path, &b"\0asm"[..]).unwrap();
    let report = verify(&verifier, Ask::All, &mut |_| {}).unwrap();
    assert_eq!(report.verdict(), Verdict::Wrong);
    assert!(report.wrong[0].why.contains("other bytes under this digest"), "{:?}", report.wrong[0]);
    world.store.delete(&path).unwrap();
    let report = verify(&verifier, Ask::All, &mut |_| {}).unwrap();
    assert_eq!((report.verdict(), report.exit_code()), (Verdict::NotAllProved, 66), "{report:#?}");
    assert!(report.unprovable[0].why.contains("is not in the lake any more"), "{:?}", report.unprovable[0]);
}

#[test]
fn after_retention_lost_offsets_are_named() {
    let (world, pipeline, _) = committed();
    let whole = proved(&world, &pipeline);
    world.log.truncate(&TopicPartition::new("trades", 0), 100);
    let report = prove(&world, &pipeline, Ask::All);
    assert_eq!((report.verdict(), report.exit_code()), (Verdict::Proved, 0), "{report:#?}");
    assert_eq!((report.beyond.len(), report.epochs), (1, whole.epochs - 4), "{report:#?}");
    let report = prove(&world, &pipeline, Ask::Between { from: Some(1), to: None });
    assert_eq!((report.verdict(), report.exit_code()), (Verdict::NotAllProved, 66), "{report:#?}");
    let [gone] = &report.unprovable[..] else { panic!("{:#?}", report.unprovable) };
    let offsets = gone.offsets.clone().unwrap();
    assert_eq!((offsets.topic.as_str(), offsets.partition, offsets.from, offsets.to), ("trades", 0, 0, 100));
    assert!(
        gone.why.contains("the topic holds offsets from 100 on, and there is no archive"),
        "{}",
        gone.why
    );
    // Epochs of 30 records: four of them took an offset below 100.
    assert_eq!(report.epochs, whole.epochs - 4);
    assert_eq!(report.files, whole.files, "files are held against the log all the same");

    world.log.create_topic("trades", 1);
    let report = prove(&world, &pipeline, Ask::All);
    assert_eq!(report.verdict(), Verdict::NotAllProved);
    assert!(report.unprovable[0].why.contains("deleted and made again"), "{:#?}", report.unprovable);
    assert_eq!(report.unprovable[0].offsets.as_ref().unwrap().to, 400);
}

#[test]
fn without_a_broker_files_are_proved_and_the_rest_is_not_gone() {
    let (world, pipeline, _) = committed();
    let whole = proved(&world, &pipeline);
    world.log.set_unreachable(Some("the network is down"));
    let report = prove(&world, &pipeline, Ask::All);
    assert_eq!((report.verdict(), report.exit_code()), (Verdict::Unreachable, 69), "{report:#?}");
    assert!(report.unreachable.as_ref().unwrap().contains("the network is down"));
    assert_eq!((report.unread, report.unprovable.len()), (whole.epochs - report.epochs, 0));
    assert_eq!(report.files, whole.files);
}

#[test]
fn a_proof_says_where_the_kept_log_ends() {
    let world = World::new(1);
    let keys =
        "epoch = { max-records = 4 }\nlimits = { batch-records = 4 }\nverify-retention = 20\narchive = true";
    let pipeline = pipeline(keys, MINUTES);
    market(&world, 0..500);
    world.run(&pipeline).outcome.unwrap();
    let records = log(&world);
    let (oldest, newest) = (records[0].seq, records.last().unwrap().seq);
    // The last clean-up was at commit 100, and left twenty that can be proved and the record before them.
    assert_eq!((oldest, newest), (80, 127));
    let report = prove(&world, &pipeline, Ask::All);
    assert_eq!((report.verdict(), report.exit_code()), (Verdict::Proved, 0), "{report:#?}");
    assert_eq!(report.commits, Some(SeqRange { from: 81, through: 127 }));
    assert_eq!((report.epochs, report.from_archive), (47, 47));
    let report = prove(&world, &pipeline, Ask::One(80));
    let [first] = &report.unprovable[..] else { panic!("{:#?}", report.unprovable) };
    assert_eq!((first.commits, first.part), (SeqRange { from: 80, through: 80 }, Part::Rows));

    let report = prove(&world, &pipeline, Ask::Between { from: Some(10), to: Some(90) });
    assert_eq!(report.unprovable[0].commits, SeqRange { from: 10, through: 79 });
    assert_eq!(report.unprovable[0].part, Part::Log);
    assert_eq!(report.epochs, 10);
    assert_eq!(prove(&world, &pipeline, Ask::Last(10)).verdict(), Verdict::Proved);
    assert_eq!(prove(&world, &pipeline, Ask::Last(20)).verdict(), Verdict::Proved);
    let asked = verify(&world.verifier(&pipeline), Ask::One(500), &mut |_| {}).unwrap_err();
    assert!(asked.to_string().contains("there is no commit 500: the newest is 127"), "{asked}");
}

#[test]
fn under_another_manifest_what_differs_is_not_called_wrong() {
    let (world, _, _) = committed();
    let same = pipeline("delay = \"3s\"\nepoch = { max-records = 30 }", MINUTES);
    assert_eq!(proved(&world, &same).epochs, epochs_of(&world), "what it changes was recorded");
    let decimals = pipeline("parse-settings = { unknown = \"setting\" }", MINUTES);
    let report = prove(&world, &decimals, Ask::All);
    assert_eq!(report.verdict(), Verdict::NotAllProved, "{report:#?}");
    assert!(
        report.unprovable[0].why.contains("the manifest was another one then"),
        "{:#?}",
        report.unprovable
    );
    let other = pipeline("", &MINUTES.replace("tumbling = \"1m\"", "tumbling = \"5m\""));
    let report = prove(&world, &other, Ask::All);
    assert_eq!(
        report.verdict(),
        Verdict::Proved,
        "each commit is computed under the windows that it had: {report:#?}"
    );
    assert_eq!(report.files, proved(&world, &same).files);
}

#[test]
fn a_proof_reads_and_changes_nothing() {
    let (world, pipeline, _) = committed();
    let before = world.store.list("").unwrap();
    proved(&world, &pipeline);
    assert_eq!(world.store.list("").unwrap(), before);
}
