//! Vectors of backfill functions: `options`, and `steps`, each a plan or an answer with what must come of it.

use serde::Deserialize;
use serde_json::{Value, json};
use tallow_contract::json::Span;
use tallow_contract::json::backfill::{Options, Request, spans};

use super::{GoldenError, difference};
use crate::{
    BackfillAnswer, BackfillFunction, BackfillOptions, CallError, Component, Limits, Span as SpanUs, Verdict,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// What the vector shows, for its readers.
    #[serde(rename = "about")]
    _about: Option<String>,
    options: Options,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    Plan {
        wanted: Vec<Span>,
        #[serde(default)]
        covered: Vec<Span>,
        /// The requests, or `{"refused": …}`.
        expect: Value,
    },
    /// An answer to the request for one span.
    Decode {
        covers: Span,
        status: u16,
        #[serde(default)]
        headers: Vec<(String, String)>,
        body: String,
        expect: Value,
    },
}

/// Takes the vector's steps and compares what each gives with what the vector expects.
pub fn run_backfill(component: &Component, limits: Limits, vector: &str) -> Result<(), GoldenError> {
    let vector: Vector = serde_json::from_str(vector)?;
    let options = BackfillOptions::from(vector.options);
    let failed = |at: &str, error| GoldenError::Call { step: at.to_owned(), error };
    let mut function = BackfillFunction::new(component, limits).map_err(|error| failed("start", error))?;
    for (index, step) in vector.steps.into_iter().enumerate() {
        match step {
            Step::Plan { wanted, covered, expect } => {
                let at = format!("step {index}, plan");
                let found = match function.plan(&options, &spans(&wanted), &spans(&covered)) {
                    Ok(requests) => requests.into_iter().map(|it| json!(Request::from(it))).collect(),
                    Err(CallError::Refused(why)) => json!({ "refused": why }),
                    Err(error) => return Err(failed(&at, error)),
                };
                difference::same(&at, &planned(expect)?, &found)?;
            }
            Step::Decode { covers, status, headers, body, expect } => {
                let at = format!("step {index}, decode");
                let planned =
                    function.plan(&options, &spans(&[covers]), &[]).map_err(|error| failed(&at, error))?;
                let [request] = &planned[..] else {
                    let why = format!("{at}: `covers` takes {} requests, not one", planned.len());
                    return Err(GoldenError::Vector(why));
                };
                let answer = BackfillAnswer { status, headers, body: body.into_bytes() };
                let (verdict, pace) =
                    function.decode(&options, request, &answer).map_err(|error| failed(&at, error))?;
                let pace = json!({
                    "used_weight": pace.used_weight,
                    "wait_us": pace.wait_us,
                    "banned": pace.banned,
                });
                difference::same(&at, &expect, &json!({ "verdict": shown_verdict(&verdict), "pace": pace }))?;
            }
        }
    }
    Ok(())
}

/// What a plan must give, with its times written as they are shown.
fn planned(expected: Value) -> Result<Value, GoldenError> {
    if !expected.is_array() {
        return Ok(expected);
    }
    Ok(json!(Vec::<Request>::deserialize(expected)?))
}

fn shown_spans(spans: &[SpanUs]) -> Value {
    spans.iter().map(shown_span).collect()
}

fn shown_span(span: &SpanUs) -> Value {
    json!([span.from_us, span.to_us])
}

fn shown_verdict(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Again(why) => json!({ "again": why }),
        Verdict::Never(why) => json!({ "never": why }),
        Verdict::Data(data) => json!({
            "records": data.records.iter().map(String::from_utf8_lossy).collect::<Vec<_>>(),
            "proved": shown_spans(&data.proved),
            "no_data": shown_spans(&data.no_data),
            "next": data.next.iter().map(|request| shown_span(&request.covers)).collect::<Vec<_>>(),
        }),
    }
}
