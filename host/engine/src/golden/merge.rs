//! Vectors of merge functions: `settings`, `columns` of the tables, `before`, `inputs`, and what must come out.

use serde::Deserialize;
use serde_json::{Value, json};
use tallow_contract::json::ColumnInfo;
use tallow_contract::json::merge::{Gap, Input, Settings, Table};
use tallow_contract::merge as ours;

use super::{GoldenError, difference, json_rows};
use crate::{Component, Limits, MergeFunction, MergeInput};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// What the vector shows, for its readers.
    #[serde(rename = "about")]
    _about: Option<String>,
    settings: Settings,
    /// Of every input.
    columns: Vec<ColumnInfo>,
    /// Rows of an earlier result: all of their columns are named.
    before: Option<Table>,
    inputs: Vec<Input>,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    rows: Value,
    gaps: Vec<Gap>,
}

/// Merges the vector's inputs in one call and compares what comes out with what the vector expects.
pub fn run_merge(component: &Component, limits: Limits, vector: &str) -> Result<(), GoldenError> {
    let Vector { settings, columns, before, inputs, expected, .. } = serde_json::from_str(vector)?;
    let before = before.map(|before| before.read()).transpose()?;
    let inputs: Vec<MergeInput> = inputs
        .iter()
        .map(|input| Ok(input.read(Some(&columns))?.into()))
        .collect::<Result<_, GoldenError>>()?;
    let failed = |step: &str| {
        let step = step.to_owned();
        move |error| GoldenError::Call { step, error }
    };
    let settings = ours::Settings::from(settings).into();
    let mut function = MergeFunction::new(component, limits).map_err(failed("start"))?;
    let merged = function.merge(before.as_ref(), &inputs, &settings).map_err(failed("merge"))?;
    let gaps: Vec<Gap> = merged.gaps.into_iter().map(|gap| ours::Gap::from(gap).into()).collect();
    let expected = json!({ "rows": expected.rows, "gaps": expected.gaps });
    difference::same("", &expected, &json!({ "rows": json_rows(&merged.table), "gaps": gaps }))
}
