//! The whole pipeline over a store that breaks, with swaps, rollbacks and restarts in between: whatever happens, every
//! candle comes out once and is the one that a run without trouble gives.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{COUNTS, DRAIN, OPEN_US, Row, SECOND_US, World, ask_swap, pipeline, plain};
use crossbeam_channel::bounded;
use tallow_env::{ManualClock, Random, SeededRandom};
use tallow_log::record::{Mode, Role};
use tallow_log::status::last_records;
use tallow_manifest::Pipeline;
use tallow_pipeline::functions::contract;
use tallow_pipeline::hooks::Rollback;
use tallow_test_support::faulty::{Fault, Faulty, FaultyStore, Op};
use tallow_verify::range::Ask;
use tallow_verify::verify;

/// Seconds, and so trades, of a simulated market.
const SECONDS: i64 = 600;

const SETTINGS: &str = "epoch = { max-records = 30 }\nlimits = { batch-records = 10 }";

struct Scene {
    world: World,
    faulty: Arc<Faulty>,
    random: Arc<SeededRandom>,
    pipeline: Pipeline,
    produced: i64,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let FaultyStore { faulty, store, clock, random } =
            FaultyStore::new("lake", OPEN_US + 3_600 * SECOND_US, seed);
        let world = World::on(store, clock, random.clone(), 1).with_guests();
        Self { world, faulty, random, pipeline: pipeline(SETTINGS, COUNTS), produced: 0 }
    }

    fn produce(&mut self, until: i64) {
        for second in self.produced..until.min(SECONDS) {
            self.world.append(0, plain(second, second));
            self.produced = second + 1;
        }
    }

    /// Whatever was committed on the way is computed again and is the same, files included.
    fn prove(&self, story: &str) {
        let report = verify(&self.world.verifier(&self.pipeline), Ask::All, &mut |_| {});
        let report = report.unwrap_or_else(|error| panic!("{story}: {error}"));
        assert!(report.wrong.is_empty() && report.unreachable.is_none(), "{story}: {report:#?}");
        // A long story's first commits are cleaned up, and the first that is kept lacks the state before it.
        assert!(
            report.unprovable.iter().all(|it| it.commits.through == report.commits.unwrap().from),
            "{story}"
        );
        assert!(report.epochs > 0 && report.files > 0, "{story}: {report:#?}");
    }

    /// The end of every story: no more faults, all of the market, and a balanced ledger.
    fn finish(mut self, story: &str) -> Vec<Row> {
        self.produce(SECONDS);
        self.world.run(&self.pipeline).outcome.unwrap_or_else(|error| panic!("{story}: {error}"));
        let newest = last_records(&self.world.store, "candles", 0, 1).unwrap().remove(0);
        newest.state.ledger.check().unwrap_or_else(|error| panic!("{story}: {error}"));
        assert!(newest.state.live.probation.is_none(), "{story}: a probation is open");
        self.prove(story);
        let mut rows = self.world.rows("speed/candles_1m");
        rows.sort();
        rows
    }
}

fn straight() -> Vec<Row> {
    let expected = Scene::new(0).finish("straight");
    assert_eq!(expected.len(), 9);
    expected
}

/// A run with a swap in it, up to where the store refuses the `spared`-th request of its kind. False: there are not as
/// many.
fn run_until_refused(scene: &mut Scene, role: Role, mode: Mode, op: Op, spared: usize) -> bool {
    scene.produce(200);
    let wiring = scene.world.wire(&scene.pipeline, DRAIN);
    let name = if role == Role::Parse { scene.world.parse } else { scene.world.window };
    let version = scene.world.version(name, b'1', contract(role));
    let outcome = ask_swap(&wiring, role, version, mode, 3);
    scene.faulty.script_after(spared, op, "", Fault::Denied);
    let run = scene.world.run_wired(wiring);
    drop(outcome);
    let refused = scene.faulty.unmet() == 0;
    assert_eq!(refused, run.outcome.is_err(), "{:?}", run.outcome);
    refused
}

#[test]
fn a_swap_that_dies_has_happened_whole_or_not_at_all() {
    let expected = straight();
    for (role, mode) in [(Role::Window, Mode::Hold), (Role::Window, Mode::Publish), (Role::Parse, Mode::Hold)]
    {
        let mut deaths = 0;
        for op in [Op::Create, Op::Get, Op::List] {
            for spared in 0.. {
                let mut scene = Scene::new(1);
                if !run_until_refused(&mut scene, role, mode, op, spared) {
                    break;
                }
                deaths += 1;
                let story = format!("{role:?} {mode:?}: died at {op:?} {spared}");
                assert_eq!(scene.finish(&story), expected, "{story}");
            }
        }
        assert!(deaths > 30, "{deaths} deaths");
    }
}

#[test]
fn whatever_is_swapped_or_fails_every_candle_comes_once() {
    let expected = straight();
    for seed in 0..100 {
        let mut scene = Scene::new(seed);
        let mut story = format!("seed {seed}:");
        while scene.produced < SECONDS - 150 {
            let more = scene.random.below(120) as i64;
            scene.produce(scene.produced + more);
            let wiring = scene.world.wire(&scene.pipeline, DRAIN);
            let role = if scene.random.below(2) == 0 { Role::Parse } else { Role::Window };
            let mode = if scene.random.below(2) == 0 { Mode::Hold } else { Mode::Publish };
            // The same, one that traps, one that breaks what holds for candles, two that cannot take the state over.
            let variants: &[u8] = if role == Role::Parse { b"14" } else { b"14368" };
            let variant = variants[scene.random.below(variants.len() as u64) as usize];
            let on_probation = wiring_on_probation(&scene);
            if !on_probation && scene.random.below(3) > 0 {
                let name = if role == Role::Parse { scene.world.parse } else { scene.world.window };
                let version = scene.world.version(name, variant, contract(role));
                drop(ask_swap(&wiring, role, version, mode, 1 + scene.random.below(4) as u32));
                story += &format!(" swap {role:?} {} {mode:?}", variant as char);
            } else if scene.random.below(2) == 0 {
                let (reply, _) = bounded(1);
                wiring.swap.requests.ask_rollback(Rollback { why: "by chance".to_owned(), reply });
                story += " rollback";
            }
            let dies = scene.random.below(3) == 0;
            if dies {
                let op = if scene.random.below(2) == 0 { Op::Create } else { Op::Get };
                scene.faulty.script_after(scene.random.below(40) as usize, op, "", Fault::Denied);
            }
            scene.faulty.draw(scene.random.clone(), 2 + scene.random.below(20));
            let run = scene.world.run_wired(wiring);
            scene.faulty.draw(scene.random.clone(), 0);
            while scene.faulty.unmet() > 0 {
                // A death that did not come; the next run shall not meet it.
                _ = scene.world.store.get("nothing");
                _ = scene.world.store.create(&format!("nothing/{}", scene.random.next_u64()), "x");
            }
            if let Err(error) = run.outcome {
                // A store that is not there at the start is an error, too.
                assert!(dies || error.is_transient(), "{story}: {error}");
                story += " died";
            }
        }
        assert_eq!(scene.finish(&story), expected, "{story}");
    }
}

fn wiring_on_probation(scene: &Scene) -> bool {
    let newest = last_records(&scene.world.store, "candles", 0, 1).unwrap();
    newest.first().is_some_and(|record| record.state.live.probation.is_some())
}

/// [`COUNTS`] with windows of two minutes beside them.
fn more_windows() -> String {
    format!("{COUNTS}{}", COUNTS.replace("\"1m\"", "\"2m\""))
}

/// A market of which the first 200 seconds were taken before the pipeline got another window; and what becomes of that
/// where the store refuses the `spared`-th request of its kind. None: there are not as many.
fn widened_until_refused(op: Op, spared: usize) -> Option<Scene> {
    let mut scene = Scene::new(1);
    scene.produce(200);
    scene.world.run(&scene.pipeline).outcome.unwrap();
    scene.pipeline = pipeline(SETTINGS, &more_windows());
    scene.produce(300);
    let wiring = scene.world.wire(&scene.pipeline, DRAIN);
    scene.faulty.script_after(spared, op, "", Fault::Denied);
    let run = scene.world.run_wired(wiring);
    let refused = scene.faulty.unmet() == 0;
    // Whether the lake is still there is looked at once more after a commit; without an answer it continues.
    assert!(refused || run.outcome.is_ok(), "{:?}", run.outcome);
    refused.then_some(scene)
}

#[test]
fn a_start_with_more_windows_that_dies_at_any_request_is_whole() {
    let rows_of_both = |scene: Scene, story: &str| {
        let store = scene.world.store.clone();
        let minutes = scene.finish(story);
        let world = World::on(store, Arc::new(ManualClock::at(0)), Arc::new(SeededRandom::new(9)), 1);
        let mut twos = world.rows("speed/candles_2m");
        twos.sort();
        (minutes, twos)
    };
    let straight =
        widened_until_refused(Op::Create, 0).map(|scene| rows_of_both(scene, "died at once")).unwrap();
    assert_eq!(straight.0, self::straight());
    assert_eq!(straight.1.len(), 3, "{:#?}", straight.1);
    let mut deaths = 0;
    for op in [Op::Create, Op::Get, Op::List] {
        for spared in 0.. {
            let Some(scene) = widened_until_refused(op, spared) else { break };
            deaths += 1;
            let story = format!("died at {op:?} {spared}");
            assert_eq!(rows_of_both(scene, &story), straight, "{story}");
        }
    }
    assert!(deaths > 20, "{deaths} deaths");
}
