//! `tallow forecast` over files: what it says and writes, what it refuses, and that a killed run leaves no trace.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tallow_env::{Clock, SystemClock};
use tallow_tests::batch::{recordings, summary};
use tallow_tests::{paths, tallow};
use tempfile::TempDir;

/// A folder with files of klines and a lake.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::with_prefix("tallow-forecast-").unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file of daily klines, as an exchange's CSV.
    fn klines(&self, name: &str, closes: &[(i64, f64)]) {
        let mut text = String::from("open_time,open,high,low,close,volume\n");
        for (day, close) in closes {
            let open_ms = (18_262 + day) * 86_400_000;
            writeln!(text, "{open_ms},{close},{close},{close},{close},1").unwrap();
        }
        fs::write(self.path(name), text).unwrap();
    }

    fn arguments(&self, glob: &str, more: &[&str]) -> Vec<String> {
        let (input, lake) = (self.path(glob).display().to_string(), self.path("lake").display().to_string());
        let functions = paths::functions().display().to_string();
        let fixed = [
            "forecast",
            "--input",
            &input,
            "--lake",
            &lake,
            "--functions",
            &functions,
            "--symbol-from",
            "([A-Z]+)\\.csv",
            "--function",
            "forecast-ets",
        ];
        fixed.into_iter().chain(more.iter().copied()).map(str::to_owned).collect()
    }

    fn run(&self, glob: &str, more: &[&str]) -> tallow::Finished {
        tallow::run(&self.arguments(glob, more))
    }

    /// Every object of the lake. The object of a probe that was killed is none of the run: it goes an hour later.
    fn objects(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(&self.path("lake"), &self.path("lake"), &mut found);
        found
    }
}

fn collect(lake: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(lake, &path, found);
        } else if !path.display().to_string().contains('#') && !folder.ends_with("_tallow/probe") {
            // A file with a `#` was being written by a process that was killed: no object.
            found.insert(path.strip_prefix(lake).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

/// A value that wanders, by a generator of the test's own.
fn wandering(days: i64) -> Vec<(i64, f64)> {
    let mut state = 7_u64;
    let mut value = 1_000.0;
    (0..days)
        .map(|day| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            value *= 1.0 + ((state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5) / 20.0;
            (day, (value * 100.0_f64).round() / 100.0)
        })
        .collect()
}

#[test]
fn a_run_says_whether_it_beats_the_last_value_and_writes_all() {
    let place = Place::new();
    place.klines("AAA.csv", &wandering(500));
    let finished = place.run("AAA.csv", &["--logarithm"]).success();
    let first = finished.stdout.lines().next().unwrap();
    assert!(first.starts_with("AAA: ETS ") && first.contains("the last value: MASE "), "{}", finished.stdout);
    for text in ["last value", "drift", "12 cuts", "• known", "forecast/series/000001/report.html"] {
        assert!(finished.stdout.contains(text), "{text}: {}", finished.stdout);
    }
    let objects = place.objects();
    let names: Vec<String> = objects.keys().map(|path| path.display().to_string()).collect();
    let run = "forecast/series/000001";
    for file in [
        "report.html",
        "metrics.json",
        "plan.json",
        "run.json",
        "symbol=AAA/forecast.parquet",
        "symbol=AAA/components.parquet",
        "symbol=AAA/cross-validation.parquet",
        "symbol=AAA/actual-vs-predicted.parquet",
        "symbol=AAA/actual-vs-predicted.csv",
        "symbol=AAA/metrics.json",
        "symbol=AAA/chart.svg",
        "symbol=AAA/result.json",
    ] {
        assert!(names.contains(&format!("{run}/{file}")), "{file}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("_tallow/forecast")), "fits are cleared: {names:?}");
    let csv =
        fs::read_to_string(place.path(&format!("lake/{run}/symbol=AAA/actual-vs-predicted.csv"))).unwrap();
    assert_eq!(csv.lines().count(), 1 + 12 * 30);
}

#[test]
fn the_naive_figures_are_those_of_the_definitions() {
    let place = Place::new();
    let days = wandering(500);
    place.klines("AAA.csv", &days);
    let finished = place.run("AAA.csv", &["--json"]).success();
    let found = &summary(&finished.stdout)["symbols"][0]["models"]["last value"]["all"];
    let (mut mape, mut mase) = (0.0, 0.0);
    for fold in 0..12 {
        let cut = 500 - 30 - 30 * fold;
        let train: Vec<f64> = days[..cut].iter().map(|(_, y)| *y).collect();
        let moves: f64 = train.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
        let errors = || days[cut..cut + 30].iter().map(|(_, y)| ((y - train[cut - 1]).abs(), *y));
        mape += errors().map(|(e, y)| 100.0 * e / y).sum::<f64>() / 30.0 / 12.0;
        mase += errors().map(|(e, _)| e).sum::<f64>() / 30.0 / (moves / (cut - 1) as f64) / 12.0;
    }
    let near = |name: &str, wanted: f64| (found[name].as_f64().unwrap() - wanted).abs() < 1e-9;
    assert!(near("mape", mape) && near("mase", mase), "{found} and {mape}, {mase}");
}

#[test]
fn growth_between_bounds_stays_between_them() {
    let place = Place::new();
    // From 100 to 300, half of the way by day 200.
    let grown = |day: i64| 100.0 + 200.0 / (1.0 + (-(day - 200) as f64 / 40.0).exp());
    place.klines("AAA.csv", &(0..500).map(|day| (day, grown(day))).collect::<Vec<_>>());
    let asked = |more: &[&str]| {
        let mut all = place.arguments("AAA.csv", &["--folds", "2"]);
        all.last_chunk_mut::<3>().unwrap()[0] = "forecast-prophet".to_owned();
        all.extend(more.iter().map(|it| (*it).to_owned()));
        tallow::run(&all)
    };
    let bounds = ["--set", "growth=logistic", "--cap", "300", "--floor", "100"];
    for (run, more) in [(1, &[][..]), (2, &["--logarithm"])] {
        asked(&[&bounds[..], more].concat()).success();
        let csv = format!("lake/forecast/series/{run:06}/symbol=AAA/actual-vs-predicted.csv");
        let csv = fs::read_to_string(place.path(&csv)).unwrap();
        let predicted: Vec<f64> =
            csv.lines().skip(1).map(|line| line.split(',').nth(6).unwrap().parse().unwrap()).collect();
        assert!(
            predicted.len() == 60 && predicted.iter().all(|y| (298.0..300.5).contains(y)),
            "{predicted:?}"
        );
    }
    for (more, wanted) in [
        (&bounds[..2], "`growth` is logistic, so `cap` is needed"),
        (&["--set", "growth=logistic", "--cap", "3", "--floor", "4"], "`floor` is not below `cap`"),
        (&["--set", "growth=logistic", "--cap", "3", "--floor", "-4", "--logarithm"], "have to be above 0"),
        (&["--cap", "3"], "no setting of the function asks for growth between bounds"),
    ] {
        let finished = asked(more);
        assert!(finished.status.code() == Some(2) && finished.stderr.contains(wanted), "{}", finished.stderr);
    }
}

#[test]
fn killed_at_any_moment_and_run_again_it_gives_the_same_bytes() {
    let straight = Place::new();
    let all = ["--logarithm", "--threads", "2"];
    let symbols = |place: &Place| {
        place.klines("AAA.csv", &wandering(500));
        place.klines("BBB.csv", &wandering(480));
    };
    symbols(&straight);
    straight.run("*.csv", &all).success();
    let wanted = straight.objects();
    let clock = SystemClock::new();
    for wait_ms in [60, 150, 300, 500, 800] {
        let place = Place::new();
        symbols(&place);
        let running = tallow::start(&place.arguments("*.csv", &all));
        clock.sleep(Duration::from_millis(wait_ms));
        drop(running);
        place.run("*.csv", &all).success();
        let found = place.objects();
        let differ: Vec<_> =
            wanted.keys().chain(found.keys()).filter(|path| wanted.get(*path) != found.get(*path)).collect();
        assert!(differ.is_empty(), "killed after {wait_ms} ms: {differ:?}");
    }
}

#[test]
fn runs_are_listed_restored_and_not_made_twice() {
    let place = Place::new();
    place.klines("AAA.csv", &wandering(500));
    let said = |more: &[&str]| place.run("AAA.csv", more).success().stdout;
    assert!(said(&["--list"]).contains("there are no runs"));
    said(&[]);
    assert!(said(&[]).contains("nothing to do: run 1 has it"));
    assert!(said(&["--logarithm"]).contains("series: run 2"));
    assert!(said(&["--restore", "1"]).contains("run 3 has the results of run 1"));
    let listed = said(&["--list"]);
    assert!(listed.contains("run 1") && listed.contains("000001/report.html"), "{listed}");
    let unknown = place.run("AAA.csv", &["--restore", "9"]);
    assert!(unknown.stderr.contains("there is no run 9; there are: 1, 2, 3"), "{}", unknown.stderr);
}

#[test]
fn a_symbol_that_is_too_short_is_named_and_the_other_goes_on() {
    let place = Place::new();
    place.klines("AAA.csv", &wandering(500));
    place.klines("SHORT.csv", &wandering(40));
    let said = place.run("*.csv", &[]).success().stdout;
    assert!(said.contains("SHORT: not forecast: it has 40 rows, and 90 are needed"), "{said}");
    assert!(said.starts_with("AAA: ETS "), "{said}");
}

#[test]
fn what_cannot_be_forecast_is_refused_with_what_to_do() {
    let place = Place::new();
    place.klines("AAA.csv", &wandering(500));
    place.klines("SHORT.csv", &wandering(40));
    place.klines("FLAT.csv", &(0..400).map(|day| (day, 5.0)).collect::<Vec<_>>());
    let gaps: Vec<(i64, f64)> = wandering(500).into_iter().filter(|(day, _)| day % 10 > 2).collect();
    place.klines("GAPS.csv", &gaps);
    fs::write(place.path("JSON.csv"), "{\n\"candles\": []}").unwrap();
    for (glob, more, wanted) in [
        ("NONE.csv", vec![], "no file matches"),
        ("SHORT.csv", vec![], "it has 40 rows"),
        ("FLAT.csv", vec![], "it is 5 in all of its 400 rows"),
        ("GAPS.csv", vec![], "steps are missing, the longest gap 3"),
        ("JSON.csv", vec![], "Write the candles as CSV"),
        ("AAA.csv", vec!["--set", "sesaon=7"], "has no setting `sesaon`"),
        ("AAA.csv", vec!["--set", "season"], "write it as NAME=VALUE"),
        ("AAA.csv", vec!["--average", "7"], "takes no regressors"),
        ("AAA.csv", vec!["--holiday", "h=2020-01-01"], "takes no holidays"),
        ("AAA.csv", vec!["--holiday", "h=yesterday"], "write a day like"),
        ("AAA.csv", vec!["--level", "1.5"], "between 0 and 1"),
        ("AAA.csv", vec!["--horizon", "0"], "out of range"),
    ] {
        let finished = place.run(glob, &more);
        assert!(!finished.status.success(), "{glob} {more:?}: {}", finished.stdout);
        assert!(finished.stderr.contains(wanted), "{glob} {more:?}: {}", finished.stderr);
        assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
    }
    let mut unknown = place.arguments("AAA.csv", &[]);
    unknown.pop();
    unknown.push("forecast-magic".to_owned());
    let finished = tallow::run(&unknown);
    assert!(finished.stderr.contains("[component.forecast-magic]"), "{}", finished.stderr);
}

/// The figures of another program on the same series: 12 cuts, 90 days apart, 30 days ahead, 1 095 days learnt from.
#[test]
fn the_reference_backtest_is_reproduced() {
    let Some(folder) = recordings("the_reference_backtest_is_reproduced", "daily") else { return };
    let file = folder.join("BTCUSD_1d_2011-2025.csv.gz").display().to_string();
    let place = Place::new();
    let (lake, functions) =
        (place.path("lake").display().to_string(), paths::functions().display().to_string());
    let figures = |function: &str, more: &[&str]| -> Value {
        let fixed =
            ["forecast", "--input", &file, "--symbol", "BTCUSD", "--lake", &lake, "--functions", &functions];
        let cuts = ["--spacing", "90", "--train", "1095", "--json", "--function", function];
        let all: Vec<&str> = fixed.iter().chain(&cuts).chain(more).copied().collect();
        summary(&tallow::run(&all).success().stdout)["symbols"][0]["models"].clone()
    };
    let mape = |figures: &Value, model: &str| figures[model]["all"]["mape"].as_f64().unwrap();
    let ets = figures("forecast-ets", &[]);
    assert!((mape(&ets, "last value") - 5.77).abs() < 0.05, "{ets}");
    assert!((mape(&ets, "drift") - 5.63).abs() < 0.05, "{ets}");
    assert!((ets["last value"]["all"]["mase"].as_f64().unwrap() - 3.50).abs() < 0.01, "{ets}");
    // Another optimiser ends elsewhere: within a tenth.
    for (more, wanted) in [(&[][..], 17.94), (&["--logarithm"][..], 9.68)] {
        let found = mape(&figures("forecast-prophet", more), "forecast-prophet");
        assert!((found / wanted - 1.0).abs() < 0.1, "{found} is not {wanted}");
    }
}
