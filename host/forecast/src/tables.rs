//! A study's numbers as Parquet and CSV. Columns are called as Prophet and statsforecast call them.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use bytes::Bytes;
use tallow_table::File;

use crate::error::ForecastError;
use crate::request::Fitted;
use crate::series::day;
use crate::settings::Settings;
use crate::study::Study;

/// One row of a table of forecasts.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    ds_us: i64,
    cutoff_us: Option<i64>,
    model: String,
    /// 1 for the first step after the cutoff.
    step: i64,
    y: Option<f64>,
    yhat: f64,
    lower: f64,
    upper: f64,
}

/// `forecast.parquet`: every row of the series that was learnt from, and the horizon; `y` is null where it is not known.
pub fn forecast(path: &str, study: &Study, settings: &Settings) -> Result<File, ForecastError> {
    let fitted = &study.forecast;
    let rows = forecast_rows(study, settings);
    let mut columns = columns(&rows, study, settings);
    for (name, values) in &fitted.components {
        columns.push((name.clone(), Arc::new(Float64Array::from(values.clone()))));
    }
    file(path, columns)
}

fn forecast_rows(study: &Study, settings: &Settings) -> Vec<Row> {
    let fitted = &study.forecast;
    let learnt = fitted.ds_us.len().saturating_sub(settings.horizon);
    let y = &study.series.y[study.series.len() - learnt..];
    let row = |index: usize| Row {
        ds_us: fitted.ds_us[index],
        cutoff_us: None,
        model: settings.function.clone(),
        step: (index + 1).saturating_sub(learnt) as i64,
        y: y.get(index).copied(),
        yhat: fitted.yhat[index],
        lower: fitted.lower[index],
        upper: fitted.upper[index],
    };
    (0..fitted.ds_us.len()).map(row).collect()
}

/// `components.parquet`: a row per time and component; of a logarithm's, in logarithms.
pub fn components(path: &str, study: &Study) -> Result<File, ForecastError> {
    let fitted = &study.forecast;
    let (mut ds, mut names, mut shares, mut values) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (row, ds_us) in fitted.ds_us.iter().enumerate() {
        for (name, of) in &fitted.components {
            ds.push(*ds_us);
            names.push(name.clone());
            shares.push(fitted.multiplicative.contains(name));
            values.push(of[row]);
        }
    }
    let ids = vec![study.series.symbol.clone(); ds.len()];
    let columns: Vec<(String, ArrayRef)> = vec![
        ("unique_id".to_owned(), Arc::new(StringArray::from(ids))),
        ("ds".to_owned(), Arc::new(TimestampMicrosecondArray::from(ds))),
        ("component".to_owned(), Arc::new(StringArray::from(names))),
        ("multiplicative".to_owned(), Arc::new(BooleanArray::from(shares))),
        ("value".to_owned(), Arc::new(Float64Array::from(values))),
    ];
    file(path, columns)
}

/// `cross-validation.parquet`: every step of every origin, of the model, the last value and drift.
pub fn cross_validation(path: &str, study: &Study, settings: &Settings) -> Result<File, ForecastError> {
    file(path, columns(&judged_rows(study, settings, true), study, settings))
}

/// `actual-vs-predicted.parquet`: the same of the chosen model alone.
pub fn actual_vs_predicted(path: &str, study: &Study, settings: &Settings) -> Result<File, ForecastError> {
    file(path, columns(&judged_rows(study, settings, false), study, settings))
}

/// `actual-vs-predicted.csv`.
pub fn actual_vs_predicted_csv(study: &Study, settings: &Settings) -> Bytes {
    let mut out = String::from("unique_id,ds,cutoff,step,model,actual,predicted,lower,upper,error\n");
    for row in judged_rows(study, settings, false) {
        let (ds, cutoff) = (day(row.ds_us), row.cutoff_us.map(day).unwrap_or_default());
        let (id, y) = (quoted(&study.series.symbol), row.y.unwrap_or(f64::NAN));
        let Row { step, model, yhat, lower, upper, .. } = &row;
        _ = writeln!(
            out,
            "{id},{ds},{cutoff},{step},{},{y},{yhat},{lower},{upper},{}",
            quoted(model),
            y - yhat
        );
    }
    out.into_bytes().into()
}

/// A cell of CSV; in quotes where it has to be.
fn quoted(text: &str) -> String {
    match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// By time, then cutoff, then in the order of the models.
fn judged_rows(study: &Study, settings: &Settings, all: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for judging in &study.judgings {
        let mut of = |model: &str, fitted: &Fitted| {
            for (step, row) in judging.origin.test.clone().enumerate() {
                rows.push(Row {
                    ds_us: study.series.ds_us[row],
                    cutoff_us: Some(judging.cutoff_us),
                    model: model.to_owned(),
                    step: step as i64 + 1,
                    y: Some(study.series.y[row]),
                    yhat: fitted.yhat[step],
                    lower: fitted.lower[step],
                    upper: fitted.upper[step],
                });
            }
        };
        of(&settings.function, &judging.model);
        if all {
            of("last value", &judging.last);
            of("drift", &judging.drift);
        }
    }
    rows.sort_by_key(|row| (row.ds_us, row.cutoff_us));
    rows
}

fn columns(rows: &[Row], study: &Study, settings: &Settings) -> Vec<(String, ArrayRef)> {
    let numbers =
        |of: fn(&Row) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Float64Array>()) };
    let times = |of: fn(&Row) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<TimestampMicrosecondArray>())
    };
    let texts = |of: &dyn Fn(&Row) -> String| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row))).collect::<StringArray>())
    };
    let named = |name: &str, values: ArrayRef| (name.to_owned(), values);
    vec![
        named("unique_id", texts(&|_| study.series.symbol.clone())),
        named("ds", times(|row| Some(row.ds_us))),
        named("cutoff", times(|row| row.cutoff_us)),
        named("step", Arc::new(rows.iter().map(|row| Some(row.step)).collect::<Int64Array>())),
        named("model", texts(&|row| row.model.clone())),
        named("y", numbers(|row| row.y)),
        named("yhat", numbers(|row| Some(row.yhat))),
        named("yhat_lower", numbers(|row| Some(row.lower))),
        named("yhat_upper", numbers(|row| Some(row.upper))),
        named("level", Arc::new(Float64Array::from(vec![settings.level; rows.len()]))),
    ]
}

fn file(path: &str, columns: Vec<(String, ArrayRef)>) -> Result<File, ForecastError> {
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    let rows = RecordBatch::try_from_iter_with_nullable(columns).map_err(ForecastError::unwritable(path))?;
    Ok(File::of_rows(path, &rows, "ds", &[])?)
}
