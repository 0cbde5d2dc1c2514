//! The backtest that forecasts are held against: BTCUSD by day, 12 cutoffs 90 days apart, 30 days ahead, of the 1,095
//! days before each. The figures are of another program (statsforecast 2.1.1). The recording is optional.

#![allow(clippy::unwrap_used)]

#[path = "../../forecast/testing/recorded.rs"]
mod recorded;

use forecast::{Request, forecast};
use forecast_naive::Naive;
use tallow_contract::Table;
use tallow_contract::forecast::{column, ds, known};

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;
/// 2022-12-09.
const FIRST_CUTOFF_US: i64 = 1_670_544_000 * SECOND_US;
const HORIZON: usize = 30;
const TRAINED: usize = 1_095;

/// Mean absolute error in percent, and the share of values within the band.
fn backtest(closes: &[(i64, f64)], method: &str) -> (f64, f64) {
    let (mut errors, mut inside, mut rows) = (0.0, 0.0, 0.0);
    for fold in 0..12 {
        let cutoff = closes.partition_point(|(time_us, _)| *time_us <= FIRST_CUTOFF_US + fold * 90 * DAY_US);
        let (train, test) = (&closes[cutoff - TRAINED..cutoff], &closes[cutoff..cutoff + HORIZON]);
        let times = |rows: &[(i64, f64)]| ds(&rows.iter().map(|(time_us, _)| *time_us).collect::<Vec<_>>());
        let y = column("y", train.iter().map(|(_, y)| *y).collect());
        let request = Request {
            history: Table { rows: TRAINED as u32, columns: vec![times(train), y] },
            future: Table { rows: HORIZON as u32, columns: vec![times(test)] },
            level: 0.8,
            settings: vec![("method".to_owned(), method.to_owned())],
            ..Request::default()
        };
        let made = forecast::<Naive>(&request).unwrap().forecast;
        let of = |name: &str| known(&made, name).unwrap();
        let (yhat, lower, upper) = (of("yhat"), of("lower"), of("upper"));
        for (row, (_, y)) in test.iter().enumerate() {
            errors += 100.0 * (y - yhat[row]).abs() / y;
            inside += f64::from(u8::from(lower[row] <= *y && *y <= upper[row]));
            rows += 1.0;
        }
    }
    (errors / rows, inside / rows)
}

#[test]
fn errors_and_cover_are_those_of_another_program() {
    let Some(closes) = recorded::closes("the backtest") else { return };
    for (method, error, cover) in [("last", 5.77, 0.88), ("drift", 5.63, 0.88)] {
        let (found, inside) = backtest(&closes, method);
        assert!(
            (found - error).abs() < 0.0051 && (inside - cover).abs() < 0.0051,
            "{method}: {found} {inside}"
        );
    }
}
