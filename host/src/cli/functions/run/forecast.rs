//! What a forecast function makes of a request.

use std::io::Read;
use std::path::Path;

use serde_json::{Map, json};
use tallow_contract::json::forecast::Request;
use tallow_engine::forecast::Outcome;
use tallow_engine::{Component, ForecastFunction};

use super::show::Shown;
use crate::cli::Failure;

/// Shows the forecast of the request in a file, `-` for standard input; `settings` count before those in it. A golden
/// vector is a request, too: what it expects is not looked at.
pub fn run(
    component: &Component,
    input: &Path,
    settings: Vec<(String, String)>,
    json: bool,
) -> Result<(), Failure> {
    let mut text = String::new();
    let read = match input.to_str() {
        Some("-") => std::io::stdin().read_to_string(&mut text),
        _ => std::fs::File::open(input).and_then(|mut file| file.read_to_string(&mut text)),
    };
    read.map_err(|error| Failure::file(input, error))?;
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "{}: {why}; a request is `{{\"history\": [{{\"ds\": \"2024-01-01\", \"y\": 1.5}}, …], \"future\": \
             [\"2024-02-01\", …]}}`, as `request` of a golden vector is",
            input.display()
        ))
    };
    let mut request = request(&text).map_err(|error| wrong(&error))?.read().map_err(|error| wrong(&error))?;
    request.settings.retain(|(name, _)| settings.iter().all(|(given, _)| given != name));
    request.settings.extend(settings);
    let failed = |error| Failure::failed(format!("function `{}`: it {error}", component.name()));
    let outcome = ForecastFunction::new(component, Default::default())
        .and_then(|mut function| function.forecast(&request))
        .map_err(failed)?;
    show(&outcome, json);
    Ok(())
}

fn request(text: &str) -> Result<Request, serde_json::Error> {
    let mut value: serde_json::Value = serde_json::from_str(text)?;
    match value.get_mut("request") {
        Some(request) => serde_json::from_value(request.take()),
        None => serde_json::from_value(value),
    }
}

fn show(outcome: &Outcome, json: bool) {
    let mut shown = Shown::new(json, &[]);
    for row in 0..outcome.forecast.rows as usize {
        shown.row(&outcome.forecast, row, Map::new());
    }
    shown.finish();
    if json {
        let parameters: Map<_, _> =
            outcome.parameters.iter().map(|it| (it.name.clone(), json!(it.values))).collect();
        println!(
            "{}",
            json!({ "parameters": parameters, "multiplicative": outcome.multiplicative, "notes": outcome.notes })
        );
        return;
    }
    if !outcome.multiplicative.is_empty() {
        println!("shares of the trend: {}", outcome.multiplicative.join(", "));
    }
    for parameter in &outcome.parameters {
        let values: Vec<String> = parameter.values.iter().map(|value| format!("{value:.6}")).collect();
        println!("  {}  {}", parameter.name, values.join(" "));
    }
    for note in &outcome.notes {
        println!("note: {note}");
    }
}
