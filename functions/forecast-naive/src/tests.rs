#![allow(clippy::unwrap_used)]

use forecast::{Outcome, Refusal, Request, forecast};
use tallow_contract::forecast::{column, ds, known};
use tallow_contract::{Column, Table};

use super::*;

const DAY_US: i64 = 86_400_000_000;

fn request(days: &[i64], y: &[f64], future: &[i64], settings: &[(&str, &str)]) -> Request {
    let times = |days: &[i64]| ds(&days.iter().map(|day| day * DAY_US).collect::<Vec<_>>());
    let table = |days: &[i64], columns: Vec<Column>| Table { rows: days.len() as u32, columns };
    Request {
        history: table(days, vec![times(days), column("y", y.to_vec())]),
        future: table(future, vec![times(future)]),
        level: 0.8,
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Request::default()
    }
}

fn made(days: &[i64], y: &[f64], future: &[i64], settings: &[(&str, &str)]) -> Result<Outcome, Refusal> {
    forecast::<Naive>(&request(days, y, future, settings))
}

fn of(outcome: &Outcome, name: &str) -> Vec<f64> {
    known(&outcome.forecast, name).unwrap()
}

/// Half of the band, in units of the quantile of 90 %.
fn deviations(outcome: &Outcome) -> Vec<f64> {
    let pairs = of(outcome, "upper").into_iter().zip(of(outcome, "lower"));
    pairs.map(|(upper, lower)| (upper - lower) / 2.0 / 1.281_551_565_544_600_4).collect()
}

fn near(found: &[f64], expected: &[f64]) {
    let same = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9);
    assert!(same, "{found:?}, expected {expected:?}");
}

#[test]
fn the_last_value_stays_and_its_band_grows_with_the_root() {
    // Changes 2, -1, 2: their mean square is 3.
    let outcome = made(&[0, 1, 2, 3], &[1.0, 3.0, 2.0, 4.0], &[4, 7], &[]).unwrap();
    near(&of(&outcome, "yhat"), &[4.0, 4.0]);
    near(&deviations(&outcome), &[3f64.sqrt(), 12f64.sqrt()]);
    assert_eq!(outcome.notes, Vec::<String>::new());
}

#[test]
fn drift_continues_the_line_through_both_ends() {
    // Residuals 1, -2, 1 of a slope of 1: squares 6, over 3 less the slope. After two steps of three:
    // 3 * 2 * (1 + 2/3).
    let outcome = made(&[0, 1, 2, 3], &[1.0, 3.0, 2.0, 4.0], &[4, 5], &[("method", "drift")]).unwrap();
    near(&of(&outcome, "yhat"), &[5.0, 6.0]);
    near(&deviations(&outcome), &[4f64.sqrt(), 10f64.sqrt()]);
}

#[test]
fn a_season_repeats_and_its_band_grows_with_each() {
    // A season of two: residuals 2, 2.
    let settings = [("method", "seasonal-naive"), ("season", "2")];
    let outcome = made(&[0, 1, 2, 3], &[1.0, 5.0, 3.0, 7.0], &[4, 5, 6, 9], &settings).unwrap();
    near(&of(&outcome, "yhat"), &[3.0, 7.0, 3.0, 7.0]);
    near(&deviations(&outcome), &[2.0, 2.0, 8f64.sqrt(), 12f64.sqrt()]);
}

#[test]
fn the_mean_has_the_deviation_of_the_values() {
    let outcome = made(&[0, 1, 2], &[1.0, 2.0, 3.0], &[3, 9], &[("method", "mean")]).unwrap();
    near(&of(&outcome, "yhat"), &[2.0, 2.0]);
    near(&deviations(&outcome), &[(4.0 / 3f64).sqrt(); 2]);
}

#[test]
fn rows_of_the_history_get_what_was_expected_then() {
    let outcome = made(&[0, 1, 2], &[1.0, 3.0, 2.0], &[0, 1, 2, 3], &[]).unwrap();
    near(&of(&outcome, "yhat"), &[1.0, 1.0, 3.0, 2.0]);
    assert!(outcome.notes[0].starts_with("1 rows have nothing before them"), "{:?}", outcome.notes);
}

#[test]
fn a_gap_is_as_many_steps_and_is_noted() {
    // Over four steps a change of 4 is one of 2 per root of a step, as is the other one.
    let outcome = made(&[0, 1, 2, 6], &[0.0, 2.0, 4.0, 8.0], &[7], &[]).unwrap();
    near(&deviations(&outcome), &[2.0]);
    assert!(outcome.notes[0].starts_with("3 rows are missing"), "{:?}", outcome.notes);
}

#[test]
fn a_series_that_is_too_short_is_refused_or_has_no_band() {
    let said = |settings| made(&[0, 1], &[1.0, 2.0], &[2], settings).unwrap_err().to_string();
    let season = said(&[("method", "seasonal-naive")]);
    assert!(season.starts_with("no two of the 2 rows with a `y` are a `season` of 7 rows apart"), "{season}");
    let drift = made(&[0, 1], &[1.0, 2.0], &[2], &[("method", "drift")]).unwrap();
    near(&deviations(&drift), &[0.0]);
    assert!(drift.notes[0].starts_with("The band has no width"), "{:?}", drift.notes);
    let short = made(&[0], &[1.0], &[1], &[]).unwrap_err().to_string();
    assert_eq!(short, "the history has 1 rows with a `y` (of 1), and at least 2 are needed");
}

#[test]
fn what_it_does_not_take_is_refused_by_name() {
    let sound = request(&[0, 1, 2], &[1.0, 2.0, 3.0], &[3], &[]);
    for (request, wrong) in [
        (
            Request { regressors: vec!["ma7".to_owned()], ..sound.clone() },
            "takes no regressors: leave out `ma7`",
        ),
        (Request { level: 1.0, ..sound.clone() }, "`level` is 1"),
        (Request { level: f64::NAN, ..sound.clone() }, "`level` is NaN"),
        (Request { settings: vec![("metod".into(), "last".into())], ..sound }, "did you mean `method`?"),
    ] {
        let said = forecast::<Naive>(&request).unwrap_err().to_string();
        assert!(said.contains(wrong), "{said}");
    }
}

#[test]
fn numbers_that_overflow_are_refused_and_never_infinite() {
    let said = made(&[0, 1, 2], &[f64::MAX, -f64::MAX, f64::MAX], &[3], &[]).unwrap_err().to_string();
    assert!(said.contains("beyond what a number can hold"), "{said}");
}
