//! `POST /backfill/plan` and `/backfill/decode`: what to ask an exchange, and what its answer means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::time::Time;
use crate::contracts::{backfill, types};
use crate::functions::Functions;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    symbol: String,
    /// Where the exchange lists it under another name.
    listed_as: Option<String>,
    interval_us: u64,
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    from: Time,
    to: Time,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    method: Method,
    path: String,
    #[serde(default)]
    query: Vec<(String, String)>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
    weight: u32,
    covers: Span,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Get,
    Post,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Serialize)]
struct Planned {
    requests: Vec<Request>,
}

#[derive(Serialize)]
struct Decoded {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    records: Vec<String>,
    proved: Vec<Span>,
    no_data: Vec<Span>,
    next: Vec<Request>,
    used_weight: Option<u32>,
    wait_us: Option<u64>,
    banned: bool,
}

pub fn planned(functions: &impl Functions, body: &[u8]) -> Result<Response, Refused> {
    let PlanBody { options, wanted, covered } = super::read(body)?;
    let options = options_in(options);
    let spans = |spans: &[Span]| spans.iter().map(span_in).collect::<Vec<_>>();
    let wanted = spans(&wanted);
    limits::plan(&options, &wanted)?;
    let requests = functions.plan(&options, &wanted, &spans(&covered)).map_err(Refused::by_function)?;
    Ok(Response::json(200, &Planned { requests: requests.into_iter().map(request_out).collect() }))
}

pub fn decoded(functions: &impl Functions, body: &[u8]) -> Result<Response, Refused> {
    let DecodeBody { options, request, answer } = super::read(body)?;
    let answer =
        backfill::Answer { status: answer.status, headers: answer.headers, body: answer.body.into_bytes() };
    let decoded = functions
        .decode(&options_in(options), &request_in(request), &answer)
        .map_err(Refused::by_function)?;
    Ok(Response::json(200, &decoded_out(decoded)))
}

fn options_in(options: Options) -> backfill::Options {
    backfill::Options {
        listed_as: options.listed_as.unwrap_or_else(|| options.symbol.clone()),
        symbol: options.symbol,
        interval_us: options.interval_us,
        settings: options.settings.into_iter().collect(),
    }
}

fn span_in(span: &Span) -> backfill::Span {
    backfill::Span { from_us: span.from.0, to_us: span.to.0 }
}

fn span_out(span: backfill::Span) -> Span {
    Span { from: Time(span.from_us), to: Time(span.to_us) }
}

fn request_in(request: Request) -> backfill::Request {
    backfill::Request {
        method: match request.method {
            Method::Get => backfill::Method::Get,
            Method::Post => backfill::Method::Post,
        },
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body.into_bytes(),
        weight: request.weight,
        covers: span_in(&request.covers),
    }
}

fn request_out(request: backfill::Request) -> Request {
    Request {
        method: match request.method {
            backfill::Method::Get => Method::Get,
            backfill::Method::Post => Method::Post,
        },
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: text(&request.body),
        weight: request.weight,
        covers: span_out(request.covers),
    }
}

fn decoded_out(decoded: backfill::Decoded) -> Decoded {
    let backfill::Pace { used_weight, wait_us, banned } = decoded.pace;
    let mut out = Decoded {
        verdict: "data",
        why: None,
        records: Vec::new(),
        proved: Vec::new(),
        no_data: Vec::new(),
        next: Vec::new(),
        used_weight,
        wait_us,
        banned,
    };
    match decoded.verdict {
        backfill::Verdict::Again(why) => (out.verdict, out.why) = ("again", Some(why)),
        backfill::Verdict::Never(why) => (out.verdict, out.why) = ("never", Some(why)),
        backfill::Verdict::Data(data) => {
            out.records = strings(&data.records);
            out.proved = data.proved.into_iter().map(span_out).collect();
            out.no_data = data.no_data.into_iter().map(span_out).collect();
            out.next = data.next.into_iter().map(request_out).collect();
        }
    }
    out
}

fn strings(column: &types::ByteColumn) -> Vec<String> {
    let mut start = 0;
    let strings = column.ends.iter().map(|end| {
        let bytes = column.bytes.get(start..*end as usize).unwrap_or_default();
        start = *end as usize;
        text(bytes)
    });
    strings.collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
