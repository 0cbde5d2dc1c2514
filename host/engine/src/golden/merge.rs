//! Vectors of merge functions: `settings`, `columns` of the tables, `before`, `inputs`, and what must come out.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::rows::{self, ColumnJson};
use super::{GoldenError, cell, difference};
use crate::{
    Average, Component, Gap, Lack, Limits, MergeFunction, MergeInput, MergeSettings, MergeSource, Merged,
    Range,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// What the vector shows, for its readers.
    #[serde(rename = "about")]
    _about: Option<String>,
    settings: Settings,
    /// Of every input.
    columns: Vec<ColumnJson>,
    before: Option<Before>,
    inputs: Vec<Input>,
    /// `rows` and `gaps`.
    expected: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    keys: Vec<String>,
    step_us: u64,
    fill: bool,
    until_us: Option<i64>,
    carried: Vec<String>,
    zeroed: Vec<String>,
    /// Name, column, length.
    averages: Vec<(String, String, u32)>,
}

/// Rows of an earlier result: all of their columns are named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    columns: Vec<ColumnJson>,
    rows: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    source: Source,
    covers: Option<(i64, i64)>,
    rows: Vec<Map<String, Value>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Batch,
    Speed,
    Backfill,
}

/// Merges the vector's inputs in one call and compares what comes out with what the vector expects.
pub fn run_merge(component: &Component, limits: Limits, vector: &str) -> Result<(), GoldenError> {
    let vector: Vector = serde_json::from_str(vector)?;
    let before = vector
        .before
        .as_ref()
        .map(|before| rows::table(&before.columns, &before.rows.iter().collect::<Vec<_>>()))
        .transpose()?;
    let inputs =
        vector.inputs.iter().map(|it| input(&vector.columns, it)).collect::<Result<Vec<_>, GoldenError>>()?;
    let failed = |step: &str| {
        let step = step.to_owned();
        move |error| GoldenError::Call { step, error }
    };
    let mut function = MergeFunction::new(component, limits).map_err(failed("start"))?;
    let merged =
        function.merge(before.as_ref(), &inputs, &vector.settings.into()).map_err(failed("merge"))?;
    difference::same("", &vector.expected, &shown(&merged))
}

fn input(columns: &[ColumnJson], input: &Input) -> Result<MergeInput, GoldenError> {
    let rows: Vec<&Map<String, Value>> = input.rows.iter().collect();
    Ok(MergeInput {
        source: match input.source {
            Source::Batch => MergeSource::Batch,
            Source::Speed => MergeSource::Speed,
            Source::Backfill => MergeSource::Backfill,
        },
        table: rows::table(columns, &rows)?,
        covers: input.covers.map(|(from_us, to_us)| Range { from_us, to_us }),
    })
}

impl From<Settings> for MergeSettings {
    fn from(settings: Settings) -> Self {
        let averages =
            settings.averages.into_iter().map(|(name, column, length)| Average { name, column, length });
        MergeSettings {
            keys: settings.keys,
            step_us: settings.step_us,
            fill: settings.fill,
            until_us: settings.until_us,
            carried: settings.carried,
            zeroed: settings.zeroed,
            averages: averages.collect(),
        }
    }
}

fn shown(merged: &Merged) -> Value {
    let rows = (0..merged.table.rows as usize).map(|row| cell::row(&merged.table, row, Map::new()));
    json!({ "rows": rows.collect::<Vec<_>>(), "gaps": merged.gaps.iter().map(shown_gap).collect::<Vec<_>>() })
}

fn shown_gap(gap: &Gap) -> Value {
    let lack = match gap.lack {
        Lack::Missing => "missing",
        Lack::Partial => "partial",
    };
    json!({ "lack": lack, "from_us": gap.span.from_us, "to_us": gap.span.to_us, "windows": gap.windows })
}
