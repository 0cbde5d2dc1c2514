//! Requests and answers, whatever carries them.

use serde::Serialize;
use tallow_contract::messages::{FUNCTION_HEADER, Fault, MAX_BODY_BYTES, encode};

/// A request whose body has been read whole.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// Without the query.
    pub path: String,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names in lower case. `content-length` is one of them.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// A request that is not carried out: its status, and what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub status: u16,
    pub error: String,
    pub headers: Vec<(&'static str, String)>,
}

impl Refused {
    pub fn new(status: u16, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), headers: Vec::new() }
    }

    /// The body is not what the path takes.
    pub fn malformed(error: impl Into<String>) -> Self {
        Self::new(400, error)
    }

    pub fn too_large(error: impl Into<String>) -> Self {
        Self::new(413, error)
    }

    /// The function understood and said no.
    pub fn by_function(error: impl Into<String>) -> Self {
        Self::new(422, error)
    }
}

impl From<Refused> for Response {
    fn from(refused: Refused) -> Self {
        let fault = Fault { error: refused.error };
        let mut response = Response::json(refused.status, &fault);
        response.headers.extend(refused.headers);
        response
    }
}

impl Response {
    fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        // Without its length, a body of one packet waits for the reader's delayed acknowledgement.
        let headers =
            vec![("content-type", content_type.to_owned()), ("content-length", body.len().to_string())];
        Self { status, headers, body }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: vec![("content-length", "0".to_owned())], body: Vec::new() }
    }

    pub fn json(status: u16, message: &impl Serialize) -> Self {
        match serde_json::to_vec(message) {
            Ok(mut body) => {
                body.push(b'\n');
                Self::new(status, "application/json", body)
            }
            Err(error) => Self::new(500, "text/plain", error.to_string().into_bytes()),
        }
    }

    /// The request ended before its body did.
    pub fn broken_off() -> Self {
        Refused::malformed("the body broke off").into()
    }

    pub fn text(content_type: &str, text: &str) -> Self {
        Self::new(200, content_type, text.as_bytes().to_vec())
    }

    pub fn binary(content_type: &str, message: &impl Serialize) -> Result<Self, Refused> {
        let body = encode(message).map_err(|error| Refused::new(500, error))?;
        Ok(Self::new(200, content_type, body))
    }

    /// Says which function gave the answer.
    pub fn by(mut self, function: String) -> Self {
        self.headers.push((FUNCTION_HEADER, function));
        self
    }

    /// Refuses an answer that platforms would cut off.
    pub fn within_limit(self) -> Self {
        if self.body.len() <= MAX_BODY_BYTES {
            return self;
        }
        let size = self.body.len();
        Refused::too_large(format!(
            "the answer would have {size} bytes; one may have {MAX_BODY_BYTES}: send less at once"
        ))
        .into()
    }
}
