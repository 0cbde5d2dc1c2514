//! The same fits as Prophet for Python 1.5. Needs a Python with `prophet` and `cmdstanpy`; `TALLOW_TEST_PYTHON` names it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod python;

use std::f64::consts::TAU;

use forecast::forecast;
use forecast_prophet::Prophet;
use python::{Case, Python};
use tallow_contract::forecast::known;

/// A series with a trend that breaks, weeks, years, and noise from a fixed generator.
fn series(days: usize) -> Vec<f64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let value = |day: usize| {
        let at = day as f64;
        let trend = 100.0 + 0.08 * at - 0.15 * (at - days as f64 / 2.0).max(0.0);
        trend + 6.0 * (TAU * at / 365.25).sin() + 3.0 * (TAU * at / 7.0).cos() + 8.0 * noise()
    };
    (0..days).map(value).collect()
}

struct Bars {
    /// How far apart expected values may be, in the history and ahead, as a share of the largest value.
    yhat: f64,
    /// How far apart widths of bands may be, as a share of Python's, in the mean.
    width: f64,
}

const CLOSE: Bars = Bars { yhat: 0.005, width: 0.05 };
/// Newton's method, whose rounding differs from Python's.
const FEW: Bars = Bars { yhat: 0.02, width: 0.25 };

fn same(python: &mut Python, case: &Case, bars: &Bars) {
    let theirs = python.ask(case);
    let ours = forecast::<Prophet>(&case.request()).unwrap();
    let of = |name: &str| known(&ours.forecast, name).unwrap();
    let largest = case.y.iter().fold(0.0, |most, it| f64::max(most, it.abs()));
    let (yhat, lower, upper) = (of("yhat"), of("lower"), of("upper"));
    let apart = |ours: &[f64], theirs: &[f64]| {
        ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f64::max)
    };
    let widths = |lower: &[f64], upper: &[f64]| lower.iter().zip(upper).map(|(l, u)| u - l).sum::<f64>();
    let far = apart(&yhat, &theirs.yhat);
    let trend = apart(&of("trend"), &theirs.trend);
    let width = widths(&lower, &upper) / widths(&theirs.lower, &theirs.upper) - 1.0;
    let parameter = |name: &str| {
        ours.parameters.iter().find(|it| it.name == name).and_then(|it| it.values.first()).copied().unwrap()
    };
    let noise = parameter("sigma-obs") / theirs.sigma_obs - 1.0;
    eprintln!(
        "{}: yhat {:.4} %, trend {:.4} %, width {:+.2} %, noise {:+.3} %, k {:.4}, Python's {:.4}, m {:.4}, Python's {:.4}",
        case.name,
        100.0 * far,
        100.0 * trend,
        100.0 * width,
        100.0 * noise,
        parameter("k"),
        theirs.k,
        parameter("m"),
        theirs.m,
    );
    assert!(far <= bars.yhat, "{}: the forecasts are {:.3} % apart", case.name, 100.0 * far);
    assert!(width.abs() <= bars.width, "{}: the bands differ by {:.1} %", case.name, 100.0 * width);
    assert!(noise.abs() <= 5.0 * bars.yhat, "{}: the noise differs by {:.2} %", case.name, 100.0 * noise);
    assert!((parameter("m") - theirs.m).abs() <= 2.0 * bars.yhat, "{}", case.name);
}

#[test]
fn fits_are_those_of_prophet_for_python() {
    let Some(mut python) = Python::find() else { return };
    let three_years = Case::new("additive", series(1_095));
    for (case, bars) in [
        (three_years.clone(), CLOSE),
        (three_years.named("multiplicative").set("seasonality-mode", "multiplicative"), CLOSE),
        (three_years.named("flat").set("growth", "flat"), CLOSE),
        (three_years.named("logistic").set("growth", "logistic").between(20.0, 220.0), CLOSE),
        (three_years.named("by range").set("scaling", "minmax"), CLOSE),
        (
            three_years.named("flexible").set("changepoint-prior-scale", "0.5").set("n-changepoints", "40"),
            CLOSE,
        ),
        (three_years.named("no changes").set("n-changepoints", "0"), CLOSE),
        (
            three_years
                .named("daily, weekly of order 5")
                .set("daily-seasonality", "true")
                .set("weekly-seasonality", "5"),
            CLOSE,
        ),
        (
            three_years.named("holidays").holidays(&[
                ("sale", 200, -2, 3),
                ("sale", 560, -2, 3),
                ("fair", 900, 0, 0),
            ]),
            CLOSE,
        ),
        (three_years.named("regressors").regressors(), CLOSE),
        (
            three_years
                .named("regressors that multiply")
                .set("seasonality-mode", "multiplicative")
                .regressors(),
            CLOSE,
        ),
        (Case::new("half a year", series(180)), CLOSE),
        (Case::new("99 days", series(99)), FEW),
        (Case::new("20 days", series(20)), FEW),
        (Case::new("5 days", series(5)), FEW),
    ] {
        same(&mut python, &case, &bars);
    }
}

#[test]
fn fits_of_recorded_prices_are_pythons() {
    let Some(closes) = python::recorded_closes() else { return };
    let Some(mut python) = Python::find() else { return };
    let last = closes.len();
    let three_years = &closes[last - 1_095..];
    let logs: Vec<f64> = three_years.iter().map(|it| it.ln()).collect();
    for case in [
        Case::new("prices of three years", three_years.to_vec()),
        Case::new("their logarithms", logs),
        Case::new("all prices", closes),
    ] {
        same(&mut python, &case, &Bars { yhat: 0.02, width: 0.25 });
    }
}
