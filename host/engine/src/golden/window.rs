//! Vectors of window functions: `specs`, `columns` of the rows, and `steps`, each with what it must give.

use serde::Deserialize;
use serde_json::{Value, json};
use tallow_contract::json::{self, ColumnInfo, Row};
use tallow_contract::window::Report;

use super::{GoldenError, difference, json_rows};
use crate::{CallError, Component, Limits, Output, Rows, Spec, WindowFunction};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// What the vector shows, for its readers.
    #[serde(rename = "about")]
    _about: Option<String>,
    specs: Vec<json::Spec>,
    columns: Vec<ColumnInfo>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(flatten)]
    action: Action,
    /// For each spec its report, or the rows of its windows.
    #[serde(default)]
    expect: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "a step without an argument is written as `true`")]
enum Action {
    Update {
        rows: Vec<Row>,
    },
    /// To a watermark, µs.
    Advance(i64),
    CloseAll(bool),
    Changed(bool),
    /// The state goes through a snapshot into a new instance.
    SnapshotRestore(bool),
}

/// What a vector puts into a window function: its specs, and the rows of all of its updates.
pub fn window_input(vector: &str) -> Result<(Vec<Spec>, Vec<Rows>), GoldenError> {
    let vector: Vector = serde_json::from_str(vector)?;
    let updates = vector.steps.iter().filter_map(|step| match &step.action {
        Action::Update { rows } => Some(super::rows(&vector.columns, rows)),
        _ => None,
    });
    let rows = updates.collect::<Result<_, _>>()?;
    Ok((vector.specs.into_iter().map(Spec::from).collect(), rows))
}

/// Takes the vector's steps one after the other and compares what each gives with what the vector expects. A
/// report's counts and rows that the vector leaves out are 0 and none.
pub fn run_window(component: &Component, limits: Limits, vector: &str) -> Result<(), GoldenError> {
    let vector: Vector = serde_json::from_str(vector)?;
    let mut run = Run {
        component,
        limits,
        specs: vector.specs.into_iter().map(Spec::from).collect(),
        columns: vector.columns,
        watermark_us: i64::MIN,
    };
    let mut function =
        WindowFunction::open(component, limits, &run.specs).map_err(|error| failed("open", error))?;
    for (index, step) in vector.steps.iter().enumerate() {
        run.step(index, step, &mut function)?;
    }
    Ok(())
}

struct Run<'a> {
    component: &'a Component,
    limits: Limits,
    specs: Vec<Spec>,
    columns: Vec<ColumnInfo>,
    watermark_us: i64,
}

impl Run<'_> {
    fn step(&mut self, index: usize, step: &Step, function: &mut WindowFunction) -> Result<(), GoldenError> {
        let at = |action: &str| format!("step {index}, {action}");
        let (at, outputs) = match &step.action {
            Action::Update { rows } => {
                let at = at("update");
                let rows = super::rows(&self.columns, rows)?;
                let reports = function.update(&rows).map_err(|error| failed(&at, error))?;
                let expected = step.expect.iter().map(full_report).collect::<Result<Vec<_>, _>>()?;
                return self.same(&at, &expected, reports.iter().map(|report| json!(report)).collect());
            }
            Action::SnapshotRestore(_) => return self.snapshot_restore(&at("snapshot_restore"), function),
            Action::Advance(watermark_us) => {
                self.watermark_us = self.watermark_us.max(*watermark_us);
                (at("advance"), function.advance(self.watermark_us))
            }
            Action::CloseAll(_) => (at("close_all"), function.close_all()),
            Action::Changed(_) => (at("changed"), function.changed()),
        };
        let outputs = outputs.map_err(|error| failed(&at, error))?;
        self.same(&at, &step.expect, self.shown_outputs(&outputs))
    }

    fn snapshot_restore(&self, at: &str, function: &mut WindowFunction) -> Result<(), GoldenError> {
        let failed = |error| failed(at, error);
        let before = function.snapshot(0).map_err(failed)?;
        let (component, limits, specs) = (self.component, self.limits, &self.specs);
        *function = WindowFunction::restore(component, limits, specs, self.watermark_us, &before.parts)
            .map_err(failed)?;
        let after = function.snapshot(0).map_err(failed)?;
        let same = before.parts.len() == after.parts.len()
            && before.parts.iter().zip(&after.parts).all(|(left, right)| {
                (left.spec, left.group, &left.bytes) == (right.spec, right.group, &right.bytes)
            });
        if same {
            return Ok(());
        }
        Err(GoldenError::Difference {
            at: at.to_owned(),
            expected: "the parts that the state was restored from".to_owned(),
            found: "others".to_owned(),
        })
    }

    fn shown_outputs(&self, outputs: &[Output]) -> Vec<Value> {
        let of_spec = |spec: usize| outputs.iter().filter(move |output| output.spec as usize == spec);
        let rows = |spec| of_spec(spec).flat_map(|output| json_rows(&output.table)).collect();
        (0..self.specs.len()).map(rows).collect()
    }

    fn same(&self, at: &str, expected: &[Value], found: Vec<Value>) -> Result<(), GoldenError> {
        if expected.len() != self.specs.len() {
            let (given, specs) = (expected.len(), self.specs.len());
            return Err(GoldenError::Vector(format!("{at}: `expect` has {given} entries for {specs} specs")));
        }
        for ((spec, expected), found) in self.specs.iter().zip(expected).zip(&found) {
            difference::same(&format!("{at}, `{}`", spec.name), expected, found)?;
        }
        Ok(())
    }
}

fn failed(step: &str, error: CallError) -> GoldenError {
    GoldenError::Call { step: step.to_owned(), error }
}

/// An expected report with what the vector leaves out.
fn full_report(expected: &Value) -> Result<Value, GoldenError> {
    let mut full = json!(Report::default());
    let given = expected.as_object();
    for (name, value) in given.ok_or_else(|| GoldenError::Vector(format!("{expected} is no report")))? {
        match full.get_mut(name) {
            Some(field) => *field = value.clone(),
            None => return Err(GoldenError::Vector(format!("a report has no `{name}`"))),
        }
    }
    Ok(full)
}
