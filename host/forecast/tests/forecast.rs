//! Whole runs over a store in memory, with functions that are doubles.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tallow_contract::Table;
use tallow_contract::forecast::{Description, Outcome as Answer, Request, Setting, column, known, times_us};
use tallow_engine::CallError;
use tallow_forecast::model::{Functions, Model, Models};
use tallow_forecast::series::Point;
use tallow_forecast::settings::Folds;
use tallow_forecast::{Event, ForecastError, Forecaster, Input, Outcome, Settings, running, runs};
use tallow_store::{Digest, Store};

const DAY_US: i64 = 86_400_000_000;

/// The last value plus `shift` per step; as `method = drift` the line through the first and the last value.
#[derive(Clone, Default)]
struct Double {
    calls: Arc<AtomicUsize>,
    /// Traps if the last known day is one of these.
    traps: Vec<i64>,
}

impl Models for Double {
    fn open(&self) -> Result<Box<dyn Model>, CallError> {
        Ok(Box::new(self.clone()))
    }

    fn digest(&self) -> Digest {
        Digest::of(b"double")
    }
}

impl Model for Double {
    fn describe(&mut self) -> Result<Description, CallError> {
        let setting = |name: &str| Setting { name: name.into(), default: "0".into(), meaning: String::new() };
        Ok(Description {
            name: "double".into(),
            version: "1".into(),
            settings: vec![setting("shift"), setting("method")],
            regressors: true,
            holidays: false,
            least_rows: 2,
        })
    }

    fn forecast(&mut self, request: &Request) -> Result<Answer, CallError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let times = times_us(&request.history, "history").unwrap();
        let y = known(&request.history, "y").unwrap();
        if self.traps.contains(&(times[times.len() - 1] / DAY_US)) {
            return Err(CallError::Trap("on purpose".into()));
        }
        let shift: f64 = match request.setting("shift").unwrap_or("0").parse() {
            Ok(shift) => shift,
            Err(_) => return Err(CallError::Refused("`shift` is no number".into())),
        };
        let slope = match request.setting("method") {
            Some("drift") => (y[y.len() - 1] - y[0]) / (y.len() - 1) as f64,
            _ => shift,
        };
        let future = times_us(&request.future, "future").unwrap();
        let last_us = times[times.len() - 1];
        let yhat: Vec<f64> =
            future.iter().map(|at| y[y.len() - 1] + slope * ((at - last_us) / DAY_US) as f64).collect();
        let moved = |by: f64| yhat.iter().map(|it| it + by).collect::<Vec<f64>>();
        let columns = vec![
            tallow_contract::forecast::ds(future),
            column("yhat", yhat.clone()),
            column("lower", moved(-3.0)),
            column("upper", moved(3.0)),
            column("trend", yhat.clone()),
        ];
        let forecast = Table { rows: future.len() as u32, columns };
        Ok(Answer { forecast, ..Answer::default() })
    }
}

fn settings() -> Settings {
    Settings {
        name: "daily".into(),
        function: "double".into(),
        column: "close".into(),
        horizon: 5,
        step_us: DAY_US,
        settings: BTreeMap::new(),
        grid: vec![("shift".into(), vec!["0".into(), "1".into(), "2".into()])],
        folds: Folds { count: 4, choose: 2, spacing: 5, train: None },
        averages: vec![],
        holidays: vec![],
        log: false,
        cap: None,
        floor: None,
        level: 0.8,
        seed: 1,
        leaked: false,
    }
}

fn forecaster(store: &Store, model: Double) -> Forecaster {
    Forecaster {
        settings: settings(),
        functions: Functions { model: Arc::new(model), naive: Arc::new(Double::default()) },
        store: store.clone(),
        threads: 3,
        stop: Arc::new(AtomicBool::new(false)),
    }
}

/// A value that rises by 1 a day, with a wave that comes back every four days.
fn rising(symbol: &str, days: i64) -> Input {
    let point = |day: i64| Point {
        time_us: day * DAY_US,
        value: Some(100.0 + day as f64 + (day % 4) as f64 / 10.0),
        candle: None,
    };
    Input { symbol: symbol.into(), points: (0..days).map(point).collect(), remarks: vec![] }
}

fn objects(store: &Store) -> Vec<(String, Vec<u8>)> {
    let paths = store.list("").unwrap();
    paths.into_iter().map(|(path, _)| (path.clone(), store.get(&path).unwrap().unwrap().to_vec())).collect()
}

fn done(outcome: Outcome) -> tallow_forecast::Done {
    match outcome {
        Outcome::Done(done) => *done,
        Outcome::Nothing { run, .. } => panic!("run {run} had it"),
    }
}

#[test]
fn the_best_settings_are_chosen_by_cuts_before_those_that_judge() {
    let store = Store::memory().unwrap();
    let mut points = Vec::new();
    let run = forecaster(&store, Double::default()).run(&[rising("A", 60)], false, &mut |event| {
        if let Event::Point { name, .. } = event {
            points.push(name);
        }
    });
    let done = done(run.unwrap());
    let study = &done.studies[0];
    assert_eq!(study.chosen, [("shift".to_owned(), "1".to_owned())]);
    let mase: Vec<f64> = study.scored.iter().map(|it| it.mase.unwrap()).collect();
    assert!(mase[1] < mase[0] && mase[1] < mase[2], "{mase:?}");
    assert_eq!(study.judgings.len(), 4);
    assert_eq!(study.judgings.iter().map(|it| it.cutoff_us / DAY_US).collect::<Vec<_>>(), [39, 44, 49, 54]);
    points.sort();
    assert_eq!(points, ["shift = 0", "shift = 1", "shift = 2"]);
    assert!(study.verdict.starts_with("double beats the last value: MASE "), "{}", study.verdict);
    assert_eq!(study.forecast.ds_us.len(), 65);
    let report = store.get("forecast/daily/000001/report.html").unwrap().unwrap();
    let text = String::from_utf8_lossy(&report);
    assert!(text.contains(&format!("<main>\n<p class=\"verdict\">{}", study.verdict)), "the first line");
}

#[test]
fn a_run_that_was_stopped_leaves_the_same_bytes_when_it_is_done() {
    let inputs = [rising("A", 60), rising("B", 50)];
    let whole = Store::memory().unwrap();
    let straight = Double::default();
    forecaster(&whole, straight.clone()).run(&inputs, false, &mut |_| {}).unwrap();
    let all = straight.calls.load(Ordering::Relaxed);
    for after in [1, 4, 9, 17, 30] {
        let store = Store::memory().unwrap();
        let double = Double::default();
        let forecaster = forecaster(&store, double.clone());
        let stop = forecaster.stop.clone();
        let stopped = forecaster.run(&inputs, false, &mut |event| {
            if matches!(event, Event::Progress { done, .. } if done == after) {
                stop.store(true, Ordering::Relaxed);
            }
        });
        assert!(matches!(stopped, Err(ForecastError::Stopped { .. })), "{after}: {stopped:?}");
        assert_eq!(runs::list(&store, "daily").unwrap(), [], "{after}");
        stop.store(false, Ordering::Relaxed);
        forecaster.run(&inputs, false, &mut |_| {}).unwrap();
        assert!(objects(&store) == objects(&whole), "{after}");
        // The settings are tried twice, the fits made once.
        assert_eq!(double.calls.load(Ordering::Relaxed), all + 3, "{after}");
    }
}

#[test]
fn the_same_again_is_nothing_to_do_unless_it_is_asked_for() {
    let store = Store::memory().unwrap();
    let forecaster = forecaster(&store, Double::default());
    let run = |again| forecaster.run(&[rising("A", 60)], again, &mut |_| {}).unwrap();
    assert_eq!(done(run(false)).record.run, 1);
    assert!(matches!(run(false), Outcome::Nothing { run: 1, newest: true }));
    assert_eq!(done(run(true)).record.run, 2);
    let other = forecaster.run(&[rising("A", 61)], false, &mut |_| {}).unwrap();
    assert_eq!(done(other).record.run, 3);
    assert!(matches!(run(false), Outcome::Nothing { run: 2, newest: false }));
    assert_eq!(runs::restore(&store, "daily", 1).unwrap().run, 4);
    assert_eq!(
        runs::list(&store, "daily").unwrap().iter().map(|it| it.results).collect::<Vec<_>>(),
        [1, 2, 3, 1]
    );
}

#[test]
fn a_symbol_that_cannot_be_forecast_is_named_and_others_go_on() {
    let store = Store::memory().unwrap();
    let flat = Input {
        points: rising("F", 60).points.iter().map(|it| Point { value: Some(1.0), ..*it }).collect(),
        ..rising("F", 0)
    };
    let inputs = [rising("A", 60), rising("S", 10), flat];
    let done = done(forecaster(&store, Double::default()).run(&inputs, false, &mut |_| {}).unwrap());
    assert_eq!(done.studies.len(), 1);
    assert!(
        done.record.left_out["S"].starts_with("it has 10 rows, and 15 are needed"),
        "{:?}",
        done.record.left_out
    );
    assert!(done.record.left_out["F"].starts_with("it is 1 in all of its 60 rows"));
    let alone = forecaster(&store, Double::default()).run(&[rising("S", 10)], false, &mut |_| {});
    assert!(matches!(alone, Err(ForecastError::Flawed(_))));
}

#[test]
fn a_fold_that_fails_is_named_and_left_out_of_all_models() {
    let store = Store::memory().unwrap();
    let model = Double { traps: vec![44], ..Double::default() };
    let mut failed = Vec::new();
    let run = forecaster(&store, model).run(&[rising("A", 60)], false, &mut |event| {
        if let Event::Failed { text, .. } = event {
            failed.push(text);
        }
    });
    let study = done(run.unwrap()).studies.remove(0);
    assert_eq!(failed, ["double (shift = 1), cutoff 1970-02-14: trapped: on purpose"]);
    assert_eq!(study.failures, failed);
    assert_eq!(study.judged.iter().map(|it| it.origins).collect::<Vec<_>>(), [3, 3, 3]);
}

#[test]
fn settings_that_the_function_does_not_take_are_refused_once() {
    let store = Store::memory().unwrap();
    let refused = |change: fn(&mut Settings)| {
        let double = Double::default();
        let mut forecaster = forecaster(&store, double.clone());
        change(&mut forecaster.settings);
        let error = forecaster.run(&[rising("A", 60)], false, &mut |_| {}).unwrap_err();
        assert!(double.calls.load(Ordering::Relaxed) <= 1 && error.exit_code() == 2, "{error}");
        error.to_string()
    };
    let unknown = refused(|it| _ = it.settings.insert("shft".into(), "1".into()));
    assert_eq!(unknown, "function `double` has no setting `shft`; did you mean `shift`?");
    assert!(refused(|it| it.grid[0].1[0] = "x".into()).contains("refuses shift = x: `shift` is no number"));
    assert!(refused(|it| it.grid.push(("shift".into(), vec![]))).contains("lists no value"));
    assert!(
        refused(|it| {
            it.holidays = vec![tallow_forecast::settings::Holidays {
                name: "h".into(),
                days_us: vec![0],
                before: 0,
                after: 0,
            }]
        })
        .contains("takes no holidays")
    );
    assert_eq!(objects(&store), []);
}

#[test]
fn leaked_figures_are_apart_and_better_than_they_should_be() {
    let store = Store::memory().unwrap();
    let mut forecaster = forecaster(&store, Double::default());
    forecaster.settings.leaked = true;
    let study = done(forecaster.run(&[rising("A", 100)], false, &mut |_| {}).unwrap()).studies.remove(0);
    let leaked = study.leaked.unwrap();
    assert_eq!((leaked.train_rows, leaked.test_rows), (80, 20));
    assert_eq!(leaked.averages, ["ma7", "ma30"]);
    assert_eq!(leaked.chosen, [("shift".to_owned(), "1".to_owned())]);
    // 15 rows are learnt from at least, 2 lie between cuts, the newest leaves 5 of the 80.
    assert_eq!(leaked.cross_validated_cuts, 30);
    let metrics = store.get("forecast/daily/000001/symbol=A/metrics.json").unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&metrics).contains("leak"));
    assert!(store.get("forecast/daily/000001/symbol=A/leaked.json").unwrap().is_some());
}

#[test]
fn earlier_forecasts_are_held_beside_what_came_since() {
    let store = Store::memory().unwrap();
    let flat = |days: i64| {
        let mut input = rising("A", 60);
        let more =
            (60..60 + days).map(|day| Point { time_us: day * DAY_US, value: Some(200.0), candle: None });
        input.points.extend(more);
        [input]
    };
    let mut forecaster = forecaster(&store, Double::default());
    forecaster.settings.grid.clear();
    let errors = |days: i64| running::errors(&store, "daily", &flat(days), DAY_US).unwrap();
    done(forecaster.run(&flat(0), false, &mut |_| {}).unwrap());
    assert_eq!(errors(0), [], "nothing has closed since");
    // The double expects the last value, 159.3, and a band of 3 to each side.
    let one = errors(2).remove(0);
    let off = 100.0 * (200.0 - 159.3) / 200.0;
    assert_eq!((one.rows, one.inside, one.newest_us), (2, 0, 61 * DAY_US));
    assert!((one.mape.unwrap() - off).abs() < 1e-9 && one.mape == one.last_value_mape, "{one:?}");
    // A second run knows those two days: what comes after it is held beside it, and the two beside the first.
    done(forecaster.run(&flat(2), false, &mut |_| {}).unwrap());
    let both = errors(4).remove(0);
    assert_eq!((both.rows, both.inside), (4, 2));
    assert!((both.mape.unwrap() - off / 2.0).abs() < 1e-9, "{both:?}");
}
