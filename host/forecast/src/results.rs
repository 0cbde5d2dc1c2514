//! What is written of a symbol, and what of a run.

use bytes::Bytes;
use serde_json::{Value, json};
use tallow_lake::forecast as paths;
use tallow_store::{Body, Digest, Store};

use crate::error::ForecastError;
use crate::report;
use crate::settings::Settings;
use crate::study::Study;
use crate::{chart_svg, grid, tables};

/// Writes a symbol's files, and last the record that says that they are whole.
pub fn write(store: &Store, number: u64, study: &Study, settings: &Settings) -> Result<(), ForecastError> {
    let symbol = &study.series.symbol;
    let at = |file: &str| paths::file(&settings.name, number, symbol, file);
    let mut digests: Vec<(String, Digest)> = Vec::new();
    let mut put = |file: &str, bytes: Bytes| -> Result<(), ForecastError> {
        digests.push((file.to_owned(), Digest::of(&bytes)));
        Ok(store.put_overwrite(&at(file), bytes)?)
    };
    let parquet = |file: tallow_table::File, name: &str| {
        whole(&file.body).map_err(ForecastError::unwritable(&at(name)))
    };
    for name in
        ["forecast.parquet", "components.parquet", "cross-validation.parquet", "actual-vs-predicted.parquet"]
    {
        let path = at(name);
        let file = match name {
            "forecast.parquet" => tables::forecast(&path, study, settings)?,
            "components.parquet" => tables::components(&path, study)?,
            "cross-validation.parquet" => tables::cross_validation(&path, study, settings)?,
            _ => tables::actual_vs_predicted(&path, study, settings)?,
        };
        put(name, parquet(file, name)?)?;
    }
    put("actual-vs-predicted.csv", tables::actual_vs_predicted_csv(study, settings))?;
    put("metrics.json", pretty(&metrics(study, settings)))?;
    if let Some(leaked) = &study.leaked {
        put("leaked.json", pretty(&json!({ "leaked": leaked })))?;
    }
    put("chart.svg", chart_svg::draw(study, settings).into_bytes().into())?;
    let files: serde_json::Map<String, Value> =
        digests.into_iter().map(|(name, digest)| (name, json!(digest))).collect();
    let record = json!({
        "symbol": symbol,
        "verdict": study.verdict,
        "input": study.series.digest(),
        "files": files,
    });
    Ok(store.put_overwrite(&paths::symbol_record(&settings.name, number, symbol), pretty(&record))?)
}

/// All bytes of a body, also of one that is in a scratch file.
fn whole(body: &Body) -> std::io::Result<Bytes> {
    body.read(0..body.length())
}

/// The honest figures of a symbol.
pub fn metrics(study: &Study, settings: &Settings) -> Value {
    let Study { judged, scored, chosen, judgings, remarks, failures, .. } = study;
    let origin = |judging: &crate::study::Judging| {
        let fold =
            |fitted| crate::fits::fold(&study.series, &judging.origin.train, &judging.origin.test, fitted);
        let both = |fitted| {
            let fold = fold(fitted);
            json!({ "mape": crate::measures::mape(&fold), "mase": crate::measures::mase(&fold) })
        };
        json!({
            "cutoff": crate::series::day(judging.cutoff_us),
            "train_rows": judging.origin.train.len(),
            "model": both(&judging.model),
            "last value": both(&judging.last),
            "drift": both(&judging.drift),
        })
    };
    json!({
        "symbol": study.series.symbol,
        "verdict": study.verdict,
        "settings": chosen.iter().cloned().collect::<std::collections::BTreeMap<String, String>>(),
        "chosen_by": scored,
        "models": judged.iter().map(|it| (it.model.clone(), json!(it))).collect::<serde_json::Map<_, _>>(),
        "origins": judgings.iter().map(origin).collect::<Vec<_>>(),
        "parameters": study.forecast.parameters.iter().map(|(name, values)| json!({ "name": name, "values": values })).collect::<Vec<_>>(),
        "rows": study.series.len(),
        "horizon": settings.horizon,
        "level": settings.level,
        "remarks": remarks,
        "failures": failures,
    })
}

/// What is written of the whole run but its record.
pub fn write_run(
    store: &Store,
    number: u64,
    studies: &[Study],
    left_out: &[(String, String)],
    settings: &Settings,
) -> Result<(), ForecastError> {
    let symbols: serde_json::Map<String, Value> =
        studies.iter().map(|study| (study.series.symbol.clone(), metrics(study, settings))).collect();
    let left: serde_json::Map<String, Value> =
        left_out.iter().map(|(symbol, why)| (symbol.clone(), json!(why))).collect();
    let leaked: serde_json::Map<String, Value> = studies
        .iter()
        .filter_map(|study| Some((study.series.symbol.clone(), json!(study.leaked.as_ref()?))))
        .collect();
    let mut all = json!({ "symbols": symbols, "left_out": left });
    if settings.leaked {
        all["leaked"] = leaked.into();
    }
    store.put_overwrite(&paths::metrics(&settings.name, number), pretty(&all))?;
    let page = report::page(studies, left_out, settings, number);
    Ok(store.put_overwrite(&paths::report(&settings.name, number), page.into_bytes())?)
}

/// The settings that were chosen, for people.
pub fn chosen(study: &Study) -> String {
    grid::name(&study.chosen)
}

pub fn pretty(value: &Value) -> Bytes {
    format!("{value:#}\n").into_bytes().into()
}
