//! Answers that pages of another origin may read (CORS). Off, unless the gateway was built for one: it imports nothing that
//! could tell it of settings.

use crate::http::{Request, Response};

/// The origin whose pages may read the answers, such as `https://app.example.org`; `*`: any.
const ORIGIN: Option<&str> = option_env!("TALLOW_ALLOW_ORIGIN");

pub fn origin() -> Option<&'static str> {
    ORIGIN.filter(|origin| !origin.is_empty())
}

/// The answer to what browsers ask before they send what a page wants to send; `None` if it is something else.
pub fn preflight(request: &Request, origin: Option<&str>) -> Option<Response> {
    let origin = origin.filter(|_| request.method == "OPTIONS")?;
    let mut response = Response::empty(204);
    response.headers.extend([
        ("access-control-allow-methods", "GET, HEAD, POST".to_owned()),
        ("access-control-allow-headers", "content-type".to_owned()),
        ("access-control-max-age", "86400".to_owned()),
    ]);
    Some(readable(response, Some(origin)))
}

/// The response as pages of that origin may read it.
pub fn readable(mut response: Response, origin: Option<&str>) -> Response {
    if let Some(origin) = origin {
        response.headers.push(("access-control-allow-origin", origin.to_owned()));
        response
            .headers
            .push(("access-control-expose-headers", tallow_contract::messages::FUNCTION_HEADER.to_owned()));
    }
    response
}
