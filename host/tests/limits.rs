//! State that is larger than a limit stops the pipeline and says what it takes; a record that asks for too much is set
//! aside, and state as large as the defaults allow comes through a close, a snapshot and a restart.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{COUNTS, MINUTES, SECOND_US, World, pipeline, plain, trade};
use tallow_log::status::last_records;
use tallow_pipeline::PipelineError;
use tallow_record::TopicPartition;
use tallow_worker::WorkerError;

/// One trade each of so many symbols, in the same minute.
fn market_of(world: &World, symbols: i64) {
    for symbol in 0..symbols {
        world.append(0, trade(&format!("S{symbol:06}USDT"), symbol, SECOND_US, "100", "2"));
    }
}

/// A trade much later closes all windows.
fn later(world: &World) {
    world.append(0, trade("ZUSDT", 1, 1_800 * SECOND_US, "1", "1"));
}

fn of_state(error: PipelineError) -> String {
    assert!(matches!(error, PipelineError::Worker(WorkerError::State(_))), "{error}");
    error.to_string()
}

#[test]
fn state_beyond_its_memory_stops_and_says_what_it_takes() {
    const SYMBOLS: i64 = 32_868;
    let world = World::new(1);
    market_of(&world, SYMBOLS);
    let days = MINUTES.replace("\"1m\"", "\"1d\"");
    let with = |limits: &str| pipeline(limits, &format!("{MINUTES}{days}"));
    let error = of_state(world.run(&with("limits = { memory = \"64MiB\" }")).outcome.unwrap_err());
    for part in ["limits.memory", "keys of `1m`", "keys of `1d`", "for a million", "No record is to blame"] {
        assert!(error.contains(part), "no `{part}` in: {error}");
    }
    assert!(world.rows("dead-letter").is_empty(), "nothing is set aside");
    let last = last_records(&world.store, "candles", 0, 1).unwrap();
    assert!(last[0].state.partitions.iter().all(|it| it.next == 0), "nothing is committed");

    later(&world);
    let advised = error.split("Set `limits.memory` to \"").nth(1).and_then(|rest| rest.split('"').next());
    let mut memory = advised.unwrap().to_owned();
    // What was read until then tells no more than that: a second step may be needed.
    if let Err(error) = world.run(&with(&format!("limits = {{ memory = \"{memory}\" }}"))).outcome {
        let error = of_state(error);
        let advised = error.split("Set `limits.memory` to \"").nth(1).and_then(|rest| rest.split('"').next());
        memory = advised.unwrap().to_owned();
        world.run(&with(&format!("limits = {{ memory = \"{memory}\" }}"))).outcome.unwrap();
    }
    assert_eq!(world.rows("speed/candles_1m").len() as i64, SYMBOLS, "with {memory}");
}

#[test]
fn many_keys_close_are_saved_and_restored_by_the_defaults() {
    const SYMBOLS: i64 = 220_000;
    let world = World::new(1);
    market_of(&world, SYMBOLS);
    world.run(&pipeline("", MINUTES)).outcome.unwrap();
    assert!(world.rows("speed").is_empty(), "all are open");
    later(&world);
    world.run(&pipeline("", MINUTES)).outcome.unwrap();
    let rows = world.rows("speed/candles_1m");
    assert_eq!(rows.len() as i64, SYMBOLS);
    let symbols: Vec<&str> = rows.iter().map(|row| row["symbol"].as_str()).collect();
    assert!(symbols.is_sorted_by(|one, next| one < next), "by symbol, each once");
    assert!(rows.iter().all(|row| row["volume"] == "2" && row["trades"] == "1"));
}

#[test]
fn one_record_that_asks_for_too_much_is_set_aside() {
    // A deadline that a busy machine does not miss for other reasons.
    let cases = [(668, "trap", "wanted more than", "20s"), (667, "deadline", "missed its deadline", "200ms")];
    for (id, kind, reason, deadline) in cases {
        let world = World::guests();
        (0..180).for_each(|at| world.append(0, plain(if at == 77 { id } else { at }, at)));
        let limits =
            format!("limits = {{ batch-records = 64, deadline = \"{deadline}\", memory = \"32MiB\" }}");
        world.run(&pipeline(&limits, COUNTS)).outcome.unwrap();
        let dead = world.rows("dead-letter/candles");
        let places: Vec<_> = dead.iter().map(|it| (&it["offset"][..], &it["reason_kind"][..])).collect();
        assert_eq!(places, [("77", kind)]);
        assert!(dead[0]["reason"].contains(reason), "{}", dead[0]["reason"]);
        let ledger = last_records(&world.store, "candles", 0, 1).unwrap()[0].state.ledger.clone();
        let counts = &ledger.partitions[&TopicPartition::new("trades", 0)];
        assert_eq!((counts.with_rows, &counts.set_aside), (179, &BTreeMap::from([(kind.to_owned(), 1)])));
        let windows = &ledger.windows["1m"];
        assert_eq!((windows.closed, windows.open), (119, 60));
    }
}

#[test]
fn several_records_that_do_wrong_in_one_batch_are_all_found() {
    let world = World::guests();
    let bad = BTreeMap::from([(3, 666), (4, 667), (40, 668), (63, 666)]);
    (0..130).for_each(|at| world.append(0, plain(bad.get(&at).copied().unwrap_or(at), at)));
    let limits = "limits = { batch-records = 64, deadline = \"1s\", memory = \"32MiB\" }";
    world.run(&pipeline(limits, COUNTS)).outcome.unwrap();
    let dead = world.rows("dead-letter/candles");
    let mut places: Vec<_> = dead.iter().map(|it| (&it["offset"][..], &it["reason_kind"][..])).collect();
    places.sort_unstable();
    assert_eq!(places, [("3", "trap"), ("4", "deadline"), ("40", "trap"), ("63", "trap")]);
}

#[test]
fn a_limit_met_by_a_close_or_a_snapshot_is_named() {
    for (misdeed, call, limit, deadline) in [
        ("loop-in-advance", "advance", "limits.deadline", "100ms"),
        ("hog-in-advance", "advance", "limits.memory", "20s"),
        ("hog-in-snapshot", "snapshot", "limits.memory", "20s"),
        ("loop-in-stats", "stats", "limits.deadline", "100ms"),
    ] {
        let world = World::guests();
        (0..130).for_each(|at| world.append(0, plain(at, at)));
        let limits = format!("limits = {{ deadline = \"{deadline}\", memory = \"16MiB\" }}");
        let error =
            world.run(&pipeline(&limits, &COUNTS.replace("\"1m\"\nkinds", &format!("\"{misdeed}\"\nkinds"))));
        let error = of_state(error.outcome.unwrap_err());
        assert!(error.contains(&format!(", {call}: it ")) && error.contains(limit), "{misdeed}: {error}");
        assert!(world.rows("speed").is_empty() && world.rows("dead-letter").is_empty(), "{misdeed}");
    }
}

#[test]
fn an_epoch_of_many_dead_letters_ends_early() {
    const POISON: usize = 1_000;
    let world = World::new(1);
    (0..POISON).for_each(|at| world.append(0, format!("{{\"not\": \"closed\", \"at\": {at}")));
    world.append(0, trade("BTCUSDT", 1, SECOND_US, "1", "1"));
    let limits = "limits = { queue = \"16KiB\", batch-bytes = \"2KiB\", batch-records = 10 }";
    world.run(&pipeline(limits, MINUTES)).outcome.unwrap();
    let dead = world.rows("dead-letter/candles");
    let offsets: BTreeSet<&str> = dead.iter().map(|it| it["offset"].as_str()).collect();
    assert_eq!((dead.len(), offsets.len()), (POISON, POISON), "each once");
    let records = last_records(&world.store, "candles", 0, 1_000).unwrap();
    // A letter takes 200 bytes at least.
    assert!(records.len() > POISON * 200 / (16 << 10), "{} epochs", records.len());
    assert_eq!(records[0].state.partitions[0].next, POISON as i64 + 1);
}
