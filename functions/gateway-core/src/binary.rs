//! The form for programs: the contracts' records as they are.

use serde::de::DeserializeOwned;
use tallow_contract::messages::{
    CONTENT_TYPE, DecodeCall, MergeCall, ParseCall, PlanCall, WINDOW_CONTENT_TYPE, decode,
};

use crate::contracts::{backfill, merge, parse, types};
use crate::http::{Refused, Response};
use crate::{limits, steps};

pub fn parse(body: &[u8]) -> Result<Response, Refused> {
    let call: ParseCall<types::Batch, parse::Options> = read(body)?;
    limits::records(call.batch.offsets.len())?;
    Response::binary(CONTENT_TYPE, &parse::parse(&call.batch, &call.options))
}

pub fn window(body: &[u8]) -> Result<Response, Refused> {
    let call: steps::Call = read(body)?;
    Response::binary(WINDOW_CONTENT_TYPE, &steps::run(&call)?)
}

pub fn merge(body: &[u8]) -> Result<Response, Refused> {
    let call: MergeCall<types::Table, merge::Input, merge::Settings> = read(body)?;
    limits::merge(&call.inputs, &call.settings)?;
    Response::binary(CONTENT_TYPE, &merge::merge(call.before.as_ref(), &call.inputs, &call.settings))
}

pub fn plan(body: &[u8]) -> Result<Response, Refused> {
    let call: PlanCall<backfill::Options, backfill::Span> = read(body)?;
    limits::plan(&call.options, &call.wanted)?;
    Response::binary(CONTENT_TYPE, &backfill::plan(&call.options, &call.wanted, &call.covered))
}

pub fn decoded(body: &[u8]) -> Result<Response, Refused> {
    let call: DecodeCall<backfill::Options, backfill::Request, backfill::Answer> = read(body)?;
    Response::binary(CONTENT_TYPE, &backfill::decode(&call.options, &call.request, &call.answer))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    decode(body).map_err(|why| {
        Refused::malformed(format!(
            "the body is not a message of this path and of this version of the contracts: {why}"
        ))
    })
}
