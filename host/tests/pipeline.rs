//! The whole pipeline in memory: what is promised of it, with the built functions in their sandbox.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::{COUNTS, MINUTES, OPEN_US, Row, SECOND_US, World, pipeline, plain, trade};
use tallow_log::status::last_records;
use tallow_pipeline::PipelineError;
use tallow_record::TopicPartition;
use tallow_source::{OnDataLoss, Topics};
use tallow_test_support::source::{MemorySource, Raw};
use tallow_worker::WorkerError;
use tallow_worker::plan::Mode;

const MINUTE_US: i64 = 60 * SECOND_US;

/// Three minutes of a symbol, a trade a second, ids from 100 on.
fn three_minutes(symbol: &str) -> Vec<String> {
    (0..180)
        .map(|second| {
            let price = format!("{}.5", 100 + second % 7);
            trade(symbol, 100 + second, second * SECOND_US, &price, "2.0")
        })
        .collect()
}

fn by_start(rows: &[Row]) -> Vec<(i64, &Row)> {
    let start = |row: &Row| (row["window_start"].parse::<i64>().unwrap() - OPEN_US) / MINUTE_US;
    let mut rows: Vec<_> = rows.iter().map(|row| (start(row), row)).collect();
    rows.sort_by_key(|(start, _)| *start);
    rows
}

#[test]
fn trades_become_candles_once_the_watermark_passes() {
    let world = World::new(1);
    three_minutes("BTCUSDT").into_iter().for_each(|message| world.append(0, message));
    let run = world.run(&pipeline("", MINUTES));
    run.outcome.unwrap();

    let rows = world.rows("speed/candles_1m");
    let rows = by_start(&rows);
    let starts: Vec<i64> = rows.iter().map(|(start, _)| *start).collect();
    assert_eq!(starts, [0, 1], "the third minute is still open: 177 s is as far as the watermark came");
    let first = rows[0].1;
    for (column, value) in [
        ("symbol", "BTCUSDT"),
        ("open", "100.5"),
        ("high", "106.5"),
        ("low", "100.5"),
        ("close", "103.5"),
        ("volume", "120"),
        ("trades", "60"),
        ("first_id", "100"),
        ("last_id", "159"),
        ("revision", "0"),
    ] {
        assert_eq!(first[column], value, "{column}");
    }
    assert_eq!(run.counts.records, 180);
    assert_eq!(run.counts.candles, 2);
}

/// Candles without what names their file.
fn candles(world: &World) -> BTreeSet<Row> {
    let rows = world.rows("speed/candles_1m");
    let candles: BTreeSet<Row> = rows.iter().cloned().collect();
    assert_eq!(candles.len(), rows.len(), "every candle once");
    candles
}

fn symbols_in_two_partitions(world: &World) {
    for (partition, symbol) in [(0, "BTCUSDT"), (1, "ETHUSDT")] {
        three_minutes(symbol).into_iter().for_each(|message| world.append(partition, message));
    }
}

#[test]
fn the_number_of_parse_workers_changes_nothing() {
    let run = |workers: u32| {
        let world = World::new(2);
        symbols_in_two_partitions(&world);
        let keys = format!("parse-workers = {workers}\nlimits = {{ batch-records = 7 }}");
        world.run(&pipeline(&keys, MINUTES)).outcome.unwrap();
        candles(&world)
    };
    let alone = run(1);
    assert_eq!(alone.len(), 4);
    assert_eq!(run(4), alone);
}

#[test]
fn an_interrupted_run_gives_the_candles_of_a_whole_one() {
    let straight = World::new(2);
    symbols_in_two_partitions(&straight);
    straight.run(&pipeline("", MINUTES)).outcome.unwrap();

    let resumed = World::new(2);
    for at in 0..180 {
        for (partition, symbol) in [(0, "BTCUSDT"), (1, "ETHUSDT")] {
            resumed.append(partition, three_minutes(symbol)[at].clone());
        }
        if at % 31 == 0 {
            resumed.run(&pipeline("", MINUTES)).outcome.unwrap();
        }
    }
    resumed.run(&pipeline("", MINUTES)).outcome.unwrap();
    assert_eq!(candles(&resumed), candles(&straight));
}

#[test]
fn epochs_are_cut_exactly_at_max_records_and_tile_the_topic() {
    let world = World::new(1);
    three_minutes("BTCUSDT").into_iter().for_each(|message| world.append(0, message));
    world.run(&pipeline("epoch = { max-records = 50 }", MINUTES)).outcome.unwrap();
    let records = last_records(&world.store, "candles", 0, 100).unwrap();
    let mut chunks: Vec<(i64, i64)> =
        records.iter().flat_map(|record| &record.epoch.chunks).map(|chunk| (chunk.from, chunk.to)).collect();
    chunks.sort_unstable();
    assert_eq!(chunks, [(0, 50), (50, 100), (100, 150), (150, 180)]);
}

#[test]
fn broken_records_are_kept_and_the_rest_continues() {
    let world = World::new(1);
    for (at, message) in three_minutes("BTCUSDT").into_iter().enumerate() {
        if at == 30 {
            world.append(0, "{\"e\":\"trade\"");
            world.append(0, &b"\xff\xfe"[..]);
            world.append(
                0,
                r#"{"e":"depthUpdate","E":1723161600000,"s":"BTCUSDT","U":1,"u":2,"b":[],"a":[]}"#,
            );
        }
        world.append(0, message);
    }
    let run = world.run(&pipeline("", MINUTES));
    run.outcome.unwrap();
    assert_eq!(run.counts.dead_letters, 2);
    assert_eq!(run.counts.ignored, 1);
    let dead = world.rows("dead-letter/candles");
    let offsets: Vec<&str> = dead.iter().map(|row| row["offset"].as_str()).collect();
    assert_eq!(offsets, ["30", "31"]);
    assert_eq!(dead[0]["value"], "{\"e\":\"trade\"");
    assert_eq!(dead[0]["reason_kind"], "rejected");
    assert_eq!(candles(&world).len(), 2);
}

#[test]
fn fail_fast_stops_at_the_record_and_commits_nothing() {
    let world = World::new(1);
    world.append(0, "nonsense");
    let error = world.run(&pipeline("on-reject = \"fail\"", MINUTES)).outcome.unwrap_err();
    assert!(error.to_string().starts_with("trades/0/0: "), "{error}");
    assert_eq!(error.exit_code(), 65);
    assert!(world.rows("dead-letter").is_empty());
    let records = last_records(&world.store, "candles", 0, 9).unwrap();
    assert_eq!(records[0].state.partitions[0].next, 0, "{records:?}");
}

#[test]
fn late_rows_are_kept_with_the_watermark_that_made_them_late() {
    let world = World::new(1);
    for second in [10, 70, 130] {
        world.append(0, trade("BTCUSDT", second, second * SECOND_US, "1", "1"));
    }
    world.append(0, trade("BTCUSDT", 5, 5 * SECOND_US, "1", "1"));
    let run = world.run(&pipeline("epoch = { max-records = 3 }", MINUTES));
    run.outcome.unwrap();
    assert_eq!(run.counts.windows["1m"].late, 1);
    let late = world.rows("late/candles_1m");
    assert_eq!(late.len(), 1);
    assert_eq!(late[0]["offset"], "3");
    assert_eq!(late[0]["watermark"], (OPEN_US + 128 * SECOND_US).to_string());
}

#[test]
fn an_event_time_ahead_of_the_clock_is_set_aside() {
    let world = World::new(1);
    for (at, message) in three_minutes("BTCUSDT").into_iter().enumerate() {
        world.append(0, message);
        if at == 60 {
            world.append(0, trade("BTCUSDT", 9999, 7200 * SECOND_US, "1", "1"));
        }
    }
    let run = world.run(&pipeline("", MINUTES));
    run.outcome.unwrap();
    assert_eq!(candles(&world).len(), 2);
    let dead = world.rows("dead-letter/candles");
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0]["reason_kind"].as_str(), dead[0]["offset"].as_str()), ("future", "61"));
}

#[test]
fn many_rows_ahead_of_the_clock_pause_the_pipeline() {
    let world = World::new(1);
    // More than a minute ahead; every wait moves the clock on.
    for id in 0..20 {
        world.append(0, trade("BTCUSDT", id, (3_600 + 75) * SECOND_US, "1", "1"));
    }
    let run = world.run(&pipeline("", MINUTES));
    run.outcome.unwrap();
    assert!(world.rows("dead-letter").is_empty(), "nothing was set aside for good");
    let ledger = last_records(&world.store, "candles", 0, 1).unwrap()[0].state.ledger.clone();
    assert_eq!(ledger.partitions[&TopicPartition::new("trades", 0)].with_rows, 20);
}

#[test]
fn the_record_that_traps_parse_is_set_aside_alone() {
    let mut world = World::new(1);
    world.parse = "test/hostile-parse";
    for at in 0..180 {
        world.append(0, if at == 77 { "trap".to_owned() } else { plain(at, at) });
    }
    let run = world.run(&pipeline("", COUNTS));
    run.outcome.unwrap();
    let dead = world.rows("dead-letter/candles");
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0]["offset"].as_str(), dead[0]["reason_kind"].as_str()), ("77", "trap"));
    assert_eq!(dead[0]["value"], "trap");
    let trades: BTreeSet<String> = candles(&world).iter().map(|row| row["trades"].clone()).collect();
    assert_eq!(trades, BTreeSet::from(["59".to_owned(), "60".to_owned()]));
}

#[test]
fn only_the_record_that_traps_is_set_aside() {
    let mut world = World::new(1);
    (world.parse, world.window) = ("test/hostile-parse", "test/hostile-window");
    for at in 0..180 {
        world.append(0, plain(if at == 77 { 666 } else { at }, at));
    }
    let run = world.run(&pipeline("limits = { batch-records = 16 }", COUNTS));
    run.outcome.unwrap();
    let dead = world.rows("dead-letter/candles");
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!((dead[0]["offset"].as_str(), dead[0]["reason_kind"].as_str()), ("77", "trap"));
    let ledger = last_records(&world.store, "candles", 0, 1).unwrap()[0].state.ledger.clone();
    let counts = &ledger.partitions[&TopicPartition::new("trades", 0)];
    assert_eq!((counts.records, counts.with_rows, counts.set_aside["trap"]), (180, 179, 1));
}

#[test]
fn an_endless_loop_on_a_record_costs_a_deadline_and_that_record() {
    let mut world = World::new(1);
    world.parse = "test/hostile-parse";
    for at in 0..130 {
        world.append(0, if at == 3 { "loop".to_owned() } else { plain(at, at) });
    }
    world.run(&pipeline("limits = { deadline = \"200ms\" }", COUNTS)).outcome.unwrap();
    let dead = world.rows("dead-letter/candles");
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0]["offset"].as_str(), dead[0]["reason_kind"].as_str()), ("3", "deadline"));
}

#[test]
fn a_topic_of_nothing_but_poison_stops_with_the_budget_named() {
    let mut world = World::new(1);
    world.parse = "test/hostile-parse";
    (0..200).for_each(|_| world.append(0, "trap"));
    let error = world.run(&pipeline("limits = { bisect-calls = 40 }", COUNTS)).outcome.unwrap_err();
    assert!(matches!(error, PipelineError::Worker(WorkerError::BisectBudget { calls: 40, .. })), "{error}");
}

#[test]
fn a_changed_window_on_an_old_checkpoint_is_refused() {
    let world = World::new(1);
    three_minutes("BTCUSDT").into_iter().for_each(|message| world.append(0, message));
    world.run(&pipeline("", MINUTES)).outcome.unwrap();
    let other = MINUTES.replace("tumbling = \"1m\"", "tumbling = \"5m\"");
    let error = world.run(&pipeline("", &other)).outcome.unwrap_err().to_string();
    assert!(error.contains("window `1m`: `tumbling` was \"1m\" and is \"5m\""), "{error}");
    world.run(&pipeline("", MINUTES)).outcome.unwrap();
}

#[test]
fn an_owner_that_was_overtaken_is_fenced_and_publishes_nothing() {
    let world = World::new(1);
    three_minutes("BTCUSDT").into_iter().for_each(|message| world.append(0, message));
    let pipeline = pipeline("", MINUTES);
    let zombie = world.wire(&pipeline, Mode { available_now: true, close_all: false });
    let started = tallow_pipeline::start::start(&zombie, None).unwrap();
    world.run(&pipeline).outcome.unwrap();
    let before = candles(&world);
    let error = tallow_pipeline::run_once(&zombie, started).unwrap_err();
    assert_eq!(error.exit_code(), 78, "{error}");
    assert_eq!(candles(&world), before);
}

#[test]
fn a_lake_that_is_deleted_while_it_is_written_to_halts() {
    let world = World::new(1);
    three_minutes("BTCUSDT").into_iter().for_each(|message| world.append(0, message));
    let pipeline = pipeline("", MINUTES);
    let running = world.wire(&pipeline, Mode { available_now: true, close_all: false });
    let started = tallow_pipeline::start::start(&running, None).unwrap();
    for (path, _) in world.store.list("").unwrap() {
        world.store.delete(&path).unwrap();
    }
    let error = tallow_pipeline::run_once(&running, started).unwrap_err();
    assert!(error.to_string().contains("the lake was deleted or replaced"), "{error}");
    assert_eq!((error.exit_code(), error.is_transient()), (65, false));
    assert!(candles(&world).is_empty());
}

#[test]
fn windows_closed_early_come_again_as_the_next_revision() {
    let world = World::new(1);
    let messages = three_minutes("BTCUSDT");
    messages[..90].iter().for_each(|message| world.append(0, message.clone()));
    let close = Mode { available_now: true, close_all: true };
    world.run_as(&pipeline("", MINUTES), close).outcome.unwrap();
    world.run_as(&pipeline("", MINUTES), close).outcome.unwrap();
    messages[90..].iter().for_each(|message| world.append(0, message.clone()));
    world.run(&pipeline("", MINUTES)).outcome.unwrap();
    let rows = candles(&world);
    let mut revisions: Vec<(i64, &str, &str, &str)> = by_start(&world.rows("speed/candles_1m"))
        .iter()
        .map(|(start, row)| (*start, row["revision"].clone(), row["complete"].clone(), row["trades"].clone()))
        .map(|(start, revision, complete, trades)| {
            let find = rows.iter().find(|row| {
                row["revision"] == revision && row["complete"] == complete && row["trades"] == trades
            });
            let row = find.unwrap();
            (start, row["revision"].as_str(), row["complete"].as_str(), row["trades"].as_str())
        })
        .collect();
    revisions.sort_unstable();
    assert_eq!(revisions, [(0, "0", "false", "60"), (1, "0", "false", "30"), (1, "1", "true", "60")]);
}

#[test]
fn a_partition_found_while_running_is_read_from_its_start() {
    let world = World::new(1);
    three_minutes("BTCUSDT").into_iter().for_each(|message| world.append(0, message));
    let pipeline = pipeline("new-partitions-every = \"1ms\"\nepoch = { interval = \"1ms\" }", MINUTES);
    let wiring = world.wire(&pipeline, Mode::default());
    std::thread::scope(|scope| {
        let running = scope.spawn(|| tallow_pipeline::run(&wiring));
        let committed = |partition| wiring.progress.committed(&TopicPartition::new("trades", partition));
        wait_until(|| committed(0) == 180 || running.is_finished());
        world.log.add_partitions("trades", 1);
        three_minutes("ETHUSDT").into_iter().for_each(|message| world.append(1, message));
        wait_until(|| {
            world.clock.advance(std::time::Duration::from_millis(5));
            committed(1) == 180 || running.is_finished()
        });
        wiring.stop.store(true, Ordering::Relaxed);
        running.join().unwrap().unwrap();
    });
    let symbols: BTreeSet<String> = candles(&world).iter().map(|row| row["symbol"].clone()).collect();
    assert!(symbols.contains("BTCUSDT"), "{symbols:?}");
    assert_eq!(wiring.progress.committed(&TopicPartition::new("trades", 1)), 180);
}

#[test]
fn a_topic_found_while_running_is_committed_with_its_id() {
    let world = World::new(1);
    three_minutes("BTCUSDT").into_iter().for_each(|message| world.append(0, message));
    let pipeline = pipeline("new-partitions-every = \"1ms\"\nepoch = { interval = \"1ms\" }", MINUTES);
    let mut wiring = world.wire(&pipeline, Mode::default());
    let every = Topics::Pattern("^trades.*".to_owned());
    let source = MemorySource::new(world.log.clone(), &every, OnDataLoss::Halt, world.clock.clone()).unwrap();
    wiring.source = Arc::new(source);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| tallow_pipeline::run(&wiring));
        let committed = |topic| wiring.progress.committed(&TopicPartition::new(topic, 0));
        wait_until(|| committed("trades") == 180 || running.is_finished());
        world.log.create_topic("trades-of-eth", 1);
        let message = Raw::value(trade("ETHUSDT", 1, 0, "1", "1"));
        world.log.append(&TopicPartition::new("trades-of-eth", 0), message);
        wait_until(|| {
            world.clock.advance(std::time::Duration::from_millis(5));
            committed("trades-of-eth") == 1 || running.is_finished()
        });
        wiring.stop.store(true, Ordering::Relaxed);
        running.join().unwrap().unwrap();
    });
    let partitions = last_records(&world.store, "candles", 0, 1).unwrap()[0].state.partitions.clone();
    let ids: Vec<_> = partitions.iter().map(|it| (it.topic.as_str(), it.topic_id.is_some())).collect();
    assert_eq!(ids, [("trades", true), ("trades-of-eth", true)]);
}

/// Threads take their time; a test that waits for ever is stopped by whoever runs it.
fn wait_until(mut done: impl FnMut() -> bool) {
    while !done() {
        std::thread::yield_now();
    }
}

#[test]
fn a_restart_after_a_trap_has_all_that_was_taken() {
    let run = |trap: bool| {
        let mut world = World::new(1);
        (world.parse, world.window) = ("test/hostile-parse", "test/hostile-window");
        let two_epochs = pipeline("limits = { batch-records = 4 }\nepoch = { max-records = 20 }", COUNTS);
        // The run ends with the epoch of the trap: no later snapshot makes up for it.
        for at in 0..60 {
            world.append(0, plain(if trap && at == 47 { 666 } else { at }, at));
        }
        world.run(&two_epochs).outcome.unwrap();
        (60..130).for_each(|at| world.append(0, plain(at, at)));
        world.run(&two_epochs).outcome.unwrap();
        let ledger = last_records(&world.store, "candles", 0, 1).unwrap()[0].state.ledger.clone();
        let counts = &ledger.windows["1m"];
        (counts.closed, counts.open)
    };
    assert_eq!(run(false), (120, 10));
    assert_eq!(run(true), (119, 10));
}

#[test]
fn a_session_that_closed_does_not_come_back_after_a_restart() {
    let sessions = r#"
[[trigger.kafka.windows]]
name = "s"
kinds = ["trade"]
session = "10s"
keys = ["symbol"]
[trigger.kafka.windows.aggregates]
trades = "count()"
"#;
    let world = World::new(1);
    let pipeline = pipeline("", sessions);
    for (symbol, second) in [("BTCUSDT", 0), ("ETHUSDT", 60), ("SOLUSDT", 120), ("ADAUSDT", 180)] {
        world.append(0, trade(symbol, second, second * SECOND_US, "1", "1"));
        world.run(&pipeline).outcome.unwrap();
    }
    let rows = world.rows("speed/candles_s");
    let symbols: Vec<&str> = rows.iter().map(|row| row["symbol"].as_str()).collect();
    assert_eq!(symbols.iter().collect::<BTreeSet<_>>().len(), 3, "{symbols:?}");
    assert_eq!(symbols.len(), 3, "each once: {symbols:?}");
}

#[test]
fn a_pipeline_that_starts_at_latest_misses_nothing_later() {
    let world = World::new(1);
    world.append(0, trade("BTCUSDT", 1, 0, "1", "1"));
    let latest = pipeline("starting-offsets = \"latest\"", MINUTES);
    let wiring = world.wire(&latest, Mode { available_now: true, close_all: false });
    // It owns its log, and dies before its first epoch.
    drop(tallow_pipeline::start::start(&wiring, None).unwrap());
    world.append(0, trade("BTCUSDT", 2, SECOND_US, "1", "1"));
    let run = world.run(&latest);
    run.outcome.unwrap();
    assert_eq!(run.counts.records, 1);
}

#[test]
fn a_pipeline_starts_at_a_time_on_its_first_start_alone() {
    let world = World::new(2);
    for minute in 0..6 {
        let at = minute * MINUTE_US;
        let record = Raw { timestamp_us: at, ..Raw::value(trade("BTCUSDT", minute + 1, at, "1", "1")) };
        world.log.append(&TopicPartition::new("trades", (minute % 2) as i32), record);
    }
    // Of both partitions what bears 00:03 or later: minutes 4 of one, 3 and 5 of the other.
    let by_time = pipeline("starting-offsets = { time = \"1970-01-01T00:03:00Z\" }", MINUTES);
    let run = world.run(&by_time);
    run.outcome.unwrap();
    assert_eq!(run.counts.records, 3);
    world.append(0, trade("BTCUSDT", 7, MINUTE_US, "1", "1"));
    let run = world.run(&by_time);
    run.outcome.unwrap();
    assert_eq!(run.counts.records, 1, "it goes on from its checkpoint");
}
