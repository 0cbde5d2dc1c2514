//! Which function a request is for, and in which form it is written.

use gateway_messages::{CONTENT_TYPE, DECODE, MAX_BODY_BYTES, MERGE, PARSE, PLAN, WINDOW};

use crate::functions::Functions;
use crate::http::{Refused, Request, Response};
use crate::{about, binary, json};

enum Form {
    Json,
    Binary,
}

/// Answers a request, whatever it is.
pub fn respond(functions: &impl Functions, request: &Request) -> Response {
    match route(functions, request) {
        Ok(response) => response.within_limit(),
        Err(refused) => refused.into(),
    }
}

/// What a body is answered with that is longer than [`MAX_BODY_BYTES`]; it need not be read to its end.
pub fn too_large() -> Response {
    Refused::too_large(format!("a body may have {MAX_BODY_BYTES} bytes: send less at once")).into()
}

fn route(functions: &impl Functions, request: &Request) -> Result<Response, Refused> {
    match request.path.as_str() {
        "/" => get(request).map(|()| Response::json(200, &about::about(functions))),
        "/healthz" => get(request).map(|()| Response::text("text/plain", "ok\n")),
        "/openapi.json" => get(request).map(|()| Response::text("application/json", about::OPENAPI)),
        PARSE => {
            let response = match form(request)? {
                Form::Json => json::parse::answer(functions, &request.body),
                Form::Binary => binary::parse(functions, &request.body),
            };
            Ok(response?.by(about::parse(functions).label()))
        }
        WINDOW => {
            let response = match form(request)? {
                Form::Json => json::window::answer(functions, &request.body),
                Form::Binary => binary::window(functions, &request.body),
            };
            Ok(response?.by(about::window(functions).label()))
        }
        MERGE => {
            let response = match form(request)? {
                Form::Json => json::merge::answer(functions, &request.body),
                Form::Binary => binary::merge(functions, &request.body),
            };
            Ok(response?.by(about::merge(functions).label()))
        }
        PLAN => {
            let response = match form(request)? {
                Form::Json => json::backfill::planned(functions, &request.body),
                Form::Binary => binary::plan(functions, &request.body),
            };
            Ok(response?.by(about::backfill(functions).label()))
        }
        DECODE => {
            let response = match form(request)? {
                Form::Json => json::backfill::decoded(functions, &request.body),
                Form::Binary => binary::decoded(functions, &request.body),
            };
            Ok(response?.by(about::backfill(functions).label()))
        }
        other => Err(Refused::new(404, format!("there is no {other}; `GET /` says what there is"))),
    }
}

fn get(request: &Request) -> Result<(), Refused> {
    match request.method.as_str() {
        "GET" | "HEAD" => Ok(()),
        method => Err(not_allowed(method, "GET, HEAD")),
    }
}

fn form(request: &Request) -> Result<Form, Refused> {
    if request.method != "POST" {
        return Err(not_allowed(&request.method, "POST"));
    }
    let content_type = request.content_type.as_deref().unwrap_or("application/json");
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        // What curl sends of its own accord with --data.
        "application/json" | "application/x-www-form-urlencoded" => Ok(Form::Json),
        CONTENT_TYPE => Ok(Form::Binary),
        other => {
            Err(Refused::new(415, format!("content-type {other}: send application/json, or {CONTENT_TYPE}")))
        }
    }
}

fn not_allowed(method: &str, allowed: &str) -> Refused {
    let mut refused = Refused::new(405, format!("{method} is not for this path: {allowed}"));
    refused.headers.push(("allow", allowed.to_owned()));
    refused
}
