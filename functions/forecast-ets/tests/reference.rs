//! The backtest that forecasts are held against: BTCUSD by day, 12 cutoffs 90 days apart, 30 days ahead, of the 1,095
//! days before each. The figures are of another program (statsforecast 2.1.1). The recording is optional.

#![allow(clippy::unwrap_used)]

#[path = "../../forecast/testing/recorded.rs"]
mod recorded;

use forecast::{Request, forecast};
use forecast_ets::Ets;
use tallow_contract::Table;
use tallow_contract::forecast::{column, ds, known};

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;
/// 2022-12-09.
const FIRST_CUTOFF_US: i64 = 1_670_544_000 * SECOND_US;
const HORIZON: usize = 30;
const TRAINED: usize = 1_095;

/// Twice the negative log-likelihoods that the crate augurs-ets 0.10.3 finds at the cutoffs, of the model that it
/// chooses, and how many numbers that one has: searches of other programs are not to find a likelier fit of it.
const THEIRS: [(&str, f64, f64); 12] = [
    ("MAN", 4.0, 22532.844),
    ("MAN", 4.0, 22667.251),
    ("MAN", 4.0, 22704.106),
    ("MAN", 4.0, 22863.533),
    ("MAdN", 5.0, 22987.578),
    ("MNN", 2.0, 22903.201),
    ("MNN", 2.0, 22864.748),
    ("MNN", 2.0, 22872.865),
    ("MNN", 2.0, 22849.846),
    ("MNN", 2.0, 22911.391),
    ("MAN", 4.0, 23026.576),
    ("MAN", 4.0, 23158.796),
];

fn request(train: &[(i64, f64)], test: &[(i64, f64)], model: &str) -> Request {
    let times = |rows: &[(i64, f64)]| ds(&rows.iter().map(|(time_us, _)| *time_us).collect::<Vec<_>>());
    let y = column("y", train.iter().map(|(_, y)| *y).collect());
    Request {
        history: Table { rows: train.len() as u32, columns: vec![times(train), y] },
        future: Table { rows: test.len() as u32, columns: vec![times(test)] },
        level: 0.8,
        settings: vec![("model".to_owned(), model.to_owned())],
        ..Request::default()
    }
}

/// The start of a day, and its close.
type Close = (i64, f64);

/// The rows before each cutoff, and those after it.
fn folds(closes: &[Close]) -> impl Iterator<Item = (&[Close], &[Close])> {
    (0..12).map(|fold| {
        let cutoff = closes.partition_point(|(time_us, _)| *time_us <= FIRST_CUTOFF_US + fold * 90 * DAY_US);
        (&closes[cutoff - TRAINED..cutoff], &closes[cutoff..cutoff + HORIZON])
    })
}

#[test]
fn no_other_search_finds_a_likelier_fit() {
    let Some(closes) = recorded::closes("the backtest") else { return };
    for ((train, test), (model, searched, theirs)) in folds(&closes).zip(THEIRS) {
        let made = forecast::<Ets>(&request(train, test, model)).unwrap();
        let criterion = made.parameters.iter().find(|it| it.name == "aicc").unwrap().values[0];
        let (rows, parameters) = (TRAINED as f64, searched + 1.0);
        let paid = 2.0 * parameters + 2.0 * parameters * (parameters + 1.0) / (rows - parameters - 1.0);
        let found = criterion - paid;
        assert!(found < theirs + 0.05 && found > theirs - 10.0, "{model}: {found}, {theirs}");
    }
}

#[test]
fn errors_and_cover_are_near_those_of_another_program() {
    let Some(closes) = recorded::closes("the backtest") else { return };
    let (mut errors, mut inside, mut rows) = (0.0, 0.0, 0.0);
    for (train, test) in folds(&closes) {
        let made = forecast::<Ets>(&request(train, test, "ZZN")).unwrap().forecast;
        let of = |name: &str| known(&made, name).unwrap();
        let (yhat, lower, upper) = (of("yhat"), of("lower"), of("upper"));
        for (row, (_, y)) in test.iter().enumerate() {
            errors += 100.0 * (y - yhat[row]).abs() / y;
            inside += f64::from(u8::from(lower[row] <= *y && *y <= upper[row]));
            rows += 1.0;
        }
    }
    let (error, cover) = (errors / rows, inside / rows);
    // Likelier fits have another growth, which moves the error either way.
    assert!((error - 5.71).abs() < 0.25 && (cover - 0.91).abs() < 0.02, "{error} {cover}");
}
