//! `POST /window`: rows to windows, with the state that comes back from one call going into the next.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tallow_contract::json::{ColumnInfo, Row, Spec, Time, rows_with_places};
use tallow_contract::messages::{State, Step, StepResult, decode, encode};
use tallow_contract::{Refusal, window as ours};

use crate::contracts::window;
use crate::http::{Refused, Response};
use crate::steps::{self, Call};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    specs: Vec<Spec>,
    #[serde(default)]
    columns: Vec<ColumnInfo>,
    /// With `kind`; with `record`, `topic`, `partition`, `offset` if the place of a row matters: of rows of one time
    /// and without ids, the one of the lower offset is the first.
    #[serde(default)]
    rows: Vec<Row>,
    /// Windows that end there or before are closed.
    watermark: Option<Time>,
    /// Whether open windows are given as incomplete ones.
    #[serde(default)]
    close_all: bool,
    /// What the call before gave as `state`.
    state: Option<String>,
}

/// What `state` holds.
#[derive(Serialize, Deserialize)]
struct Saved {
    specs: Vec<window::Spec>,
    state: State<window::Part>,
    /// The offset of the next row that comes without one.
    next_offset: i64,
}

#[derive(Serialize)]
struct Answer {
    reports: Vec<Report>,
    closed: Vec<Windows>,
    open: Vec<Windows>,
    state: String,
}

#[derive(Serialize)]
struct Report {
    spec: String,
    taken: u64,
    accepted: u64,
    /// Of those accepted, taken in without knowing whether their ids were new.
    untracked: u64,
    late: u64,
    duplicate: u64,
    conflict: u64,
    /// Indices of rows.
    invalid: Vec<u32>,
    late_rows: Vec<u32>,
    conflict_rows: Vec<u32>,
}

#[derive(Serialize)]
struct Windows {
    spec: String,
    columns: Vec<ColumnInfo>,
    rows: Vec<Row>,
}

pub fn answer(body: &[u8]) -> Result<Response, Refused> {
    let body: Body = super::read(body)?;
    let specs: Vec<window::Spec> = body.specs.into_iter().map(|spec| ours::Spec::from(spec).into()).collect();
    let (state, next_offset) = match &body.state {
        None => (None, 0),
        Some(text) => {
            let saved = saved(text, &specs)?;
            (Some(saved.state), saved.next_offset)
        }
    };
    let watermark_before = state.as_ref().map_or(i64::MIN, |state| state.watermark_us);
    let next_offset_after = next_offset.saturating_add(body.rows.len() as i64);
    let mut steps = Vec::new();
    if !body.rows.is_empty() {
        let rows = rows_with_places(&body.columns, &body.rows, next_offset).map_err(Refused::malformed)?;
        steps.push(Step::Update(rows.into()));
    }
    steps.extend(body.watermark.map(|Time(watermark_us)| Step::Advance(watermark_us)));
    if body.close_all {
        steps.push(Step::CloseAll);
    }
    let closing = steps.len();
    steps.push(Step::Changed);
    let call = Call { specs, state, steps };
    let answer = steps::run(&call)?.map_err(Refused::by_function)?;
    let mut reports = Vec::new();
    let (mut closed, mut open) = (Vec::new(), Vec::new());
    for (step, result) in answer.results.into_iter().enumerate() {
        match result {
            StepResult::Reports(given) => reports.extend(given.into_iter().zip(&call.specs).map(report)),
            StepResult::Outputs(outputs) => {
                let to = if step == closing { &mut open } else { &mut closed };
                for output in outputs.iter().filter(|output| output.table.rows > 0) {
                    add(to, windows(output, &call.specs)?);
                }
            }
            StepResult::Stats(_) => {}
        }
    }
    let parts = changed(call.state.map(|state| state.parts).unwrap_or_default(), answer.changed);
    let watermark_us = body.watermark.map_or(watermark_before, |Time(time_us)| time_us.max(watermark_before));
    let saved =
        Saved { specs: call.specs, state: State { watermark_us, parts }, next_offset: next_offset_after };
    let state = STANDARD.encode(encode(&saved).map_err(|why| Refused::new(500, why))?);
    Ok(Response::json(200, &Answer { reports, closed, open, state }))
}

fn saved(text: &str, specs: &[window::Spec]) -> Result<Saved, Refused> {
    let wrong = |why: Refusal| Refused::malformed(why.within("`state` is not what a call of this path gave"));
    let bytes = STANDARD.decode(text).map_err(|error| wrong(format!("not base64: {error}").into()))?;
    let saved: Saved = decode(&bytes).map_err(wrong)?;
    if saved.specs != specs {
        return Err(Refused::malformed("`state` is of other specs: send those that it was made with"));
    }
    Ok(saved)
}

/// The parts of a state after some of them changed. One without bytes holds nothing.
fn changed(before: Vec<window::Part>, changed: Vec<window::Part>) -> Vec<window::Part> {
    let mut parts: std::collections::BTreeMap<(u32, u32), Vec<u8>> =
        before.into_iter().map(|part| ((part.spec, part.group), part.bytes)).collect();
    parts.extend(changed.into_iter().map(|part| ((part.spec, part.group), part.bytes)));
    parts.into_iter().map(|((spec, group), bytes)| window::Part { spec, group, bytes }).collect()
}

fn report((report, spec): (window::Report, &window::Spec)) -> Report {
    Report {
        spec: spec.name.clone(),
        taken: report.taken,
        accepted: report.accepted,
        untracked: report.untracked,
        late: report.late,
        duplicate: report.duplicate,
        conflict: report.conflict,
        invalid: report.invalid,
        late_rows: report.late_rows,
        conflict_rows: report.conflict_rows,
    }
}

/// A spec's windows may come in pieces, one after the other.
fn add(all: &mut Vec<Windows>, more: Windows) {
    match all.last_mut().filter(|last| last.spec == more.spec) {
        Some(last) => last.rows.extend(more.rows),
        None => all.push(more),
    }
}

fn windows(output: &window::Output, specs: &[window::Spec]) -> Result<Windows, Refused> {
    let (columns, rows) = super::table(&output.table)?;
    let spec = specs.get(output.spec as usize).map(|spec| spec.name.clone()).unwrap_or_default();
    Ok(Windows { spec, columns, rows })
}
