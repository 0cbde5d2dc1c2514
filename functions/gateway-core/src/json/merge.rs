//! `POST /merge`: tables of one key to the one that is served.

use serde::{Deserialize, Serialize};

use super::columns::ColumnInfo;
use super::table::{self, Row};
use super::time::Time;
use crate::contracts::{merge, types};
use crate::functions::Functions;
use crate::http::{Refused, Response};
use crate::limits;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    before: Option<Rows>,
    inputs: Vec<Input>,
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    columns: Vec<ColumnInfo>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    source: Source,
    columns: Vec<ColumnInfo>,
    rows: Vec<Row>,
    covers: Option<Range>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Batch,
    Speed,
    Backfill,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    from: Time,
    to: Time,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    keys: Vec<String>,
    step_us: u64,
    #[serde(default)]
    fill: bool,
    until: Option<Time>,
    #[serde(default)]
    carried: Vec<String>,
    #[serde(default)]
    zeroed: Vec<String>,
    #[serde(default)]
    averages: Vec<Average>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Average {
    name: String,
    column: String,
    length: u32,
}

#[derive(Serialize)]
struct Answer {
    columns: Vec<ColumnInfo>,
    rows: Vec<Row>,
    gaps: Vec<Gap>,
}

#[derive(Serialize)]
struct Gap {
    lack: &'static str,
    #[serde(flatten)]
    span: Range,
    windows: u64,
}

pub fn answer(functions: &impl Functions, body: &[u8]) -> Result<Response, Refused> {
    let Body { before, inputs, settings } = super::read(body)?;
    let before = before.map(|it| table("before", &it.columns, &it.rows)).transpose()?;
    let inputs =
        inputs.into_iter().enumerate().map(|(index, it)| input(index, it)).collect::<Result<Vec<_>, _>>()?;
    let settings = settings_in(settings);
    limits::merge(&inputs, &settings)?;
    let merged = functions.merge(before.as_ref(), &inputs, &settings).map_err(Refused::by_function)?;
    let (columns, rows) = table::to_rows(&merged.table).map_err(Refused::by_function)?;
    Ok(Response::json(200, &Answer { columns, rows, gaps: merged.gaps.iter().map(gap).collect() }))
}

fn table(place: &str, columns: &[ColumnInfo], rows: &[Row]) -> Result<types::Table, Refused> {
    table::from_rows(columns, rows, &[]).map_err(|why| Refused::malformed(format!("{place}: {why}")))
}

fn input(index: usize, input: Input) -> Result<merge::Input, Refused> {
    Ok(merge::Input {
        source: match input.source {
            Source::Batch => merge::Source::Batch,
            Source::Speed => merge::Source::Speed,
            Source::Backfill => merge::Source::Backfill,
        },
        table: table(&format!("inputs[{index}]"), &input.columns, &input.rows)?,
        covers: input.covers.map(|covers| merge::Range { from_us: covers.from.0, to_us: covers.to.0 }),
    })
}

fn settings_in(settings: Settings) -> merge::Settings {
    let average = |it: Average| merge::Average { name: it.name, column: it.column, length: it.length };
    merge::Settings {
        keys: settings.keys,
        step_us: settings.step_us,
        fill: settings.fill,
        until_us: settings.until.map(|Time(until_us)| until_us),
        carried: settings.carried,
        zeroed: settings.zeroed,
        averages: settings.averages.into_iter().map(average).collect(),
    }
}

fn gap(gap: &merge::Gap) -> Gap {
    let lack = match gap.lack {
        merge::Lack::Missing => "missing",
        merge::Lack::Partial => "partial",
    };
    Gap { lack, span: Range { from: Time(gap.span.from_us), to: Time(gap.span.to_us) }, windows: gap.windows }
}
