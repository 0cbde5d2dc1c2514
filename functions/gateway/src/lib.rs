//! The functions over HTTP in the world of `wasi:http` 0.3: Spin from 4.1 on, wasmCloud from 2.6 on. An instance may
//! answer many requests, one after the other: nothing is kept from one to the next.
#![cfg(target_arch = "wasm32")]

use bytes::Bytes;
use gateway_core::{MAX_BODY_BYTES, respond, too_large};
use http_body_util::BodyExt;
use spin_sdk::http::{FullBody, IntoResponse, Request, Response};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let (head, mut body) = request.into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return answer(gateway_core::Response::broken_off()) };
        if let Some(chunk) = frame.data_ref() {
            bytes.extend_from_slice(chunk);
        }
        if bytes.len() > MAX_BODY_BYTES {
            return answer(too_large());
        }
    }
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
    answer(respond(&gateway_core::Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        content_type: content_type.map(str::to_owned),
        body: bytes,
    }))
}

fn answer(response: gateway_core::Response) -> Response<FullBody<Bytes>> {
    let mut answer = Response::new(FullBody::new(Bytes::from(response.body)));
    *answer.status_mut() = response.status.try_into().unwrap_or_default();
    for (name, value) in response.headers {
        if let Ok(value) = value.try_into() {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
