//! The whole pipeline with results in a topic in memory, whose transactions break on demand: whatever happens, the topic
//! holds what the lake holds, each once.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{
    COUNTS, DRAIN, OPEN_US, SECOND_US, Wired, World, ask_swap, epochs, market, plain, run_with_swap,
};
use crossbeam_channel::bounded;
use tallow_env::{ManualClock, Random, SeededRandom};
use tallow_log::record::{Mode, Role};
use tallow_log::status::last_records;
use tallow_manifest::Pipeline;
use tallow_pipeline::PipelineError;
use tallow_pipeline::functions::contract;
use tallow_pipeline::hooks::{Outcome, Rollback};
use tallow_sink::SinkError;
use tallow_sink_kafka::Record;
use tallow_source::{OnDataLoss, Topics};
use tallow_test_support::faulty::{Fault, Faulty, FaultyStore, Op};
use tallow_test_support::source::MemorySource;
use tallow_test_support::transactions::Trouble;
use tallow_test_support::transactions::conformance::read_all;
use tallow_verify::range::Ask;
use tallow_verify::verify;

const TOPIC: &str = "candles-1m";

/// Counts by minute, into the lake and a topic.
fn pipeline() -> Pipeline {
    with_mode("append")
}

fn with_mode(mode: &str) -> Pipeline {
    epochs(&format!("{COUNTS}[trigger.kafka.windows.kafka]\ntopic = \"{TOPIC}\"\nmode = \"{mode}\"\n"))
}

fn world() -> World {
    let world = World::guests();
    world.log.create_topic(TOPIC, 1);
    world
}

/// With functions that tell what has changed.
fn real() -> World {
    let world = World::new(1);
    world.log.create_topic(TOPIC, 1);
    world
}

fn sent(world: &World) -> Vec<Record> {
    let topics = Topics::Names(vec![TOPIC.to_owned()]);
    let clock = Arc::new(ManualClock::at(0));
    read_all(&MemorySource::new(world.log.clone(), &topics, OnDataLoss::Halt, clock).unwrap())
}

/// Start, revision and count of each candle of the topic, sorted.
fn in_topic(world: &World) -> Vec<(String, String, String)> {
    let candle = |record: &Record| {
        let value: serde_json::Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
        let text = |column: &str| value[column].to_string();
        (value["window_start"].as_str().unwrap().to_owned(), text("revision"), text("trades"))
    };
    let mut candles: Vec<_> = sent(world).iter().map(candle).collect();
    candles.sort();
    candles
}

/// The same of the lake.
fn in_lake(world: &World) -> Vec<(String, String, String)> {
    let time = |us: &str| {
        let seconds = (us.parse::<i64>().unwrap() - OPEN_US) / SECOND_US;
        format!("2024-08-09T{:02}:{:02}:00Z", seconds / 3600, seconds % 3600 / 60)
    };
    let rows = world.rows("speed/candles_1m");
    let mut candles: Vec<_> = rows
        .iter()
        .map(|row| (time(&row["window_start"]), row["revision"].clone(), row["trades"].clone()))
        .collect();
    candles.sort();
    candles
}

fn prove(world: &World, story: &str) {
    prove_mode(world, story, "append");
}

fn prove_mode(world: &World, story: &str, mode: &str) {
    let report = verify(&world.verifier(&with_mode(mode)), Ask::All, &mut |_| {}).unwrap();
    assert!(report.wrong.is_empty() && report.unreachable.is_none(), "{story}: {report:#?}");
    assert!(report.sent > 0, "{story}: {report:#?}");
}

#[test]
fn a_topic_gets_what_the_lake_gets_and_it_can_be_proved() {
    let world = world();
    market(&world, 0..400);
    world.run(&pipeline()).outcome.unwrap();
    assert_eq!((in_topic(&world).len(), in_topic(&world)), (6, in_lake(&world)));
    prove(&world, "straight");
}

#[test]
fn brokers_that_are_away_hold_the_pipeline_up_and_lose_nothing() {
    let world = world();
    market(&world, 0..400);
    let away = [Some(Trouble::Lost); 50];
    world.transactions.script([None].into_iter().chain(away).chain([Some(Trouble::AnswerLost)]));
    world.run(&pipeline()).outcome.unwrap();
    assert_eq!((in_topic(&world).len(), in_topic(&world)), (6, in_lake(&world)));
    // All waiting was done by the one run: its log has one owner.
    let log = last_records(&world.store, "candles", 0, 1000).unwrap();
    assert!(log.iter().all(|record| record.term == 1), "{}", log.len());
    prove(&world, "away");
}

#[test]
fn results_on_probation_are_in_no_topic_until_it_ends() {
    let world = world();
    market(&world, 0..200);
    let outcome = run_with_swap(&world, &pipeline(), Role::Window, b'1', Mode::Hold, 7);
    let Outcome::Swapped { seq, .. } = outcome else { panic!("{outcome:?}") };
    let newest = last_records(&world.store, "candles", 0, 1).unwrap().remove(0);
    assert!(newest.state.live.probation.is_some() && newest.seq > seq, "it lasts");
    let held = newest.released_through("kafka");
    assert_eq!(held, seq - 1);
    let commit = |record: &Record| -> u64 {
        record.header("tallow.commit").unwrap().rsplit('/').next().unwrap().parse().unwrap()
    };
    assert!(sent(&world).iter().all(|record| commit(record) <= held));
    let before = sent(&world).len();
    market(&world, 200..400);
    world.run(&pipeline()).outcome.unwrap();
    assert!(sent(&world).len() > before, "released");
    assert_eq!((in_topic(&world).len(), in_topic(&world)), (6, in_lake(&world)));
    prove(&world, "released");
}

#[test]
fn a_rollback_of_held_results_shows_nothing_of_them() {
    let expected = {
        let world = world();
        market(&world, 0..400);
        world.run(&pipeline()).outcome.unwrap();
        in_topic(&world)
    };
    let world = world();
    market(&world, 0..200);
    run_with_swap(&world, &pipeline(), Role::Window, b'1', Mode::Hold, 100);
    let wiring = world.wire(&pipeline(), DRAIN);
    let (reply, _answer) = bounded(1);
    wiring.swap.requests.ask_rollback(Rollback { why: "a test asked".to_owned(), reply });
    market(&world, 200..400);
    world.run_wired(wiring).outcome.unwrap();
    assert_eq!(in_topic(&world), expected);
    prove(&world, "rolled back");
}

/// Start, state and count of each record, in the topic's order.
fn upserts(world: &World) -> Vec<(String, String, i64)> {
    let upsert = |record: &Record| {
        let value: serde_json::Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
        let start = value["window_start"].as_str().unwrap().to_owned();
        let state = record.header("tallow.state").unwrap().to_owned();
        (start, state, value["trades"].as_i64().unwrap())
    };
    sent(world).iter().map(upsert).collect()
}

#[test]
fn windows_that_change_go_out_at_each_epochs_end_in_update_mode() {
    let world = real();
    market(&world, 0..150);
    world.run(&with_mode("update")).outcome.unwrap();
    // Epochs of 30 trades, one a second; a window closes when a trade comes two seconds after its end.
    let of = |minute: usize, state: &str, trades| {
        (format!("2024-08-09T00:0{minute}:00Z"), state.to_owned(), trades)
    };
    let expected = [
        of(0, "open", 30),
        of(0, "open", 60),
        of(0, "closed", 60),
        of(1, "open", 30),
        of(1, "open", 60),
        of(1, "closed", 60),
        of(2, "open", 30),
    ];
    assert_eq!(upserts(&world), expected);
    assert_eq!(in_lake(&world).len(), 2, "the lake gets what has closed");
    prove_mode(&world, "update", "update");
}

#[test]
fn a_restart_sends_no_window_that_has_not_changed() {
    let straight = real();
    market(&straight, 0..400);
    straight.run(&with_mode("update")).outcome.unwrap();
    let resumed = real();
    for part in 0..10 {
        market(&resumed, part * 40..part * 40 + 40);
        resumed.run(&with_mode("update")).outcome.unwrap();
        // Nothing has come: nothing goes out.
        let before = sent(&resumed).len();
        resumed.run(&with_mode("update")).outcome.unwrap();
        assert_eq!(sent(&resumed).len(), before);
    }
    // Where epochs are cut decides what is shown on the way, and not what stands at the end.
    let newest = |world: &World| {
        let newest = upserts(world).into_iter().map(|(start, state, trades)| (start, (state, trades)));
        newest.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(newest(&resumed), newest(&straight));
    prove_mode(&resumed, "resumed", "update");
}

#[test]
fn a_rollback_in_update_mode_leaves_the_closed_candle_last() {
    let world = real();
    market(&world, 0..200);
    run_with_swap(&world, &with_mode("update"), Role::Window, b'1', Mode::Publish, 100);
    let wiring = world.wire(&with_mode("update"), DRAIN);
    let (reply, _answer) = bounded(1);
    wiring.swap.requests.ask_rollback(Rollback { why: "a test asked".to_owned(), reply });
    world.run_wired(wiring).outcome.unwrap();
    let all = upserts(&world);
    for (start, ..) in &all {
        let last = all.iter().rev().find(|(of, ..)| of == start).unwrap();
        let expected = if start.contains("00:03") { ("open", 20) } else { ("closed", 60) };
        assert_eq!((last.1.as_str(), last.2), expected, "{start}");
    }
    prove_mode(&world, "rolled back", "update");
}

/// The records of each commit that sent any.
fn commits(world: &World) -> Vec<Vec<(String, String, i64)>> {
    let names: Vec<String> =
        sent(world).iter().map(|record| record.header("tallow.commit").unwrap().to_owned()).collect();
    let all: Vec<_> = names.into_iter().zip(upserts(world)).collect();
    let of_one = all.chunk_by(|left, right| left.0 == right.0);
    of_one.map(|records| records.iter().map(|(_, record)| record.clone()).collect()).collect()
}

#[test]
fn a_complete_topic_gets_all_windows_at_each_change() {
    let world = real();
    market(&world, 0..150);
    world.run(&with_mode("complete")).outcome.unwrap();
    let of = |minute: usize, state: &str, trades| {
        (format!("2024-08-09T00:0{minute}:00Z"), state.to_owned(), trades)
    };
    let expected = [
        vec![of(0, "open", 30)],
        vec![of(0, "open", 60)],
        vec![of(0, "closed", 60), of(1, "open", 30)],
        vec![of(0, "closed", 60), of(1, "open", 60)],
        vec![of(0, "closed", 60), of(1, "closed", 60), of(2, "open", 30)],
    ];
    assert_eq!(commits(&world), expected);
    assert_eq!(in_lake(&world).len(), 2, "the lake gets what has closed");
    prove_mode(&world, "complete", "complete");
}

#[test]
fn a_whole_result_outlives_restarts_and_rollbacks() {
    let straight = real();
    market(&straight, 0..400);
    straight.run(&with_mode("complete")).outcome.unwrap();
    let resumed = real();
    for part in 0..10 {
        market(&resumed, part * 40..part * 40 + 40);
        resumed.run(&with_mode("complete")).outcome.unwrap();
    }
    assert_eq!(commits(&resumed).last(), commits(&straight).last());
    prove_mode(&resumed, "resumed", "complete");

    let rolled_back = real();
    market(&rolled_back, 0..200);
    run_with_swap(&rolled_back, &with_mode("complete"), Role::Window, b'1', Mode::Publish, 100);
    let wiring = rolled_back.wire(&with_mode("complete"), DRAIN);
    let (reply, _answer) = bounded(1);
    wiring.swap.requests.ask_rollback(Rollback { why: "a test asked".to_owned(), reply });
    market(&rolled_back, 200..400);
    rolled_back.run_wired(wiring).outcome.unwrap();
    assert_eq!(commits(&rolled_back).last(), commits(&straight).last());
    prove_mode(&rolled_back, "rolled back", "complete");
}

#[test]
fn a_whole_result_that_grows_too_large_stops_the_pipeline() {
    let few = |most: usize| {
        let table = format!("topic = \"{TOPIC}\"\nmode = \"complete\"\nmost-rows = {most}\n");
        epochs(&format!("{COUNTS}[trigger.kafka.windows.kafka]\n{table}"))
    };
    let world = real();
    market(&world, 0..150);
    let error = world.run(&few(2)).outcome.unwrap_err();
    assert!(matches!(&error, PipelineError::Whole { rows: 3, most: 2, .. }), "{error}");
    assert!(error.to_string().contains("raise `most-rows`"), "{error}");
    assert_eq!(commits(&world).len(), 4, "what fits was sent");
    world.run(&few(3)).outcome.unwrap();
    assert_eq!(commits(&world).last().map(Vec::len), Some(3));
}

#[test]
fn a_lost_marker_stops_a_start_before_anything_is_sent() {
    let world = world();
    market(&world, 0..200);
    world.run(&pipeline()).outcome.unwrap();
    let before = sent(&world);
    world.transactions.forget_markers();
    market(&world, 200..400);
    let error = world.run(&pipeline()).outcome.unwrap_err();
    let PipelineError::Checkpoint(said) = &error else { panic!("{error}") };
    assert!(said.contains("there is no marker") && said.contains("write the marker again"), "{said}");
    assert_eq!((error.exit_code(), sent(&world)), (2, before));
}

/// A run while brokers fail, and the store at times; whether it died. It may die of these alone.
fn troubled(world: &World, wiring: Wired, faulty: &Faulty, random: &Arc<SeededRandom>, story: &str) -> bool {
    let dies = random.below(3) == 0;
    if dies {
        let op = if random.below(2) == 0 { Op::Create } else { Op::Get };
        faulty.script_after(random.below(40) as usize, op, "", Fault::Denied);
    }
    world.transactions.draw(random.clone(), 2 + random.below(6));
    let outcome = world.run_wired(wiring).outcome;
    world.transactions.draw(Arc::new(SeededRandom::new(0)), 0);
    while faulty.unmet() > 0 {
        _ = world.store.get("nothing");
        _ = world.store.create(&format!("nothing/{}", random.next_u64()), "x");
    }
    let Err(error) = outcome else { return false };
    let fenced = matches!(error, PipelineError::Sink(SinkError::Fenced { .. }));
    assert!(dies || fenced || error.is_transient(), "{story}: {error}");
    true
}

/// One long story of swaps, rollbacks, a store and brokers that fail, and starts in between.
fn story(seed: u64) {
    let FaultyStore { faulty, store, clock, random } =
        FaultyStore::new("lake", OPEN_US + 3_600 * SECOND_US, seed);
    let world = World::on(store, clock, random.clone(), 1).with_guests();
    world.log.create_topic(TOPIC, 1);
    let pipeline = pipeline();
    let (mut produced, mut story) = (0, format!("seed {seed}:"));
    while produced < 450 {
        let until = produced + random.below(120) as i64;
        (produced..until).for_each(|second| world.append(0, plain(second, second)));
        produced = until;
        let wiring = world.wire(&pipeline, DRAIN);
        let newest = last_records(&world.store, "candles", 0, 1).unwrap();
        let on_probation = newest.first().is_some_and(|record| record.state.live.probation.is_some());
        let mode = if random.below(2) == 0 { Mode::Publish } else { Mode::Hold };
        if !on_probation && random.below(2) == 0 {
            let variant = b"143"[random.below(3) as usize];
            let version = world.version(world.window, variant, contract(Role::Window));
            drop(ask_swap(&wiring, Role::Window, version, mode, 1 + random.below(4) as u32));
            story += &format!(" swap {} {mode:?}", variant as char);
        } else if random.below(2) == 0 {
            let (reply, _) = bounded(1);
            wiring.swap.requests.ask_rollback(Rollback { why: "by chance".to_owned(), reply });
            story += " rollback";
        }
        if troubled(&world, wiring, &faulty, &random, &story) {
            story += " died";
        }
    }
    world.run(&pipeline).outcome.unwrap_or_else(|error| panic!("{story}: {error}"));
    assert_eq!(in_topic(&world), in_lake(&world), "{story}");
    prove(&world, &story);
}

#[test]
fn whatever_fails_the_topic_holds_what_the_lake_holds() {
    (0..60).for_each(story);
}

const REKEY: &str = "epoch = { max-records = 30 }\nlimits = { batch-records = 10 }\nrekey = { topic = \"candles-1m\", keys = \
                     [\"symbol\"], kinds = [\"trade\"] }";

/// Records under another key through brokers and a store that fail, and starts in between: each is there once, in order.
fn rekeyed(seed: u64) {
    let FaultyStore { faulty, store, clock, random } =
        FaultyStore::new("lake", OPEN_US + 3_600 * SECOND_US, seed);
    let world = World::on(store, clock, random.clone(), 1).with_guests();
    world.log.create_topic(TOPIC, 1);
    // Seeds take turns: nothing but records, or windows beside them.
    let pipeline = common::pipeline(REKEY, if seed.is_multiple_of(2) { "" } else { COUNTS });
    let mut produced = 0;
    while produced < 300 {
        let until = produced + 1 + random.below(90) as i64;
        (produced..until).for_each(|second| world.append(0, plain(second, second)));
        produced = until;
        let wiring = world.wire(&pipeline, DRAIN);
        troubled(&world, wiring, &faulty, &random, &format!("seed {seed}"));
    }
    world.run(&pipeline).outcome.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let values: Vec<Vec<u8>> = sent(&world).into_iter().map(|record| record.value.unwrap()).collect();
    let expected: Vec<Vec<u8>> = (0..produced).map(|second| plain(second, second).into_bytes()).collect();
    assert_eq!(values, expected, "seed {seed}");
    assert!(sent(&world).iter().all(|record| record.key.as_deref() == Some(b"BTCUSDT")), "seed {seed}");
    let report = verify(&world.verifier(&pipeline), Ask::All, &mut |_| {}).unwrap();
    assert!(report.wrong.is_empty() && report.sent > 0, "seed {seed}: {report:#?}");
}

#[test]
fn records_under_another_key_come_once_whatever_fails() {
    (0..20).for_each(rekeyed);
}
