//! Gateways over HTTP: a call is sent until it is answered, for a while. It changes nothing there, so sending it twice
//! is safe; what is committed is what came back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tallow_contract::messages::{CONTENT_TYPE, FUNCTION_HEADER, Fault, MAX_BODY_BYTES, content_type};
use tallow_engine::{CallError, Caller, Callers, Contract, Descriptor};
use tallow_env::{Backoff, Clock, Random};
use tallow_http::{AllowList, Http, Origin, Request, Response};
use tallow_manifest::Secret;

/// For one try: more than any platform lets a request run.
const TRY_FOR: Duration = Duration::from_secs(35);
/// How long to wait for a gateway that is away, before the pipeline stops with nothing of the epoch committed.
const AWAY_FOR: Duration = Duration::from_secs(60);
const PAUSES: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
/// How often a call that ends the instance is sent before the call is blamed.
const TRAPS: u32 = 3;

/// The gateways that a manifest names.
pub struct Gateways {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub stop: Arc<AtomicBool>,
    /// By address.
    pub tokens: BTreeMap<String, Secret>,
}

impl Gateways {
    /// The descriptor of the function of a contract, as the gateway gives it.
    ///
    /// # Errors
    /// The gateway is away, is none, or has no such function.
    pub fn describe(&self, url: &str, contract: Contract) -> Result<Descriptor, CallError> {
        let gateway = self.gateway(url, String::new(), CONTENT_TYPE).map_err(CallError::Remote)?;
        let page = gateway.until_answered(|| gateway.request("/", None))?;
        match page.status {
            200 => Ok(Descriptor::of(url, &page.body, contract)?),
            _ => Err(CallError::Remote(gateway.says(&page))),
        }
    }

    fn gateway(&self, url: &str, function: String, content_type: &'static str) -> Result<Gateway, String> {
        let origin = url::Url::parse(url).map_err(|error| format!("{url}: {error}"))?;
        let origin = Origin::of(&origin).map_err(|why| format!("{url}: {why}"))?;
        // The manifest names this very host: it may be one of the same network.
        let allow = AllowList::default().internal(origin);
        let limits = tallow_http::Limits {
            whole: TRY_FOR,
            body_bytes: MAX_BODY_BYTES as u64 + (1 << 20),
            ..tallow_http::Limits::default()
        };
        let http =
            tallow_http::client(allow, limits, self.clock.clone()).map_err(|error| error.to_string())?;
        Ok(Gateway {
            url: url.to_owned(),
            token: self.tokens.get(url).cloned(),
            function,
            content_type,
            http: Arc::new(http),
            clock: self.clock.clone(),
            random: self.random.clone(),
            stop: self.stop.clone(),
        })
    }
}

impl Callers for Gateways {
    fn open(&self, descriptor: &Descriptor) -> Result<Arc<dyn Caller>, CallError> {
        let function = &descriptor.function;
        let content_type = content_type(&function.contract);
        let gateway = self.gateway(&descriptor.remote, function.label(), content_type);
        Ok(Arc::new(gateway.map_err(CallError::Remote)?))
    }
}

struct Gateway {
    url: String,
    token: Option<Secret>,
    /// Name and version of the function that it must be.
    function: String,
    /// Of its messages.
    content_type: &'static str,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    stop: Arc<AtomicBool>,
}

impl Caller for Gateway {
    fn call(&self, path: &str, message: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let message = bytes::Bytes::from(message);
        let answer = self.until_answered(|| self.request(path, Some(message.clone())))?;
        match answer.status {
            200 => self.checked(answer),
            413 => Err(CallError::Output { cap_bytes: MAX_BODY_BYTES as u64 }),
            500.. => Err(CallError::Trap(self.says(&answer))),
            _ => Err(CallError::Remote(self.says(&answer))),
        }
    }
}

impl Gateway {
    fn request(&self, path: &str, message: Option<bytes::Bytes>) -> Request {
        let url = format!("{}{path}", self.url);
        let request = match message {
            None => Request::get(url),
            Some(message) => Request::post(url, message).with_header("content-type", self.content_type),
        };
        match &self.token {
            None => request,
            Some(token) => request.with_header("authorization", format!("Bearer {}", token.expose())),
        }
    }

    /// An answer that is worth having: while the gateway is away, or busy, the request is sent again. An answer of 500
    /// is given where the same request had it again and again, and the gateway lives.
    fn until_answered(&self, request: impl Fn() -> Request) -> Result<Response, CallError> {
        let (begun, mut pauses, mut traps) = (self.clock.ticks(), PAUSES, 0);
        loop {
            let (why, asked) = match self.http.send(&request()) {
                Ok(answer) if matches!(answer.status, 429 | 502..=504) => {
                    (self.says(&answer), answer.retry_after(self.clock.now_us()))
                }
                Ok(answer) if answer.status >= 500 => {
                    traps += 1;
                    if traps >= TRAPS && self.lives() {
                        return Ok(answer);
                    }
                    (self.says(&answer), None)
                }
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_transient() => (error.to_string(), None),
                Err(error) => return Err(CallError::Remote(error.to_string())),
            };
            let over = self.clock.ticks().since(begun) >= AWAY_FOR;
            if over || self.stop.load(Ordering::Relaxed) {
                let tried =
                    if over { format!(" ({} s of tries)", AWAY_FOR.as_secs()) } else { String::new() };
                return Err(CallError::Remote(format!(
                    "{why}{tried}. Nothing of this epoch was committed; start again when the gateway is back"
                )));
            }
            tracing::warn!(gateway = self.url, why, "the gateway does not answer; trying again");
            let pause = pauses.half_jittered(&*self.random);
            self.clock.sleep(asked.unwrap_or(pause).min(AWAY_FOR));
        }
    }

    fn lives(&self) -> bool {
        self.http.send(&self.request("/healthz", None)).is_ok_and(|answer| answer.status == 200)
    }

    /// The message of an answer that the function of the descriptor gave.
    fn checked(&self, answer: Response) -> Result<Vec<u8>, CallError> {
        let media_type = answer.header("content-type").unwrap_or_default();
        if media_type != self.content_type {
            return Err(CallError::Remote(format!(
                "{} answers with `{media_type}` where `{}` was asked for: it is not a gateway of this version of tallow",
                self.url, self.content_type
            )));
        }
        let function = answer.header(FUNCTION_HEADER).unwrap_or_default();
        if function != self.function {
            return Err(CallError::Remote(format!(
                "{} runs `{function}` now; this run began with `{}`. Start again to use it: the log then records the change",
                self.url, self.function
            )));
        }
        Ok(answer.body.into())
    }

    fn says(&self, answer: &Response) -> String {
        let fault = serde_json::from_slice::<Fault>(&answer.body).map(|fault| format!(": {}", fault.error));
        let hint = match answer.status {
            401 | 403 => ": set `token` beside `remote`, or correct it",
            404 => ": is this the gateway's address?",
            _ => "",
        };
        format!("{} answers {}{}", self.url, answer.status, fault.unwrap_or_else(|_| hint.to_owned()))
    }
}
