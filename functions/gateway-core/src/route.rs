//! Which function a request is for, and in which form it is written.

use tallow_contract::messages::{
    AboutFunction, DECODE, MAX_BODY_BYTES, MERGE, PARSE, PLAN, WINDOW, content_type,
};

use crate::http::{Refused, Request, Response};
use crate::{about, binary, browsers, json};

enum Form {
    Json,
    Binary,
}

/// Answers a request, whatever it is.
pub fn respond(request: &Request) -> Response {
    respond_to(request, browsers::origin())
}

/// The same for pages of an origin; with `None` browsers let no page read it.
pub fn respond_to(request: &Request, origin: Option<&str>) -> Response {
    if let Some(response) = browsers::preflight(request, origin) {
        return response;
    }
    let response = match route(request) {
        Ok(response) => response.within_limit(),
        Err(refused) => refused.into(),
    };
    browsers::readable(response, origin)
}

/// What a body is answered with that is longer than [`MAX_BODY_BYTES`]; it need not be read to its end.
pub fn too_large() -> Response {
    let refused = Refused::too_large(format!("a body may have {MAX_BODY_BYTES} bytes: send less at once"));
    browsers::readable(refused.into(), browsers::origin())
}

fn route(request: &Request) -> Result<Response, Refused> {
    match request.path.as_str() {
        "/" => get(request).map(|()| Response::json(200, &about::about())),
        "/healthz" => get(request).map(|()| Response::text("text/plain", "ok\n")),
        "/openapi.json" => get(request).map(|()| Response::text("application/json", about::OPENAPI)),
        PARSE => call(request, json::parse::answer, binary::parse, about::parse),
        WINDOW => call(request, json::window::answer, binary::window, about::window),
        MERGE => call(request, json::merge::answer, binary::merge, about::merge),
        PLAN => call(request, json::backfill::planned, binary::plan, about::backfill),
        DECODE => call(request, json::backfill::decoded, binary::decoded, about::backfill),
        other => Err(Refused::new(404, format!("there is no {other}; `GET /` says what there is"))),
    }
}

type Answering = fn(&[u8]) -> Result<Response, Refused>;

/// The answer in the form of the request, with who gave it.
fn call(
    request: &Request,
    json: Answering,
    binary: Answering,
    about: fn() -> AboutFunction,
) -> Result<Response, Refused> {
    let about = about();
    let answering = match form(request, content_type(&about.contract))? {
        Form::Json => json,
        Form::Binary => binary,
    };
    Ok(answering(&request.body)?.by(about.label()))
}

fn get(request: &Request) -> Result<(), Refused> {
    match request.method.as_str() {
        "GET" | "HEAD" => Ok(()),
        method => Err(not_allowed(method, "GET, HEAD")),
    }
}

fn form(request: &Request, binary: &str) -> Result<Form, Refused> {
    if request.method != "POST" {
        return Err(not_allowed(&request.method, "POST"));
    }
    let content_type = request.content_type.as_deref().unwrap_or("application/json");
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        // What curl sends by default with --data.
        "application/json" | "application/x-www-form-urlencoded" => Ok(Form::Json),
        other if other == binary => Ok(Form::Binary),
        other => Err(Refused::new(415, format!("content-type {other}: send application/json, or {binary}"))),
    }
}

fn not_allowed(method: &str, allowed: &str) -> Refused {
    let mut refused = Refused::new(405, format!("{method} is not for this path: {allowed}"));
    refused.headers.push(("allow", allowed.to_owned()));
    refused
}
