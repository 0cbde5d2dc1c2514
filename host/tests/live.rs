//! Functions that change while a pipeline runs: what is promised of a swap, a probation, a rollback and a shadow, in
//! memory, with the built functions in their sandbox.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::{COUNTS, DRAIN, MINUTES, OPEN_US, Row, SECOND_US, World, epochs, market, run_with_swap};
use crossbeam_channel::bounded;
use tallow_log::record::{Kind, Mode, Record, Role, What};
use tallow_log::status::last_records;
use tallow_pipeline::functions::contract;
use tallow_pipeline::hooks::{Outcome, Rollback};
use tallow_swap::SwapError;
use tallow_swap::Target;
use tallow_swap::admission;
use tallow_swap::candidate::{Candidate, Terms};
use tallow_swap::rehearse;
use tallow_swap::shadow::Shadow;
use tallow_swap::tally::{Tally, Verdict};

fn log(world: &World) -> Vec<Record> {
    let mut records = last_records(&world.store, "candles", 0, 1000).unwrap();
    records.reverse();
    records
}

fn kinds(world: &World, kind: Kind) -> usize {
    log(world).iter().filter(|record| record.kind == kind).count()
}

/// Candles by minute: the values of `column` by revision.
fn candles(world: &World, column: &str) -> BTreeMap<i64, Vec<(String, String)>> {
    let mut minutes: BTreeMap<i64, Vec<(String, String)>> = BTreeMap::new();
    for row in world.rows("speed/candles_1m") {
        let minute = (row["window_start"].parse::<i64>().unwrap() - OPEN_US) / (60 * SECOND_US);
        minutes.entry(minute).or_default().push((row["revision"].clone(), row[column].clone()));
    }
    minutes.values_mut().for_each(|revisions| revisions.sort());
    minutes
}

fn whole(world: &World) -> Vec<Row> {
    let mut rows = world.rows("speed/candles_1m");
    rows.sort();
    rows
}

/// What a run without any swap gives.
fn straight(windows: &str, seconds: i64, guest: bool) -> Vec<Row> {
    let world = if guest { World::guests() } else { World::new(1) };
    market(&world, 0..seconds);
    world.run(&epochs(windows)).outcome.unwrap();
    whole(&world)
}

#[test]
fn a_swap_between_two_epochs_loses_and_doubles_nothing() {
    let expected = straight(MINUTES, 400, false);
    assert_eq!(expected.len(), 6);
    for role in [Role::Parse, Role::Window] {
        for (mode, epochs_of_probation) in [(Mode::Publish, 3), (Mode::Hold, 3), (Mode::Publish, 0)] {
            let world = World::new(1);
            market(&world, 0..400);
            let outcome = run_with_swap(&world, &epochs(MINUTES), role, b'1', mode, epochs_of_probation);
            let Outcome::Swapped { seq, .. } = outcome else { panic!("{outcome:?}") };
            assert_eq!(whole(&world), expected, "{role:?} {mode:?}");
            let records = log(&world);
            let swap = records.iter().find(|record| record.seq == seq).unwrap();
            assert_eq!(swap.kind, Kind::Swap);
            assert!(swap.epoch.chunks.is_empty(), "a swap takes no records");
            let change = &swap.state.live.changes[0];
            assert_ne!(change.from, change.to);
            let newest = records.last().unwrap();
            assert!(newest.state.live.probation.is_none(), "the probation is over");
            let running = newest.state.functions.iter().find(|function| function.role == role).unwrap();
            assert_eq!(running.digest, change.to);
            let released = newest.state.live.changes.iter().any(|change| change.what == What::Release);
            assert_eq!(released, epochs_of_probation > 0);
        }
    }
}

#[test]
fn a_candidate_that_cannot_take_the_state_is_dropped() {
    let expected = straight(COUNTS, 400, true);
    for (variant, why) in [(b'6', "trapped"), (b'7', "deadline"), (b'8', "holds")] {
        let world = World::guests();
        market(&world, 0..400);
        let outcome = run_with_swap(&world, &epochs(COUNTS), Role::Window, variant, Mode::Hold, 3);
        let Outcome::Dropped { why: said } = outcome else { panic!("{outcome:?}") };
        assert!(said.contains(why), "{said}");
        assert_eq!(whole(&world), expected, "variant {}", variant as char);
        assert_eq!((kinds(&world, Kind::Swap), kinds(&world, Kind::Fence)), (0, 1), "the run went on");
    }
}

#[test]
fn a_rehearsal_refuses_what_cannot_read_or_repeat_the_state() {
    let world = World::guests();
    market(&world, 0..100);
    let pipeline = epochs(COUNTS);
    let wiring = world.wire(&pipeline, DRAIN);
    let (reply, copies) = bounded(1);
    wiring.swap.requests.ask_copy(reply);
    let plan = wiring.plan.clone();
    world.run_wired(wiring).outcome.unwrap();
    let state = copies.recv().unwrap();
    let rehearse = |variant| {
        let candidate = world.version("test/hostile-window", variant, contract(Role::Window));
        rehearse::window(&candidate, &plan, 1, &state, &*world.clock)
    };
    assert!(rehearse(b'1').is_ok());
    for (variant, why) in
        [(b'5', "reads state of version [99]"), (b'6', "trapped"), (b'7', "deadline"), (b'9', "other bytes")]
    {
        let said = rehearse(variant).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    }
    let parse = |variant| {
        let candidate = world.version("test/hostile-parse", variant, contract(Role::Parse));
        rehearse::parse(&candidate, &plan, false)
    };
    parse(b'1').unwrap();
    assert!(matches!(parse(b'5'), Err(SwapError::WantsHeaders)));
}

#[test]
fn a_probation_longer_than_retention_is_refused_if_results_wait() {
    let world = World::guests();
    market(&world, 0..10);
    let pipeline = epochs(COUNTS);
    let wiring = world.wire(&pipeline, DRAIN);
    drop(tallow_pipeline::start::start(&wiring, None).unwrap());
    let version = world.version("test/hostile-window", b'1', contract(Role::Window));
    let candidate = Candidate::new(wiring.plan.limits, Role::Window, version, "a test").unwrap();
    let target = Target { services: Arc::new(wiring.services), swap: wiring.swap };
    let swap = |retention, mode| {
        world.log.set_retention(retention);
        let terms = Terms { mode: Some(mode), probation_epochs: Some(20), why: String::new() };
        // Nothing runs: whatever is not refused waits for an epoch that never ends, or for a state that nobody hands over.
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| admission::swap(&target, &candidate, &terms));
            while !asked.is_finished() {
                target.swap.requests.clear();
                std::thread::yield_now();
            }
            asked.join().unwrap().unwrap_err().to_string()
        })
    };
    // 20 epochs of a second, ten times over.
    let said = swap(Some(Duration::from_secs(199)), Mode::Hold);
    assert!(said.contains("keeps records for 199 s"), "{said}");
    for (retention, mode) in [
        (Some(Duration::from_secs(200)), Mode::Hold),
        (None, Mode::Hold),
        (Some(Duration::from_secs(1)), Mode::Publish),
    ] {
        let said = swap(retention, mode);
        assert!(said.contains("nothing was swapped"), "{said}");
    }
}

#[test]
fn results_of_a_probation_wait_for_its_end() {
    let expected = straight(MINUTES, 400, false);
    let world = World::new(1);
    let pipeline = epochs(MINUTES);
    market(&world, 0..200);
    // Seven epochs in all: the probation of ten is not over.
    run_with_swap(&world, &pipeline, Role::Window, b'1', Mode::Hold, 10);
    assert_eq!(whole(&world), [], "no minute was over in the first epoch, and all others wait");
    assert!(log(&world).iter().any(|record| !record.epoch.outbox.is_empty()), "they are in the log");
    market(&world, 200..260);
    world.run(&pipeline).outcome.unwrap();
    assert_eq!(whole(&world), [], "a restart does not let them out");
    market(&world, 260..400);
    world.run(&pipeline).outcome.unwrap();
    assert_eq!(whole(&world), expected);
    assert!(log(&world).last().unwrap().state.live.probation.is_none());
}

#[test]
fn a_failure_on_probation_is_rolled_back_unseen() {
    let expected = straight(COUNTS, 400, true);
    for (role, variant, why) in [
        (Role::Window, b'4', "trapped"),
        (Role::Window, b'A', "deadline"),
        (Role::Window, b'3', "`0 <= trades`"),
        (Role::Parse, b'4', "trapped"),
    ] {
        let world = World::guests();
        market(&world, 0..400);
        run_with_swap(&world, &epochs(COUNTS), role, variant, Mode::Hold, 5);
        assert_eq!(whole(&world), expected, "{role:?} {}", variant as char);
        let records = log(&world);
        let rollback = records.iter().find(|record| record.kind == Kind::Rollback).unwrap();
        let swap = records.iter().find(|record| record.kind == Kind::Swap).unwrap();
        assert_eq!(rollback.voided.unwrap().from, swap.seq);
        let change = rollback.state.live.changes.last().unwrap();
        assert!(change.what == What::Rollback && change.why.contains(why), "{change:?}");
        assert!(world.rows("dead-letter/candles").is_empty(), "no record is to blame");
    }
}

#[test]
fn a_function_that_is_much_slower_is_rolled_back() {
    let expected = straight(COUNTS, 400, true);
    let world = World::guests();
    let pipeline = epochs(COUNTS);
    market(&world, 0..100);
    run_with_swap(&world, &pipeline, Role::Window, b'1', Mode::Hold, 100);
    market(&world, 100..400);
    let wiring = world.wire(&pipeline, DRAIN);
    let timing = &wiring.swap.timing;
    timing.add(Role::Window, Duration::from_millis(10), 100_000);
    timing.start_baseline(Role::Window);
    timing.add(Role::Window, Duration::from_millis(31), 100_000);
    let run = world.run_wired(wiring);
    run.outcome.unwrap();
    // What came before the swap was taken by the run before; all else counts once, void epochs do not.
    assert_eq!(run.counts.records, 400 - 30);
    assert_eq!(whole(&world), expected);
    let changes = log(&world).last().unwrap().state.live.changes.clone();
    let last = changes.last().unwrap();
    assert!(last.what == What::Rollback && last.why.contains("% of its predecessor's time"), "{last:?}");
}

#[test]
fn a_rollback_restores_code_and_state_and_is_not_retried() {
    let expected = straight(COUNTS, 400, true);
    let world = World::guests();
    let pipeline = epochs(COUNTS);
    market(&world, 0..200);
    run_with_swap(&world, &pipeline, Role::Window, b'2', Mode::Hold, 100);
    market(&world, 200..400);
    let wiring = world.wire(&pipeline, DRAIN);
    let (reply, outcome) = bounded(1);
    wiring.swap.requests.ask_rollback(Rollback { why: "it counts too much".to_owned(), reply });
    world.run_wired(wiring).outcome.unwrap();
    let seq = outcome.recv().unwrap().unwrap();
    assert_eq!(whole(&world), expected);
    let rollback = log(&world).into_iter().find(|record| record.seq == seq).unwrap();
    assert_eq!(rollback.kind, Kind::Rollback);

    let mut wiring = world.wire(&pipeline, DRAIN);
    let rejected = world.version("test/hostile-window", b'2', contract(Role::Window));
    wiring.functions.window = Arc::new(rejected);
    world.run_wired(wiring).outcome.unwrap();
    assert_eq!(kinds(&world, Kind::Swap), 1, "the manifest's file is what was rolled back");
}

#[test]
fn a_rollback_without_a_probation_is_refused() {
    let world = World::guests();
    market(&world, 0..100);
    let wiring = world.wire(&epochs(COUNTS), DRAIN);
    let (reply, outcome) = bounded(1);
    wiring.swap.requests.ask_rollback(Rollback { why: "for no reason".to_owned(), reply });
    world.run_wired(wiring).outcome.unwrap();
    assert_eq!(outcome.recv().unwrap(), None, "no function is on probation");
    assert_eq!(kinds(&world, Kind::Rollback), 0);
}

#[test]
fn a_rollback_corrects_only_published_rows_that_differ() {
    let world = World::guests();
    let pipeline = epochs(COUNTS);
    market(&world, 0..200);
    // From second 30 on, the count of each closed minute is one too many.
    run_with_swap(&world, &pipeline, Role::Window, b'2', Mode::Publish, 100);
    let one = |revision: &str, count: &str| (revision.to_owned(), count.to_owned());
    assert_eq!(candles(&world, "trades")[&0], [one("0", "61")]);
    market(&world, 200..400);
    // Another version of what ran first: it says the same, and the rest of the minutes is new.
    let wiring = world.wire(&pipeline, DRAIN);
    let (reply, outcome) = bounded(1);
    wiring.swap.requests.ask_rollback(Rollback { why: "it counts too much".to_owned(), reply });
    world.run_wired(wiring).outcome.unwrap();
    outcome.recv().unwrap().unwrap();
    let candles = candles(&world, "trades");
    assert_eq!(candles.len(), 6);
    for (minute, revisions) in &candles {
        match revisions.as_slice() {
            [first, second] => {
                assert_eq!((first, second), (&one("0", "61"), &one("1", "60")), "minute {minute}");
            }
            [only] => assert_eq!(only, &one("0", "60"), "minute {minute}"),
            other => panic!("minute {minute}: {other:?}"),
        }
    }
    assert!(candles[&0].len() == 2 && candles[&5].len() == 1, "{candles:?}");
    assert!(log(&world).last().unwrap().state.live.remake.is_none(), "all of it has been taken again");
}

#[test]
fn a_rollback_of_an_equal_function_publishes_nothing_twice() {
    let expected = straight(COUNTS, 400, true);
    let world = World::guests();
    let pipeline = epochs(COUNTS);
    market(&world, 0..200);
    run_with_swap(&world, &pipeline, Role::Window, b'1', Mode::Publish, 100);
    market(&world, 200..400);
    let wiring = world.wire(&pipeline, DRAIN);
    let (reply, _outcome) = bounded(1);
    wiring.swap.requests.ask_rollback(Rollback { why: "a change of mind".to_owned(), reply });
    world.run_wired(wiring).outcome.unwrap();
    assert_eq!(kinds(&world, Kind::Rollback), 1);
    assert_eq!(whole(&world), expected);
}

#[test]
fn a_swap_lasts_over_restarts_until_the_file_changes() {
    let world = World::guests();
    let pipeline = epochs(COUNTS);
    market(&world, 0..100);
    run_with_swap(&world, &pipeline, Role::Window, b'1', Mode::Publish, 0);
    let running = |world: &World| {
        let functions = log(world).last().unwrap().state.functions.clone();
        functions.into_iter().find(|function| function.role == Role::Window).unwrap().digest
    };
    let digest = |variant| world.version("test/hostile-window", variant, contract(Role::Window)).digest();
    assert_eq!(running(&world), digest(b'1'));
    market(&world, 100..200);
    world.run(&pipeline).outcome.unwrap();
    assert_eq!(running(&world), digest(b'1'), "the file is the one of the first start");

    market(&world, 200..300);
    let mut wiring = world.wire(&pipeline, DRAIN);
    wiring.functions.window = Arc::new(world.version("test/hostile-window", b'z', contract(Role::Window)));
    world.run_wired(wiring).outcome.unwrap();
    assert_eq!(running(&world), digest(b'z'), "the file was changed");
    assert_eq!(kinds(&world, Kind::Swap), 2, "and the log says so");
    assert_eq!(whole(&world), straight(COUNTS, 300, true));
}

/// Computes the epochs of a run again beside it.
fn shadow(role: Role, variant: u8) -> (Verdict, Tally) {
    let world = World::guests();
    market(&world, 0..400);
    let mut pipeline = epochs(COUNTS);
    pipeline.swap.shadow_percent = 100;
    let wiring = world.wire(&pipeline, DRAIN);
    let name = if role == Role::Parse { world.parse } else { world.window };
    let candidate =
        Candidate::new(wiring.plan.limits, role, world.version(name, variant, contract(role)), "a test");
    let (plan, clock) = (wiring.plan.clone(), wiring.clock.clone());
    let (shadow, epochs) = Shadow::new(candidate.unwrap(), wiring.functions.clone(), plan, clock);
    wiring.swap.requests.set_shadow(Some(shadow.clone()));
    let tally = std::thread::scope(|scope| {
        let running = scope.spawn(|| shadow.run(&epochs, |tally| tally.epochs >= 1));
        world.run_wired(wiring).outcome.unwrap();
        running.join().unwrap()
    });
    assert_eq!(whole(&world), straight(COUNTS, 400, true), "a shadow publishes nothing");
    (tally.verdict(300), tally)
}

#[test]
fn a_shadow_tells_an_equal_candidate_from_another() {
    let (verdict, tally) = shadow(Role::Window, b'1');
    assert_eq!(verdict, Verdict::Same, "{tally:?}");
    assert!(tally.comparison.compared > 0 && tally.records == 30);

    let (verdict, tally) = shadow(Role::Window, b'2');
    assert_eq!(verdict, Verdict::Differs);
    let first = &tally.comparison.differences[0];
    assert_eq!((first.field.as_str(), first.at.as_str()), ("trades", "BTCUSDT 2024-08-09T00:00:00Z"));
    assert_eq!((first.running.as_str(), first.candidate.as_str()), ("30", "31"));

    let (verdict, tally) = shadow(Role::Window, b'4');
    assert_eq!(verdict, Verdict::Trapped, "{tally:?}");

    assert_eq!(shadow(Role::Parse, b'1').0, Verdict::Same);
    let (verdict, tally) = shadow(Role::Parse, b'2');
    assert_eq!(verdict, Verdict::Differs);
    let first = &tally.comparison.differences[0];
    assert_eq!((first.at.as_str(), first.running.as_str()), ("trades/0/0", "rows"));
    assert_eq!(shadow(Role::Parse, b'4').0, Verdict::Trapped);
}
