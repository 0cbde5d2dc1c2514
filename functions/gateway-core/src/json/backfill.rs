//! `POST /backfill/plan` and `/backfill/decode`: what to ask an exchange, and what its answer means.

use serde::{Deserialize, Serialize};
use tallow_contract::backfill as ours;
use tallow_contract::json::Span;
use tallow_contract::json::backfill::{Answer, Decoded, Options, Request, spans};

use crate::contracts::backfill;
use crate::http::{Refused, Response};
use crate::limits;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanBody {
    options: Options,
    wanted: Vec<Span>,
    #[serde(default)]
    covered: Vec<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecodeBody {
    options: Options,
    request: Request,
    answer: Answer,
}

#[derive(Serialize)]
struct Planned {
    requests: Vec<Request>,
}

pub fn planned(body: &[u8]) -> Result<Response, Refused> {
    let PlanBody { options, wanted, covered } = super::read(body)?;
    let options = options_in(options);
    let spans = |of: &[Span]| spans(of).into_iter().map(Into::into).collect::<Vec<backfill::Span>>();
    let wanted = spans(&wanted);
    limits::plan(&options, &wanted)?;
    let requests = backfill::plan(&options, &wanted, &spans(&covered)).map_err(Refused::by_function)?;
    let requests = requests.into_iter().map(|request| ours::Request::from(request).into());
    Ok(Response::json(200, &Planned { requests: requests.collect() }))
}

pub fn decoded(body: &[u8]) -> Result<Response, Refused> {
    let DecodeBody { options, request, answer } = super::read(body)?;
    let request = ours::Request::from(request).into();
    let answer = ours::Answer::from(answer).into();
    let decoded = backfill::decode(&options_in(options), &request, &answer).map_err(Refused::by_function)?;
    Ok(Response::json(200, &Decoded::from(ours::Decoded::from(decoded))))
}

fn options_in(options: Options) -> backfill::Options {
    ours::Options::from(options).into()
}
