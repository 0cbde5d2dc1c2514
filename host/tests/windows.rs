//! Windows that change between two starts: what is promised of those that stay, of those that come, and of those that go.
//! In memory, with the built functions in their sandbox.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use common::{DRAIN, MINUTES, OPEN_US, Row, SECOND_US, World, epochs, market, run_with_swap};
use crossbeam_channel::bounded;
use tallow_log::record::{Mode, Role};
use tallow_log::status::last_records;
use tallow_manifest::Pipeline;
use tallow_pipeline::hooks::Rollback;
use tallow_verify::range::Ask;
use tallow_verify::report::{Report, Verdict};
use tallow_verify::verify;

/// [`MINUTES`] as they were before `volume` and `trades` were asked for.
fn fewer() -> String {
    MINUTES
        .lines()
        .filter(|line| !line.starts_with("volume") && !line.starts_with("trades"))
        .collect::<Vec<_>>()
        .join("\n")
}

const FIVES: &str = r#"
[[trigger.kafka.windows]]
name = "5m"
kinds = ["trade"]
tumbling = "5m"
keys = ["symbol"]
ids = "id"
[trigger.kafka.windows.aggregates]
volume = "sum(quantity)"
"#;

fn minute(row: &Row) -> i64 {
    (row["window_start"].parse::<i64>().unwrap() - OPEN_US) / (60 * SECOND_US)
}

fn column(world: &World, table: &str, name: &str) -> BTreeMap<i64, String> {
    let rows = world.rows(&format!("speed/{table}"));
    let values: BTreeMap<_, _> = rows.iter().map(|row| (minute(row), row[name].clone())).collect();
    assert_eq!(values.len(), rows.len(), "each window once");
    values
}

fn proved(world: &World, pipeline: &Pipeline) -> Report {
    let report = verify(&world.verifier(pipeline), Ask::All, &mut |_| {}).unwrap();
    assert_eq!(report.verdict(), Verdict::Proved, "{report:#?}");
    report
}

/// Runs `before` over the first seconds and `after` over the others, in pieces that end with a new start each.
fn change(before: &Pipeline, after: &Pipeline, cuts: &[i64]) -> World {
    let world = World::new(1);
    market(&world, 0..100);
    world.run(before).outcome.unwrap();
    world.run(after).outcome.unwrap();
    let mut from = 100;
    for &to in cuts {
        market(&world, from..to);
        world.run(after).outcome.unwrap();
        from = to;
    }
    world
}

#[test]
fn added_windows_and_aggregates_begin_and_the_others_continue() {
    let (before, after) = (epochs(&fewer()), epochs(&format!("{MINUTES}{FIVES}")));
    let straight = World::new(1);
    market(&straight, 0..700);
    straight.run(&after).outcome.unwrap();
    for cuts in [&[700][..], &[101, 119, 230, 231, 400, 700]] {
        let world = change(&before, &after, cuts);
        for name in ["open", "high", "low", "close", "first_id", "last_id", "missing", "complete"] {
            assert_eq!(column(&world, "candles_1m", name), column(&straight, "candles_1m", name), "{name}");
        }
        for name in ["volume", "trades"] {
            // The file of the first minute was written before there was such a column.
            let rows = world.rows("speed/candles_1m");
            let (mut known, all) = (BTreeMap::new(), column(&straight, "candles_1m", name));
            rows.iter().for_each(|row| {
                known.extend(row.get(name).map(|value| (minute(row), value.clone())));
            });
            assert_eq!(known.remove(&1).as_deref(), Some("null"), "its first seconds were not seen");
            assert_eq!(known, all.into_iter().filter(|(minute, _)| *minute > 1).collect());
        }
        let volumes = |world: &World| column(world, "candles_5m", "volume");
        assert_eq!(volumes(&straight), BTreeMap::from([(0, "600".into()), (5, "600".into())]));
        assert_eq!(volumes(&world), BTreeMap::from([(0, "400".into()), (5, "600".into())]));
        assert_eq!(
            column(&world, "candles_5m", "complete"),
            BTreeMap::from([(0, "false".into()), (5, "true".into())])
        );
        let report = proved(&world, &after);
        assert!(report.epochs > 20, "{report:#?}");
        assert_eq!(
            proved(&world, &before).epochs,
            report.epochs,
            "each commit under the windows that it had"
        );
    }
}

#[test]
fn an_added_window_without_ids_says_that_it_is_incomplete() {
    let without = FIVES.replace("ids = \"id\"\n", "").replace("5m", "2m");
    let world = change(&epochs(MINUTES), &epochs(&format!("{MINUTES}{without}")), &[400]);
    let complete = column(&world, "candles_2m", "complete");
    assert_eq!(complete, BTreeMap::from([(0, "false".into()), (2, "null".into()), (4, "null".into())]));
}

#[test]
fn a_window_that_goes_is_dropped_only_where_that_is_asked_for() {
    let (both, minutes) = (epochs(&format!("{MINUTES}{FIVES}")), epochs(MINUTES));
    let world = World::new(1);
    market(&world, 0..100);
    world.run(&both).outcome.unwrap();
    let seq = || last_records(&world.store, "candles", 0, 1).unwrap()[0].seq;
    let before = seq();
    let refused = world.run(&minutes).outcome.unwrap_err();
    assert_eq!(refused.exit_code(), 2);
    let said = refused.to_string();
    for part in [
        "window `5m` is not in the manifest any more, and has 100 rows in open windows",
        "start once with `--drop-window 5m`",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(seq(), before, "nothing was written");

    let dropping = || {
        let mut wiring = world.wire(&minutes, DRAIN);
        Arc::get_mut(&mut wiring.plan).unwrap().drop_windows = vec!["5m".to_owned()];
        wiring
    };
    // It dies once the windows are committed, and is started again with the same option.
    drop(tallow_pipeline::start::start(&dropping(), None).unwrap());
    market(&world, 100..400);
    world.run_wired(dropping()).outcome.unwrap();
    world.run(&minutes).outcome.unwrap();
    let state = &last_records(&world.store, "candles", 0, 1).unwrap()[0].state;
    let counts = &state.ledger.windows["5m"];
    assert_eq!((counts.assignments, counts.open, counts.dropped), (100, 0, 100));
    assert!(state.parts.iter().all(|part| part.window == "1m"));
    assert_eq!(column(&world, "candles_1m", "complete").len(), 6);
    proved(&world, &minutes);

    // Of the same name, and with nothing of the old one.
    market(&world, 400..700);
    world.run(&both).outcome.unwrap();
    // Of its window from 300 s to 600 s it has seen what came after 400 s.
    assert_eq!(column(&world, "candles_5m", "volume"), BTreeMap::from([(5, "400".into())]));
    assert_eq!(column(&world, "candles_5m", "complete"), BTreeMap::from([(5, "false".into())]));
    proved(&world, &both);
}

#[test]
fn who_cannot_carry_the_windows_over_does_not_fence_the_owner() {
    let world = World::new(1);
    market(&world, 0..100);
    let pipeline = epochs(MINUTES);
    world.run(&pipeline).outcome.unwrap();
    market(&world, 100..200);
    let owner = world.wire(&pipeline, DRAIN);
    let started = tallow_pipeline::start::start(&owner, None).unwrap();
    let other = epochs(&MINUTES.replace("tumbling = \"1m\"", "tumbling = \"5m\""));
    let refused = world.run(&other).outcome.unwrap_err().to_string();
    assert!(refused.contains("window `1m`: `tumbling` was \"1m\" and is \"5m\""), "{refused}");
    tallow_pipeline::run_once(&owner, started).unwrap();
    assert_eq!(column(&world, "candles_1m", "trades").len(), 3);
}

#[test]
fn a_pipeline_that_has_seen_nothing_takes_any_windows() {
    let world = World::new(1);
    world.run(&epochs(MINUTES)).outcome.unwrap();
    let other = epochs(&MINUTES.replace("tumbling = \"1m\"", "tumbling = \"2m\""));
    world.run(&other).outcome.unwrap();
    market(&world, 0..200);
    world.run(&other).outcome.unwrap();
    assert_eq!(column(&world, "candles_1m", "trades"), BTreeMap::from([(0, "120".into())]));
    proved(&world, &other);
}

#[test]
fn a_rollback_past_the_change_makes_it_again() {
    let (before, after) = (epochs(MINUTES), epochs(&format!("{MINUTES}{FIVES}")));
    let world = World::new(1);
    market(&world, 0..200);
    run_with_swap(&world, &before, Role::Window, b'1', Mode::Publish, 1000);
    market(&world, 200..330);
    world.run(&after).outcome.unwrap();
    market(&world, 330..700);
    let wiring = world.wire(&after, DRAIN);
    let (reply, outcome) = bounded(1);
    wiring.swap.requests.ask_rollback(Rollback { why: "a change of mind".to_owned(), reply });
    world.run_wired(wiring).outcome.unwrap();
    outcome.recv().unwrap().unwrap();
    let trades = world.rows("speed/candles_1m");
    let minutes: BTreeSet<i64> = trades.iter().map(minute).collect();
    assert_eq!(minutes, (0..11).collect());
    assert!(trades.iter().all(|row| row["trades"] == "60"), "{trades:?}");
    // It began earlier the second time, and says so in another revision.
    let fives: Vec<_> =
        world.rows("speed/candles_5m").iter().map(|row| (minute(row), row["volume"].clone())).collect();
    let said = |volume: &str| (0, volume.to_owned());
    assert_eq!(fives, [said("200"), said("540"), (5, "600".to_owned())]);
    assert_eq!(proved(&world, &after).void.len(), 1);
}
