//! `[application.trigger.kafka.forecast.NAME]`: what it means, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;

use common::{MINIMAL, errors, read};
use tallow_manifest::{Forecast, Holidays};

const DAY_US: i64 = 86_400_000_000;

fn manifest(lines: &str) -> String {
    format!(
        "{MINIMAL}\n[application.trigger.kafka.forecast.daily]\n{lines}\n[component.forecast-prophet]\nsource = \
         \"p.wasm\"\n[component.forecast-naive]\nsource = \"n.wasm\"\n"
    )
}

fn forecast(lines: &str) -> Forecast {
    read(&manifest(lines)).unwrap().forecasts.remove(0)
}

#[test]
fn what_is_left_out_is_what_most_want() {
    assert_eq!(
        forecast(""),
        Forecast {
            name: "daily".into(),
            table: "serving/daily".into(),
            key: "symbol".into(),
            symbols: None,
            function: "forecast-prophet".into(),
            naive: "forecast-naive".into(),
            column: "close".into(),
            step_us: DAY_US as u64,
            horizon: 30,
            settings: BTreeMap::new(),
            grid: vec![],
            folds: 12,
            choose_folds: 4,
            spacing: 30,
            train: None,
            averages: vec![],
            holidays: vec![],
            log: false,
            cap: None,
            floor: None,
            level: 0.8,
            seed: 42,
            leaked: false,
            auto: false,
        }
    );
}

#[test]
fn everything_can_be_said() {
    let found = forecast(
        "table = \"prophet_input/d\"\nsymbols = [\"A\"]\nhorizon = 7\ntrain = 90\naverages = [7, 30]\nlog = true\ncap = 9\n\
         floor = 0.5\nlevel = 0.9\nsettings = { growth = \"flat\", n = 3 }\ngrid = { mode = [\"add\", \"mul\"], scale = [0.01, 5, true] }\n\
         holidays = { halving = { days = [\"1970-01-03\", \"1970-01-02\"], before = 7, after = 8 }, x = { days = \
         [\"1970-01-01\"] } }",
    );
    assert_eq!((found.table.as_str(), found.symbols), ("prophet_input/d", Some(vec!["A".to_owned()])));
    assert_eq!((found.horizon, found.spacing, found.train, found.averages), (7, 7, Some(90), vec![7, 30]));
    assert_eq!((found.cap, found.floor), (Some(9.0), Some(0.5)));
    let texts = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        found.grid,
        [("mode".to_owned(), texts(&["add", "mul"])), ("scale".to_owned(), texts(&["0.01", "5", "true"]))]
    );
    assert_eq!(found.settings["n"], "3");
    let of = |name: &str, days: &[i64], before, after| Holidays {
        name: name.into(),
        days_us: days.iter().map(|day| day * DAY_US).collect(),
        before,
        after,
    };
    assert_eq!(found.holidays, [of("halving", &[1, 2], 7, 8), of("x", &[0], 0, 0)]);
}

#[test]
fn mistakes_are_named_with_what_to_do() {
    for (lines, wanted) in [
        ("table = \"speed/x\"", "write it as serving/NAME"),
        ("horizon = 0", "out of range"),
        ("level = 1.0", "a number between 0 and 1"),
        ("cap = \"high\"", "a number"),
        ("averages = [7, 7]", "is here twice"),
        ("grid = { mode = [] }", "list at least one value"),
        ("grid = { mode = \"add\" }", "a list of values"),
        ("holidays = { h = {} }", "`days` is missing"),
        ("holidays = { h = { days = [\"tomorrow\"] } }", "write a day like"),
        ("holidays = { h = { days = [\"2024-01-01\"], befor = 1 } }", "did you mean `before`?"),
        (
            "function = \"forecast-prophe\"",
            "there is no [component.forecast-prophe]; did you mean `forecast-prophet`?",
        ),
        ("naive = \"none\"", "there is no [component.none]"),
        ("horizn = 3", "did you mean `horizon`?"),
    ] {
        let errors = errors(&manifest(lines));
        assert_eq!(errors.len(), 1, "{lines}: {errors:#?}");
        assert!(errors[0].contains(wanted) && errors[0].contains("forecast.daily"), "{}", errors[0]);
    }
}
