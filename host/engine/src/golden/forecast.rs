//! Vectors of forecast functions: `request`, and what must come out. Compilers differ in the last bits of what a
//! model computes, so each vector says how far a number may be off.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tallow_contract::json::forecast::Request;
use tallow_contract::json::{Row, Time};

use super::{GoldenError, difference, json_rows};
use crate::forecast::Outcome;
use crate::{CallError, Component, ForecastFunction, Limits};

/// How far a number may be off if a vector says nothing.
const WITHIN: f64 = 1e-9;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// What the vector shows, for its readers.
    #[serde(rename = "about")]
    _about: Option<String>,
    request: Request,
    /// How far a number may be off, as a share of the expected one; of 1 if that is smaller.
    within: Option<f64>,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Expected {
    /// A part of the refusal.
    Refused(String),
    #[serde(untagged)]
    Made(Made),
}

/// What is not named is not compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    /// Each with its `ds`, and with the columns that are compared.
    rows: Vec<Row>,
    multiplicative: Option<Vec<String>>,
    parameters: Option<BTreeMap<String, Vec<f64>>>,
    notes: Option<Vec<String>>,
}

/// Asks for the vector's forecast and compares what comes out with what the vector expects.
pub fn run_forecast(component: &Component, limits: Limits, vector: &str) -> Result<(), GoldenError> {
    let Vector { request, within, expected, .. } = serde_json::from_str(vector)?;
    let request = request.read()?;
    let failed = |step: &str| {
        let step = step.to_owned();
        move |error| GoldenError::Call { step, error }
    };
    let mut function = ForecastFunction::new(component, limits).map_err(failed("start"))?;
    match (expected, function.forecast(&request)) {
        (Expected::Made(made), Ok(outcome)) => compare(&made, &outcome, within.unwrap_or(WITHIN)),
        (Expected::Refused(part), Err(CallError::Refused(why))) if why.contains(&part) => Ok(()),
        (Expected::Refused(part), Err(CallError::Refused(why))) => {
            Err(difference("refused", json!(part), json!(why)))
        }
        (Expected::Refused(part), Ok(_)) => Err(difference("refused", json!(part), json!("a forecast"))),
        (_, Err(error)) => Err(failed("forecast")(error)),
    }
}

fn compare(expected: &Made, found: &Outcome, within: f64) -> Result<(), GoldenError> {
    let rows = json_rows(&found.forecast);
    if rows.len() != expected.rows.len() {
        return Err(difference("rows", json!(expected.rows.len()), json!(rows.len())));
    }
    for (index, (expected, found)) in expected.rows.iter().zip(&rows).enumerate() {
        for (column, value) in expected {
            let value = if column == "ds" { json!(Time::deserialize(value)?.0) } else { value.clone() };
            near(&format!("rows[{index}], {column}"), &value, &found[column.as_str()], within)?;
        }
    }
    if let Some(multiplicative) = &expected.multiplicative {
        difference::same("multiplicative", &json!(multiplicative), &json!(found.multiplicative))?;
    }
    if let Some(notes) = &expected.notes {
        difference::same("notes", &json!(notes), &json!(found.notes))?;
    }
    let parameters: Map<String, Value> =
        found.parameters.iter().map(|it| (it.name.clone(), json!(it.values))).collect();
    for (name, values) in expected.parameters.iter().flatten() {
        let at = |index: usize| format!("parameters, {name}[{index}]");
        let found = parameters.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        for index in 0..values.len().max(found.len()) {
            let value = |values: Option<&Value>| values.cloned().unwrap_or_default();
            near(&at(index), &json!(values.get(index)), &value(found.get(index)), within)?;
        }
    }
    Ok(())
}

fn near(at: &str, expected: &Value, found: &Value, within: f64) -> Result<(), GoldenError> {
    match (expected.as_f64(), found.as_f64()) {
        (Some(wanted), Some(number)) if (wanted - number).abs() <= within * wanted.abs().max(1.0) => Ok(()),
        (None, None) if expected == found => Ok(()),
        _ => Err(difference(at, expected.clone(), found.clone())),
    }
}

fn difference(at: &str, expected: Value, found: Value) -> GoldenError {
    GoldenError::Difference { at: at.to_owned(), expected: expected.to_string(), found: found.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;
    use crate::forecast::{Parameter, column, ds};

    fn said(expected: Value, within: f64) -> Option<String> {
        let columns = vec![ds(&[86_400_000_000]), column("yhat", vec![200.0]), column("trend", vec![0.5])];
        let outcome = Outcome {
            forecast: Table { rows: 1, columns },
            parameters: vec![Parameter { name: "k".to_owned(), values: vec![1.0, 2.0] }],
            ..Outcome::default()
        };
        let expected = serde_json::from_value(expected).unwrap();
        compare(&expected, &outcome, within).err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_named_is_compared_within_a_share_of_it() {
        let row = |yhat: f64| json!({"rows": [{"ds": "1970-01-02", "yhat": yhat}]});
        assert_eq!(said(row(200.001), 1e-5), None);
        assert_eq!(said(row(200.01), 1e-5).unwrap(), "rows[0], yhat: expected 200.01, found 200.0");
        let small = |trend: f64| said(json!({"rows": [{"trend": trend}]}), 1e-3);
        assert_eq!((small(0.5005), small(0.502).is_some()), (None, true));
    }

    #[test]
    fn missing_rows_columns_times_and_parameters_are_differences() {
        for (expected, wrong) in [
            (json!({"rows": []}), "rows: expected 0, found 1"),
            (json!({"rows": [{"season:x": 1}]}), "rows[0], season:x: expected 1, found null"),
            (
                json!({"rows": [{"ds": "1970-01-03"}]}),
                "rows[0], ds: expected 172800000000, found 86400000000",
            ),
            (json!({"rows": [{}], "parameters": {"k": [1]}}), "parameters, k[1]: expected null, found 2.0"),
            (json!({"rows": [{}], "parameters": {"m": [1]}}), "parameters, m[0]: expected 1.0, found null"),
            (json!({"rows": [{}], "notes": ["no"]}), "notes[0]: expected \"no\", found nothing"),
        ] {
            assert_eq!(said(expected, 0.0).as_deref(), Some(wrong));
        }
    }
}
