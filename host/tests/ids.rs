//! Ids in a whole pipeline: what comes twice is counted once, wherever epochs end and however often it is restarted,
//! and where there is no room for ids any more it is said.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::{Row, SECOND_US, World, market, pipeline, trade};
use tallow_log::status::last_records;
use tallow_pipeline::PipelineError;
use tallow_sink::ReasonKind;

/// Candles of days, with whatever else a window says.
fn days(keys: &str) -> String {
    format!(
        r#"
[[trigger.kafka.windows]]
name = "1m"
kinds = ["trade"]
tumbling = "1d"
keys = ["symbol"]
ids = "id"
{keys}
[trigger.kafka.windows.aggregates]
volume = "sum(quantity)"
trades = "count()"
"#
    )
}

/// Milliseconds between two ids.
const PACE_US: i64 = 1_000;

fn at(id: i64) -> String {
    trade("BTCUSDT", id, id * PACE_US, "100", "2")
}

/// The even ids below 40,000 in one partition; the odd ones, each twice, in the other.
fn halves() -> [Vec<String>; 2] {
    let even = (0..20_000).map(|index| at(2 * index));
    let odd = (0..19_999).flat_map(|index| [at(2 * index + 1), at(2 * index + 1)]);
    [even.collect(), odd.collect()]
}

fn rows(world: &World) -> BTreeSet<Row> {
    let rows = world.rows("speed/candles_1m");
    let set: BTreeSet<Row> = rows.iter().cloned().collect();
    assert_eq!(set.len(), rows.len(), "every candle once");
    set
}

/// A generator of numbers below `below`.
fn random(seed: &mut u64, below: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % below
}

#[test]
fn halves_of_a_symbols_ids_in_two_partitions_count_once() {
    for seed in 0..5u64 {
        let world = World::new(2);
        let random = |below, state: &mut u64| random(state, below);
        let mut state = seed;
        let mut left =
            halves().map(|messages| messages.into_iter().collect::<std::collections::VecDeque<_>>());
        // Straight in one go; otherwise the second partition lags, and every run is a restart with epochs of its own.
        while left.iter().any(|messages| !messages.is_empty()) {
            for (partition, messages) in left.iter_mut().enumerate() {
                let lagging = seed > 0 && partition == 1 && random(3, &mut state) > 0;
                let most = if seed == 0 { usize::MAX } else { random(12_000, &mut state) };
                let count = if lagging { 0 } else { most.min(messages.len()) };
                messages.drain(..count).for_each(|message| world.append(partition as i32, message));
            }
            let records = if seed == 0 { 1_000_000 } else { 500 + random(9_000, &mut state) };
            let keys = format!(
                "delay = \"10s\"\nmax-future = \"2d\"\nidle-after = \"1000h\"\nepoch = {{ max-records = {records} }}"
            );
            world.run(&pipeline(&keys, &days("on-untracked = \"halt\""))).outcome.unwrap();
        }
        // Only now the next day begins: a partition that has been drained holds nothing open.
        world.append(0, trade("BTCUSDT", 50_000, 86_500 * SECOND_US, "100", "2"));
        let keys = "delay = \"10s\"\nmax-future = \"2d\"";
        world.run(&pipeline(keys, &days("on-untracked = \"halt\""))).outcome.unwrap();
        let rows = rows(&world);
        assert_eq!(rows.len(), 1, "seed {seed}");
        let day = rows.first().unwrap();
        let said = ["trades", "volume", "first_id", "last_id", "missing"].map(|column| day[column].as_str());
        assert_eq!(said, ["39999", "79998", "0", "39998", "0"], "seed {seed}");
        let newest = last_records(&world.store, "candles", 0, 1).unwrap().remove(0);
        let counts = &newest.state.ledger.windows["1m"];
        assert_eq!((counts.duplicate, counts.conflict, counts.untracked), (19_999, 0, 0), "seed {seed}");
    }
}

/// Trades whose ids are so far apart that each takes as much as a chunk does.
fn far_apart(world: &World, count: i64) {
    for index in 0..count {
        world.append(0, trade("BTCUSDT", index * 70_000, index * PACE_US, "100", "2"));
    }
}

const SMALL: &str =
    "delay = \"0s\"\nmax-future = \"2d\"\nlimits = { memory = \"24MiB\", batch-bytes = \"1MiB\" }";

#[test]
fn without_room_for_ids_rows_are_reported_as_untracked() {
    let world = World::new(1);
    let pipeline = pipeline(SMALL, &days(""));
    far_apart(&world, 100_000);
    world.run(&pipeline).outcome.unwrap();
    // The first comes again; then a new one beyond all, and the next day.
    world.append(0, trade("BTCUSDT", 0, 0, "100", "2"));
    world.append(0, trade("BTCUSDT", 7_000_000_001, 86_500 * SECOND_US, "100", "2"));
    let run = world.run(&pipeline);
    run.outcome.unwrap();
    let counts = run.counts.windows["1m"];
    assert_eq!((counts.untracked, counts.duplicates), (1, 0));
    let newest = last_records(&world.store, "candles", 0, 1).unwrap().remove(0);
    assert_eq!(newest.state.ledger.windows["1m"].untracked, 1);
    newest.state.ledger.check().unwrap();
    let day = rows(&world).pop_first().unwrap();
    let said = ["trades", "missing", "complete"].map(|column| day[column].as_str());
    assert_eq!(said, ["100001", "null", "null"]);
}

#[test]
fn where_it_is_asked_for_a_pipeline_halts_before_an_id_is_lost() {
    let world = World::new(1);
    far_apart(&world, 100_000);
    let halting = days("on-untracked = \"halt\"");
    let outcome = world.run(&pipeline(SMALL, &halting)).outcome;
    let error = outcome.unwrap_err();
    assert!(matches!(error, PipelineError::Ids { .. }), "{error}");
    let why = error.to_string();
    assert!(
        why.contains("window `1m`: the scattered ids of 1 keys take ") && why.contains("`limits.memory`"),
        "{why}"
    );
    // With more memory nothing was lost.
    world.append(0, trade("BTCUSDT", 0, 0, "100", "2"));
    let run = world.run(&pipeline("delay = \"0s\"", &halting));
    run.outcome.unwrap();
    let newest = last_records(&world.store, "candles", 0, 1).unwrap().remove(0);
    let counts = &newest.state.ledger.windows["1m"];
    assert_eq!((counts.duplicate, counts.open, counts.untracked), (1, 100_000, 0));
}

#[test]
fn a_conflict_is_one_dead_letter_that_names_its_windows() {
    let world = World::new(1);
    market(&world, 0..100);
    let other = trade("BTCUSDT", 50, 50 * SECOND_US, "999", "3");
    world.append(0, other.clone());
    let day = days("").replace("\"1m\"", "\"1d\"");
    let run = world.run(&pipeline("", &format!("{}{day}", common::MINUTES)));
    run.outcome.unwrap();
    let letters = world.rows("dead-letter/candles");
    assert_eq!((letters.len(), run.counts.dead_letters), (1, 1));
    let letter = &letters[0];
    assert_eq!((letter["window"].as_str(), letter["value"].as_str()), ("1m, 1d", other.as_str()));
    assert_eq!(letter["reason_kind"], ReasonKind::Conflict.as_str());
    let newest = last_records(&world.store, "candles", 0, 1).unwrap().remove(0);
    let conflicts = ["1m", "1d"].map(|window| newest.state.ledger.windows[window].conflict);
    assert_eq!(conflicts, [1, 1], "each window counts it");
}

#[test]
fn a_key_that_came_back_after_its_ids_were_dropped_says_so() {
    let minutes = common::MINUTES.replace("ids = \"id\"", "ids = \"id\"\nkeep-ids = \"1h\"");
    let hour = 3_600 * SECOND_US;
    for (back_us, complete) in [(hour / 2, "true"), (2 * hour, "false")] {
        for restarts in [false, true] {
            let world = World::new(1);
            // Another symbol moves the watermark.
            let other = |id: i64, at_us| world.append(0, trade("ETHUSDT", id, at_us, "1", "1"));
            let pipeline = pipeline("delay = \"0s\"\nmax-future = \"10h\"", &minutes);
            market(&world, 0..10);
            for step in 1..=5 {
                other(step, step * back_us / 5 - SECOND_US);
                if restarts {
                    world.run(&pipeline).outcome.unwrap();
                }
            }
            world.append(0, trade("BTCUSDT", 10, back_us, "100", "2"));
            other(6, back_us + 120 * SECOND_US);
            world.run(&pipeline).outcome.unwrap();
            let came_back = rows(&world).into_iter().find(|row| row["first_id"] == "10").unwrap();
            assert_eq!(came_back["complete"], complete, "{back_us}, {restarts}");
            assert_eq!(came_back["missing"], "0");
        }
    }
}
