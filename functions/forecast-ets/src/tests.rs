#![allow(clippy::unwrap_used)]

use forecast::{Outcome, Refusal, Request, forecast};
use tallow_contract::Table;
use tallow_contract::forecast::{column, ds, known};

use super::*;

/// Passengers of airlines by month, 1949 to 1960, in thousands (Box and Jenkins, series G).
#[rustfmt::skip]
const PASSENGERS: [f64; 144] = [
    112.0, 118.0, 132.0, 129.0, 121.0, 135.0, 148.0, 148.0, 136.0, 119.0, 104.0, 118.0,
    115.0, 126.0, 141.0, 135.0, 125.0, 149.0, 170.0, 170.0, 158.0, 133.0, 114.0, 140.0,
    145.0, 150.0, 178.0, 163.0, 172.0, 178.0, 199.0, 199.0, 184.0, 162.0, 146.0, 166.0,
    171.0, 180.0, 193.0, 181.0, 183.0, 218.0, 230.0, 242.0, 209.0, 191.0, 172.0, 194.0,
    196.0, 196.0, 236.0, 235.0, 229.0, 243.0, 264.0, 272.0, 237.0, 211.0, 180.0, 201.0,
    204.0, 188.0, 235.0, 227.0, 234.0, 264.0, 302.0, 293.0, 259.0, 229.0, 203.0, 229.0,
    242.0, 233.0, 267.0, 269.0, 270.0, 315.0, 364.0, 347.0, 312.0, 274.0, 237.0, 278.0,
    284.0, 277.0, 317.0, 313.0, 318.0, 374.0, 413.0, 405.0, 355.0, 306.0, 271.0, 306.0,
    315.0, 301.0, 356.0, 348.0, 355.0, 422.0, 465.0, 467.0, 404.0, 347.0, 305.0, 336.0,
    340.0, 318.0, 362.0, 348.0, 363.0, 435.0, 491.0, 505.0, 404.0, 359.0, 310.0, 337.0,
    360.0, 342.0, 406.0, 396.0, 420.0, 472.0, 548.0, 559.0, 463.0, 407.0, 362.0, 405.0,
    417.0, 391.0, 419.0, 461.0, 472.0, 535.0, 622.0, 606.0, 508.0, 461.0, 390.0, 432.0,
];

fn request(y: &[f64], future: &[i64], settings: &[(&str, &str)]) -> Request {
    let steps: Vec<i64> = (0..y.len() as i64).collect();
    Request {
        history: Table { rows: y.len() as u32, columns: vec![ds(&steps), column("y", y.to_vec())] },
        future: Table { rows: future.len() as u32, columns: vec![ds(future)] },
        level: 0.95,
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Request::default()
    }
}

fn made(y: &[f64], ahead: i64, model: &str) -> Result<Outcome, Refusal> {
    let first = y.len() as i64;
    forecast::<Ets>(&request(y, &(first..first + ahead).collect::<Vec<_>>(), &[("model", model)]))
}

fn of(outcome: &Outcome, name: &str) -> Vec<f64> {
    known(&outcome.forecast, name).unwrap()
}

fn parameter(outcome: &Outcome, name: &str) -> f64 {
    outcome.parameters.iter().find(|it| it.name == name).unwrap().values[0]
}

/// Twice the negative log-likelihood, as R's `ets` counts it, of a fit with so many numbers.
fn unlikely(outcome: &Outcome, rows: usize, searched: usize) -> f64 {
    let (rows, parameters) = (rows as f64, searched as f64 + 1.0);
    let paid = 2.0 * parameters + 2.0 * parameters * (parameters + 1.0) / (rows - parameters - 1.0);
    parameter(outcome, "aicc") - paid
}

fn near(found: &[f64], expected: &[f64], share: f64) {
    let same = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| (found / expected - 1.0).abs() <= share);
    assert!(same, "{found:?}, expected {expected:?}");
}

/// Figures of statsforecast, which follows R's `ets`.
#[test]
fn the_best_model_is_that_of_other_programs_or_likelier() {
    let outcome = made(&PASSENGERS, 10, "ZZN").unwrap();
    assert_eq!(outcome.notes, ["The model is ETS(M,A,N)."]);
    let found = unlikely(&outcome, PASSENGERS.len(), 4);
    let theirs = 2.0 * 831.488_354;
    assert!(found <= theirs + 0.01 && found > theirs - 1.0, "{found}, {theirs}");
}

#[test]
fn errors_that_multiply_give_the_bands_of_other_programs() {
    let outcome = made(&PASSENGERS, 10, "MAN").unwrap();
    let yhat = [436.157, 440.317, 444.478, 448.638, 452.799, 456.959, 461.119, 465.280, 469.440, 473.601];
    near(&of(&outcome, "yhat"), &yhat, 0.01);
    let lower = [345.141, 310.624, 284.429, 262.429, 243.037, 225.445, 209.178, 193.929, 179.483, 165.688];
    near(&of(&outcome, "lower"), &lower, 0.02);
    let upper = [527.172, 570.010, 604.526, 634.847, 662.561, 688.473, 713.060, 736.631, 759.398, 781.514];
    near(&of(&outcome, "upper"), &upper, 0.02);
}

#[test]
fn growth_that_fades_gives_the_bands_of_other_programs() {
    let outcome = made(&PASSENGERS[124..], 10, "AAdN").unwrap();
    let yhat = [432.266, 432.538, 432.756, 432.930, 433.069, 433.180, 433.269, 433.341, 433.398, 433.444];
    near(&of(&outcome, "yhat"), &yhat, 0.01);
    // They take two more from the rows before they divide by them: 13 are left, and here 15.
    let upper = [562.808, 617.151, 658.867, 694.029, 724.996, 752.980, 778.702, 802.633, 825.099, 846.341];
    let wider = (15.0_f64 / 13.0).sqrt();
    let bands =
        of(&outcome, "upper").into_iter().zip(&yhat).map(|(upper, yhat)| yhat + (upper - yhat) * wider);
    near(&bands.collect::<Vec<_>>(), &upper, 0.02);
}

#[test]
fn a_line_is_continued_and_its_growth_is_a_parameter() {
    let line: Vec<f64> = (0..40).map(|step| 5.0 + 2.0 * f64::from(step)).collect();
    let outcome = made(&line, 3, "AAN").unwrap();
    near(&of(&outcome, "yhat"), &[85.0, 87.0, 89.0], 1e-3);
    near(&[parameter(&outcome, "growth"), parameter(&outcome, "level")], &[2.0, 83.0], 1e-2);
}

#[test]
fn a_gap_is_walked_through_with_level_and_growth() {
    let line: Vec<f64> = (0..60).map(|step| 50.0 + 2.0 * f64::from(step) + f64::from(step * 7 % 5)).collect();
    let whole = made(&line, 5, "AAN").unwrap();
    let mut asked = request(&line, &[60, 61, 62, 63, 64], &[("model", "AAN")]);
    asked.history.columns[1].validity = Some(vec![255, 255, 0, 255, 255, 255, 255, 255]);
    let gappy = forecast::<Ets>(&asked).unwrap();
    near(&of(&gappy, "yhat"), &of(&whole, "yhat"), 0.01);
    assert!(gappy.notes[1].starts_with("8 rows are missing"), "{:?}", gappy.notes);
}

#[test]
fn rows_of_the_history_get_what_was_expected_then() {
    let outcome =
        forecast::<Ets>(&request(&PASSENGERS, &[-5, 0, 100, 143, 144], &[("model", "ANN")])).unwrap();
    let yhat = of(&outcome, "yhat");
    // The share of an error that the level takes on is nearly 1: the value before.
    near(&yhat[2..], &[PASSENGERS[99], PASSENGERS[142], PASSENGERS[143]], 1e-3);
    assert_eq!(yhat[0], yhat[1]);
    assert!(outcome.notes.iter().any(|note| note.starts_with("1 rows lie before")), "{:?}", outcome.notes);
}

#[test]
fn few_rows_are_forecast_by_the_last_value_and_that_is_noted() {
    let outcome = made(&[1.0, 3.0, 2.0], 4, "ZZN").unwrap();
    near(&of(&outcome, "yhat"), &[2.0; 4], 1e-12);
    // Squares 4 and 1 over 2 changes; after four steps twice the deviation of one.
    let half: Vec<f64> =
        of(&outcome, "upper").iter().map(|upper| (upper - 2.0) / 1.959_963_984_540_054).collect();
    near(&[half[0], half[3]], &[2.5_f64.sqrt(), 2.0 * 2.5_f64.sqrt()], 1e-9);
    assert!(outcome.notes[0].starts_with("3 rows are too few"), "{:?}", outcome.notes);
    assert!(made(&PASSENGERS[..6], 1, "AAdN").unwrap().notes[0].starts_with("6 rows are too few"));
}

#[test]
fn a_constant_series_stays_and_has_no_band() {
    let outcome = made(&[7.0; 30], 3, "ZZN").unwrap();
    near(&of(&outcome, "yhat"), &[7.0; 3], 1e-9);
    near(&of(&outcome, "upper"), &[7.0; 3], 1e-6);
}

#[test]
fn what_cannot_be_forecast_is_refused_by_name() {
    for (y, ahead, model, wrong) in [
        (vec![1.0, -1.0, 2.0, 3.0], 1, "MNN", "need a `y` above 0"),
        (vec![1.0; 30], 6_000, "ANN", "at most 5000 are forecast"),
        (vec![1.0; 30], 1, "ZZA", "season (N)"),
    ] {
        let said = made(&y, ahead, model).unwrap_err().to_string();
        assert!(said.contains(wrong), "{said}");
    }
    let mut spread = request(&[1.0; 4], &[5_000_000], &[]);
    spread.history.columns[0] = ds(&[0, 1, 1_000_000, 2_000_000]);
    let said = forecast::<Ets>(&spread).unwrap_err().to_string();
    assert!(said.contains("almost all are missing"), "{said}");
}
