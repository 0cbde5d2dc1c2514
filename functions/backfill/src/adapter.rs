//! The contract `tallow:backfill` around an [`Exchange`]. A function is `type Component = Adapter<…>;` and
//! `export_backfill!(Component with_types_in backfill::adapter);`.

use std::marker::PhantomData;

use crate as plain;
use crate::Exchange;

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/backfill"],
    world: "tallow:backfill/backfill-function",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_backfill",
});

use exports::tallow::backfill::backfill as contract;
use tallow::types::types::ByteColumn;

pub struct Adapter<E>(PhantomData<E>);

impl<E: Exchange> contract::Guest for Adapter<E> {
    fn describe() -> contract::Description {
        contract::Description { name: E::NAME.to_owned(), version: E::VERSION.to_owned() }
    }

    fn plan(
        options: contract::Options,
        wanted: Vec<contract::Span>,
        covered: Vec<contract::Span>,
    ) -> Result<Vec<contract::Request>, String> {
        let spans = |spans: Vec<contract::Span>| spans.into_iter().map(span_in).collect::<Vec<_>>();
        let requests = plain::plan::<E>(&options_in(options), &spans(wanted), &spans(covered))?;
        Ok(requests.into_iter().map(request_out).collect())
    }

    fn decode(
        options: contract::Options,
        request: contract::Request,
        answer: contract::Answer,
    ) -> Result<contract::Decoded, String> {
        let answer = plain::Answer { status: answer.status, headers: answer.headers, body: answer.body };
        plain::decode::<E>(&options_in(options), &request_in(request), &answer).map(decoded_out)
    }
}

fn options_in(options: contract::Options) -> plain::Options {
    plain::Options {
        symbol: options.symbol,
        listed_as: options.listed_as,
        interval_us: i64::try_from(options.interval_us).unwrap_or(i64::MAX),
        settings: options.settings,
    }
}

fn span_in(span: contract::Span) -> plain::Span {
    plain::Span::new(span.from_us, span.to_us)
}

fn span_out(span: plain::Span) -> contract::Span {
    contract::Span { from_us: span.from_us, to_us: span.to_us }
}

fn request_in(request: contract::Request) -> plain::Request {
    plain::Request {
        method: match request.method {
            contract::Method::Get => plain::Method::Get,
            contract::Method::Post => plain::Method::Post,
        },
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body,
        weight: request.weight,
        covers: span_in(request.covers),
    }
}

fn request_out(request: plain::Request) -> contract::Request {
    contract::Request {
        method: match request.method {
            plain::Method::Get => contract::Method::Get,
            plain::Method::Post => contract::Method::Post,
        },
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body,
        weight: request.weight,
        covers: span_out(request.covers),
    }
}

fn decoded_out(decoded: plain::Decoded) -> contract::Decoded {
    let verdict = match decoded.verdict {
        plain::Verdict::Data(data) => contract::Verdict::Data(contract::Data {
            records: column(&data.records),
            proved: data.proved.into_iter().map(span_out).collect(),
            no_data: data.no_data.into_iter().map(span_out).collect(),
            next: data.next.into_iter().map(request_out).collect(),
        }),
        plain::Verdict::Again(why) => contract::Verdict::Again(why),
        plain::Verdict::Never(why) => contract::Verdict::Never(why),
    };
    let plain::Pace { used_weight, wait_us, banned } = decoded.pace;
    contract::Decoded { verdict, pace: contract::Pace { used_weight, wait_us, banned } }
}

fn column(records: &[Vec<u8>]) -> ByteColumn {
    let mut end = 0;
    let ends = records.iter().map(|record| {
        end += record.len() as u32;
        end
    });
    ByteColumn { ends: ends.collect(), bytes: records.concat(), nulls: Vec::new() }
}
