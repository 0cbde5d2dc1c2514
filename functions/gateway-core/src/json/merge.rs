//! `POST /merge`: tables of one key to the one that is served.

use serde::{Deserialize, Serialize};
use tallow_contract::json::merge::{Gap, Input, Settings, Table};
use tallow_contract::json::{ColumnInfo, Row};
use tallow_contract::{Refusal, merge as ours};

use crate::contracts::merge;
use crate::http::{Refused, Response};
use crate::limits;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    before: Option<Table>,
    inputs: Vec<Input>,
    settings: Settings,
}

#[derive(Serialize)]
struct Answer {
    columns: Vec<ColumnInfo>,
    rows: Vec<Row>,
    gaps: Vec<Gap>,
}

pub fn answer(body: &[u8]) -> Result<Response, Refused> {
    let Body { before, inputs, settings } = super::read(body)?;
    let before = before.map(|it| it.read().map_err(malformed("before"))).transpose()?;
    let inputs = inputs.iter().enumerate().map(input).collect::<Result<Vec<_>, _>>()?;
    let settings = ours::Settings::from(settings).into();
    limits::merge(&inputs, &settings)?;
    let merged = merge::merge(before.as_ref(), &inputs, &settings).map_err(Refused::by_function)?;
    let (columns, rows) = super::table(&merged.table)?;
    let gaps = merged.gaps.into_iter().map(|gap| ours::Gap::from(gap).into()).collect();
    Ok(Response::json(200, &Answer { columns, rows, gaps }))
}

fn input((index, input): (usize, &Input)) -> Result<merge::Input, Refused> {
    input.read(None).map(Into::into).map_err(malformed(&format!("inputs[{index}]")))
}

fn malformed(place: &str) -> impl Fn(Refusal) -> Refused + use<'_> {
    move |why| Refused::malformed(why.within(place))
}
