//! The same by HTTP, where it is asked for: `POST /control/<pipeline>` with the request as the body and a bearer token;
//! the answer is a stream of JSON lines.

use std::io::{self, Read};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use tiny_http::{Header, Method, Response, Server, StatusCode};

use super::protocol::{Answer, Request};
use super::serve::Desk;
use super::socket::LARGEST_REQUEST_BYTES;

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Answers whoever has the token, until all pipelines are over.
pub fn serve<'scope, 'env>(
    scope: &'scope std::thread::Scope<'scope, 'env>,
    server: &'env Server,
    token: &'env str,
    desks: &'env [Desk<'env>],
    over: &dyn Fn() -> bool,
) {
    while !over() {
        match server.recv_timeout(LOOK_EVERY) {
            Ok(Some(request)) => _ = scope.spawn(move || converse(request, token, desks)),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the control port"),
        }
    }
}

fn converse(mut http: tiny_http::Request, token: &str, desks: &[Desk<'_>]) {
    let refuse = |http: tiny_http::Request, code: u16, why: &str| {
        // Whoever asked may have gone away.
        let _ = http.respond(Response::from_string(format!("{why}\n")).with_status_code(StatusCode(code)));
    };
    if !authorised(&http, token) {
        return refuse(http, 401, "send `Authorization: Bearer <token>`");
    }
    let named = http.url().strip_prefix("/control/").filter(|_| *http.method() == Method::Post);
    let Some(desk) = named.and_then(|name| desks.iter().find(|desk| desk.wiring.plan.name() == name)) else {
        let names: Vec<&str> = desks.iter().map(|desk| desk.wiring.plan.name()).collect();
        return refuse(http, 404, &format!("there is POST /control/PIPELINE, for {}", names.join(", ")));
    };
    let mut body = Vec::new();
    if let Err(error) = http.as_reader().take(LARGEST_REQUEST_BYTES).read_to_end(&mut body) {
        return refuse(http, 400, &format!("the request was cut off: {error}"));
    }
    let request = match serde_json::from_slice::<Request>(&body) {
        Ok(request) => request,
        Err(error) => return refuse(http, 400, &format!("not a request: {error}")),
    };
    std::thread::scope(|scope| {
        let (lines, answers) = bounded(16);
        scope.spawn(move || desk.serve(request, &mut |answer| send(&lines, &answer)));
        let header = Header::from_bytes("content-type", "application/x-ndjson").ok();
        let body = Lines { answers, rest: io::Cursor::default() };
        let _ = http.respond(Response::new(StatusCode(200), header.into_iter().collect(), body, None, None));
    });
}

fn send(lines: &Sender<Vec<u8>>, answer: &Answer) -> bool {
    let line = serde_json::to_vec(answer).map(|line| [line, vec![b'\n']].concat());
    line.is_ok_and(|line| lines.send(line).is_ok())
}

/// Compares all of it, whatever differs: how long it takes tells nothing of the token.
fn authorised(http: &tiny_http::Request, token: &str) -> bool {
    let sent = http.headers().iter().find(|header| header.field.equiv("authorization"));
    let sent = sent.and_then(|header| header.value.as_str().strip_prefix("Bearer ")).unwrap_or_default();
    let differing = sent.bytes().zip(token.bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    sent.len() == token.len() && differing == 0
}

/// A body that grows as answers come.
struct Lines {
    answers: Receiver<Vec<u8>>,
    rest: io::Cursor<Vec<u8>>,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.rest.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        match self.answers.recv() {
            Ok(line) => {
                self.rest = io::Cursor::new(line);
                self.rest.read(buffer)
            }
            Err(_) => Ok(0),
        }
    }
}
