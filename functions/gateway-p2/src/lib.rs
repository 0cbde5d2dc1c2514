//! The functions over HTTP in the world of `wasi:http` 0.2: every released Spin, SpinKube, Akamai Functions, wasmCloud.
//! An instance answers one request.
#![cfg(target_arch = "wasm32")]

use gateway_core::{MAX_BODY_BYTES, Request, Response, respond, too_large};
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse,
    ResponseOutparam,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// Read at once.
const CHUNK_BYTES: u64 = 256 << 10;

struct Gateway;

wasip2::http::proxy::export!(Gateway);

impl Guest for Gateway {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        match read(&request) {
            Ok(Some(request)) => send(&respond(&request), outparam),
            Ok(None) => send(&too_large(), outparam),
            Err(why) => ResponseOutparam::set(outparam, Err(ErrorCode::InternalError(Some(why)))),
        }
    }
}

/// `None` if its body is too long.
fn read(request: &IncomingRequest) -> Result<Option<Request>, String> {
    let path = request.path_with_query().unwrap_or_else(|| "/".to_owned());
    let content_type = request.headers().get(&"content-type".to_owned()).into_iter().next();
    let body = request.consume().map_err(|()| "the request's body was taken already")?;
    let Some(body) = read_body(&body)? else { return Ok(None) };
    Ok(Some(Request {
        method: method(request.method()),
        path: path.split('?').next().unwrap_or_default().to_owned(),
        content_type: content_type.map(|value| String::from_utf8_lossy(&value).into_owned()),
        body,
    }))
}

fn read_body(body: &IncomingBody) -> Result<Option<Vec<u8>>, String> {
    let stream: InputStream = body.stream().map_err(|()| "the request's body is read already")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(CHUNK_BYTES) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(Some(bytes)),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
        if bytes.len() > MAX_BODY_BYTES {
            return Ok(None);
        }
    }
}

fn method(method: Method) -> String {
    let name = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => return name,
    };
    name.to_owned()
}

fn send(response: &Response, outparam: ResponseOutparam) {
    let headers =
        response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes()));
    let headers = Fields::from_list(&headers.collect::<Vec<_>>());
    let outgoing = headers.map_err(|_| ()).and_then(|headers| {
        let outgoing = OutgoingResponse::new(headers);
        outgoing.set_status_code(response.status)?;
        Ok((outgoing.body()?, outgoing))
    });
    let Ok((body, outgoing)) = outgoing else {
        let why = "the answer's headers were not taken".to_owned();
        return ResponseOutparam::set(outparam, Err(ErrorCode::InternalError(Some(why))));
    };
    ResponseOutparam::set(outparam, Ok(outgoing));
    // Who no longer listens cannot be told.
    if let Ok(stream) = body.write() {
        let _ = write(&stream, &response.body);
    }
    let _ = OutgoingBody::finish(body, None);
}

fn write(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    let ready = stream.subscribe();
    while !bytes.is_empty() {
        let room = stream.check_write()?.min(bytes.len() as u64) as usize;
        if room == 0 {
            ready.block();
            continue;
        }
        stream.write(&bytes[..room])?;
        bytes = &bytes[room..];
    }
    stream.flush()?;
    ready.block();
    stream.check_write().map(drop)
}
