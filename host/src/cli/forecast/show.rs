//! How a forecast shows its progress and its results.

use std::time::Duration;

use serde_json::json;
use tallow_forecast::figures::{FIGURES, figures};
use tallow_forecast::results;
use tallow_forecast::series::day;
use tallow_forecast::{Done, Event, Forecaster, RunRecord, Study, settings_name};
use tallow_lake::forecast as paths;
use tallow_store::Store;
use tallow_terminal::{Output, Palette, Screen, Step, forecast};

use crate::cli::report::{LineReporter, grouped};
use crate::cli::table;

/// Rows before the forecast that are drawn.
const SHOWN: usize = 90;
const HEIGHT: usize = 14;
/// Columns where standard output is not a terminal.
const PLAIN_WIDTH: usize = 150;

pub fn event(line: &mut LineReporter, elapsed: Duration, event: &Event, json: bool) {
    let number = |value: &Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.2}"));
    match event {
        Event::Progress { symbol, done, all } => {
            let (share, seconds) = (*done as f64 / (*all).max(1) as f64, elapsed.as_secs_f64());
            let left = seconds / share.max(1e-9) - seconds;
            let counts = (grouped(*done as u64), grouped(*all as u64));
            let text = format!(
                "{symbol}: {:.0} %, {} of {} fits, {left:.0} s left",
                100.0 * share,
                counts.0,
                counts.1
            );
            line.show(elapsed, &text, || json!({ "progress": symbol, "done": done, "all": all }));
        }
        Event::Point { symbol, name, mase, mape } if json => {
            println!("{}", json!({ "point": name, "symbol": symbol, "mase": mase, "mape": mape }));
        }
        Event::Point { symbol, name, mase, mape } => {
            eprintln!("{symbol}: {name}: MASE {}, MAPE {} %", number(mase), number(mape));
        }
        Event::Failed { symbol, text } if json => println!("{}", json!({ "failed": text, "symbol": symbol })),
        Event::Failed { symbol, text } => {
            eprintln!("{symbol}: a fit failed, and the others continue: {text}")
        }
    }
}

pub fn nothing(forecaster: &Forecaster, run: u64, newest: bool, json: bool) {
    let name = &forecaster.settings.name;
    if json {
        println!("{}", json!({ "summary": name, "run": run, "nothing_to_do": true, "newest": newest }));
        return;
    }
    let restore = if newest { String::new() } else { format!("; `--restore {run}` makes it the newest") };
    println!("{name}: nothing to do: run {run} has it{restore}; `--again` makes another run all the same");
    println!("  {}", forecaster.store.at(&paths::report(name, run)));
}

pub fn done(forecaster: &Forecaster, done: &Done, json: bool) {
    let (settings, store) = (&forecaster.settings, &forecaster.store);
    let report = store.at(&paths::report(&settings.name, done.record.run));
    if json {
        let all: Vec<_> = done.studies.iter().map(|study| results::metrics(study, settings)).collect();
        let leaked: Vec<_> = done
            .studies
            .iter()
            .map(|it| json!({ "symbol": it.series.symbol, "leaked": it.leaked }))
            .collect();
        println!(
            "{}",
            json!({
                "summary": settings.name, "run": done.record.run, "report": report, "symbols": all, "leaked": leaked,
                "left_out": done.record.left_out,
            })
        );
        return;
    }
    for study in &done.studies {
        symbol(study, forecaster);
    }
    for (symbol, why) in &done.left_out {
        println!("{symbol}: not forecast: {why}");
    }
    for number in &done.unfinished {
        println!("run {number} was begun from other input or settings and never finished; nothing lists it");
    }
    println!("{}: run {}: {report}", settings.name, done.record.run);
}

fn symbol(study: &Study, forecaster: &Forecaster) {
    let settings = &forecaster.settings;
    println!("{}: {}", study.series.symbol, study.verdict);
    for remark in &study.remarks {
        println!("  {remark}");
    }
    for failure in &study.failures {
        println!("  failed: {failure}");
    }
    if study.scored.len() > 1 {
        println!("  chosen by earlier cuts: {}", settings_name(&study.chosen));
    }
    println!();
    let mut measures = table::table(&FIGURES);
    study.judged.iter().for_each(|it| _ = measures.add_row(figures(it).to_vec()));
    println!("{}", table::indented(&measures));
    let cuts = study.judgings.len();
    println!(
        "  {cuts} cuts, {} steps each, with only what was known at each; p: of the difference to the last value",
        settings.horizon
    );
    println!();
    leaked(study);
    chart(study, settings.horizon);
}

/// Apart from the honest figures, under a head that says what they are.
fn leaked(study: &Study) {
    let Some(leaked) = &study.leaked else { return };
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.2}"));
    let mut figures = table::table(&["leaked: no forecast", "MAPE %"]);
    figures.add_row(vec![
        format!("the {} test rows, by which settings were chosen", leaked.test_rows),
        number(leaked.test_mape),
    ]);
    figures.add_row(vec![
        format!("cross-validated, {} cuts", leaked.cross_validated_cuts),
        number(leaked.cross_validated_mape),
    ]);
    println!("{}", table::indented(&figures));
    println!(
        "  with {} of the very day that is forecast; {}",
        leaked.averages.join(", "),
        settings_name(&leaked.chosen)
    );
    println!();
}

fn chart(study: &Study, horizon: usize) {
    let (width, palette) = match Output::detect() {
        Output::Terminal(palette) => (Screen::stdout().size().0, palette),
        Output::Lines => (PLAIN_WIDTH, Palette::Plain),
    };
    let fitted = &study.forecast;
    let learnt = fitted.ds_us.len().saturating_sub(horizon);
    let room = width.saturating_sub(14).max(1);
    let known = SHOWN.min(learnt).min(room.saturating_sub(horizon));
    let y = &study.series.y[study.series.len() - known..];
    let expected = |row: usize| Step::Expected {
        value: fitted.yhat[row],
        lower: fitted.lower[row],
        upper: fitted.upper[row],
    };
    let steps: Vec<Step> =
        y.iter().map(|y| Step::Known(*y)).chain((learnt..fitted.ds_us.len()).map(expected)).collect();
    let first = fitted.ds_us.len() - steps.len().min(room);
    let (Some(first_us), Some(last_us)) = (fitted.ds_us.get(first), fitted.ds_us.last()) else { return };
    let days = (day(*first_us), day(*last_us));
    forecast(&steps, (&days.0, &days.1), width, HEIGHT, palette).iter().for_each(|line| println!("{line}"));
    println!("• known  ━ forecast  ░ its band");
    println!();
}

pub fn list(runs: &[RunRecord], store: &Store, name: &str, json: bool) {
    if json {
        runs.iter().for_each(|run| println!("{}", json!(run)));
        return;
    }
    if runs.is_empty() {
        println!("{name}: there are no runs in {}", store.at(&paths::runs(name)));
        return;
    }
    let mut table = table::texts(&["run", "results of", "function", "symbols", "verdict"]);
    for run in runs {
        let symbols: Vec<&str> = run.symbols.keys().map(String::as_str).collect();
        let of = if run.results == run.run { String::new() } else { format!("run {}", run.results) };
        table.add_row(vec![
            run.run.to_string(),
            of,
            run.function.clone(),
            symbols.join(", "),
            run.verdict.clone(),
        ]);
    }
    println!("{}", table::indented(&table));
    if let Some(newest) = runs.last() {
        println!("  {}", store.at(&paths::report(name, newest.results)));
    }
}
