//! One request of a client: who it is comes first, then what it wants, then what it sends.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::mpsc::{self, error::TrySendError};

use super::LARGEST_REQUEST_BYTES;
use super::guests::Guest;
use super::protocol::{self, Answer};
use super::serve::ControlHandler;
use super::token::Token;

/// A request's body, from its first byte to its last.
const BODY_TIME: Duration = Duration::from_secs(60);
/// A client that reads nothing of its answer for so long is gone.
const READ_TIME: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Who may ask, and whom.
pub enum Place {
    /// A client that comes in by a private socket may; it is one pipeline's.
    Socket(Arc<ControlHandler>),
    /// A client that has the token may.
    Port(Token, Vec<Arc<ControlHandler>>),
}

type Answered = Response<BoxBody<Bytes, std::convert::Infallible>>;

/// What is not done, and why.
struct Refused(StatusCode, String);

/// Answers a request, whatever it is.
pub async fn answer(place: &Place, guest: &Guest, request: Request<Incoming>) -> Answered {
    converse(place, guest, request).await.unwrap_or_else(|Refused(status, why)| {
        let mut response = Response::new(Full::new(Bytes::from(format!("{why}\n"))).boxed());
        *response.status_mut() = status;
        response
    })
}

async fn converse(place: &Place, guest: &Guest, request: Request<Incoming>) -> Result<Answered, Refused> {
    let desk = desk(place, &request)?;
    if !guest.asks() {
        let why = "others are being answered; try again later";
        return Err(Refused(StatusCode::SERVICE_UNAVAILABLE, why.to_owned()));
    }
    let body = read(request.into_body()).await?;
    let request: protocol::Request = serde_json::from_slice(&body)
        .map_err(|error| Refused(StatusCode::BAD_REQUEST, format!("not a request: {error}")))?;
    drop(body);
    let mut response = Response::new(serve(desk, request)?.boxed());
    let json_lines = hyper::header::HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, json_lines);
    Ok(response)
}

/// Whom a request is for, once it is known that its sender may ask.
fn desk(place: &Place, request: &Request<Incoming>) -> Result<Arc<ControlHandler>, Refused> {
    let path = request.uri().path();
    let post = *request.method() == Method::POST;
    match place {
        Place::Socket(desk) if post && path == "/control" => Ok(desk.clone()),
        Place::Socket(_) => Err(Refused(StatusCode::NOT_FOUND, "there is POST /control".to_owned())),
        Place::Port(token, desks) => {
            let shown = request.headers().get(AUTHORIZATION).map(|header| header.as_bytes());
            if !token.is_shown_by(shown) {
                let why = "send `Authorization: Bearer <token>`";
                return Err(Refused(StatusCode::UNAUTHORIZED, why.to_owned()));
            }
            let named = path.strip_prefix("/control/").filter(|_| post);
            let desk = named.and_then(|name| desks.iter().find(|desk| desk.pipeline() == name));
            desk.cloned().ok_or_else(|| {
                let names: Vec<&str> = desks.iter().map(|desk| desk.pipeline()).collect();
                let why = format!("there is POST /control/PIPELINE, for {}", names.join(", "));
                Refused(StatusCode::NOT_FOUND, why)
            })
        }
    }
}

async fn read(body: Incoming) -> Result<Bytes, Refused> {
    let too_large = || {
        let why = format!("a request has at most {LARGEST_REQUEST_BYTES} bytes");
        Refused(StatusCode::PAYLOAD_TOO_LARGE, why)
    };
    if body.size_hint().lower() > LARGEST_REQUEST_BYTES as u64 {
        return Err(too_large());
    }
    let whole = Limited::new(body, LARGEST_REQUEST_BYTES).collect();
    match tokio::time::timeout(BODY_TIME, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Refused(StatusCode::BAD_REQUEST, format!("the request was cut off: {error}"))),
        Err(_) => {
            let why = format!("the request took longer than {} s", BODY_TIME.as_secs());
            Err(Refused(StatusCode::REQUEST_TIMEOUT, why))
        }
    }
}

/// Does what is asked in a separate, detached thread: its answers are the body.
fn serve(desk: Arc<ControlHandler>, request: protocol::Request) -> Result<Lines, Refused> {
    let (lines, answers) = mpsc::channel(16);
    let work = move || desk.serve(request, &mut |answer| send(&lines, &answer, &desk));
    let thread = std::thread::Builder::new().name("request".to_owned()).spawn(work);
    thread.map_err(|error| {
        Refused(StatusCode::SERVICE_UNAVAILABLE, format!("cannot start a thread: {error}"))
    })?;
    Ok(Lines(answers))
}

/// False: the client is gone, or as good as gone.
fn send(lines: &mpsc::Sender<Bytes>, answer: &Answer, desk: &ControlHandler) -> bool {
    let Ok(line) = serde_json::to_string(answer) else { return false };
    let mut line = Bytes::from(format!("{}\n", (desk.mask)(&line)));
    let clock = &desk.target.services.clock;
    let start = clock.ticks();
    loop {
        match lines.try_send(line) {
            Ok(()) => return true,
            Err(TrySendError::Closed(_)) => return false,
            Err(TrySendError::Full(back)) => line = back,
        }
        if desk.is_over() || clock.ticks().since(start) > READ_TIME {
            return false;
        }
        clock.sleep(LOOK_EVERY);
    }
}

/// A body that grows as answers come.
struct Lines(mpsc::Receiver<Bytes>);

impl Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
