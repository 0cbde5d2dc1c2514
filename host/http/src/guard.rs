//! A request, hop by hop: may it go there, where is that, does what comes back lead elsewhere?

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tallow_env::Clock;
use url::{Host, Url};

use crate::{AllowList, Http, HttpError, Method, Names, Origin, Request, Response, address};

/// What one request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For the whole, redirects included.
    pub whole: Duration,
    /// Bytes of an answer's body.
    pub body_bytes: u64,
    pub redirects: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            whole: Duration::from_secs(20),
            body_bytes: 16 << 20,
            redirects: 5,
        }
    }
}

/// Where one request goes. Nothing is left to be looked up.
#[derive(Clone, Debug)]
pub struct Hop {
    pub url: Url,
    pub origin: Origin,
    /// Checked; the connection goes to one of these.
    pub addresses: Vec<SocketAddr>,
    pub connect: Duration,
    /// For connection and answer.
    pub whole: Duration,
    pub body_bytes: u64,
}

/// What sends one request to a checked address and follows nothing.
pub trait Transport: Send + Sync {
    fn exchange(&self, hop: &Hop, request: &Request) -> Result<Response, HttpError>;
}

/// Checks where a URL leads, before anything is sent there.
pub struct Guard {
    allow: AllowList,
    names: Arc<dyn Names>,
}

impl Guard {
    pub fn new(allow: AllowList, names: Arc<dyn Names>) -> Self {
        Self { allow, names }
    }

    /// Looks the host up, and checks its addresses. Blocks while the name is resolved.
    ///
    /// # Errors
    /// The host is not allowed, is at an internal address without leave, or has no address.
    pub fn check(&self, url: &Url) -> Result<(Origin, Vec<SocketAddr>), HttpError> {
        let origin = Origin::of(url)
            .map_err(|why| HttpError::Invalid { url: without_query(url), why: why.to_string() })?;
        let Some(may_be_internal) = self.allow.find(&origin) else {
            return Err(HttpError::NotAllowed {
                origin: origin.to_string(),
                allowed: self.allow.to_string(),
            });
        };
        let addresses = self.addresses(url, &origin)?;
        if let Some((address, what)) = addresses.iter().find_map(|it| Some((*it, address::internal(*it)?)))
            && !may_be_internal
        {
            return Err(HttpError::Internal { origin: origin.to_string(), address, what });
        }
        let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, origin.port())).collect();
        Ok((origin, addresses))
    }

    fn addresses(&self, url: &Url, origin: &Origin) -> Result<Vec<IpAddr>, HttpError> {
        let unreachable = |why: String| HttpError::Unreachable { origin: origin.to_string(), why };
        match url.host() {
            Some(Host::Ipv4(address)) => return Ok(vec![address.into()]),
            Some(Host::Ipv6(address)) => return Ok(vec![address.into()]),
            _ => {}
        }
        let found = self.names.resolve(origin.host());
        let addresses = found.map_err(|error| unreachable(format!("its name has no address: {error}")))?;
        if addresses.is_empty() {
            return Err(unreachable("its name has no address".to_owned()));
        }
        Ok(addresses)
    }
}

/// A transport behind the checks.
pub struct Guarded<T> {
    guard: Guard,
    limits: Limits,
    clock: Arc<dyn Clock>,
    transport: T,
}

impl<T: Transport> Guarded<T> {
    pub fn new(
        allow: AllowList,
        limits: Limits,
        names: Arc<dyn Names>,
        clock: Arc<dyn Clock>,
        transport: T,
    ) -> Self {
        Self { guard: Guard::new(allow, names), limits, clock, transport }
    }

    /// Checks where a URL leads. `left`: the time that the request still has.
    fn hop(&self, url: Url, left: Duration) -> Result<Hop, HttpError> {
        let (origin, addresses) = self.guard.check(&url)?;
        Ok(Hop {
            addresses,
            connect: self.limits.connect.min(left),
            whole: left,
            body_bytes: self.limits.body_bytes,
            origin,
            url,
        })
    }
}

impl<T: Transport> Http for Guarded<T> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let start = self.clock.ticks();
        let url = Url::parse(&request.url).map_err(|error| HttpError::Invalid {
            url: request.url.split('?').next().unwrap_or_default().to_owned(),
            why: error.to_string(),
        })?;
        let mut hop = self.hop(url, self.limits.whole)?;
        let first = hop.origin.to_string();
        let mut request = request.clone();
        for _ in 0..=self.limits.redirects {
            let response = self.transport.exchange(&hop, &request)?;
            let Some(to) = redirect(&hop.url, &response)? else { return Ok(response) };
            let left = self.limits.whole.saturating_sub(self.clock.ticks().since(start));
            let next = self.hop(to, left)?;
            request = follow(request, response.status, next.origin == hop.origin);
            hop = next;
        }
        Err(HttpError::Redirects { origin: first, limit: self.limits.redirects, to: without_query(&hop.url) })
    }
}

/// Where an answer sends its reader on to.
fn redirect(from: &Url, response: &Response) -> Result<Option<Url>, HttpError> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.header("location") else { return Ok(None) };
    let to = from.join(location).map_err(|error| HttpError::Invalid {
        url: without_query(from),
        why: format!("it redirects to something that is no URL: {error}"),
    })?;
    Ok(Some(to))
}

/// Headers that say nothing about who asks: all others stay with the origin that they were meant for.
const HARMLESS: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// The request that a redirect asks for, as browsers do it.
fn follow(mut request: Request, status: u16, same_origin: bool) -> Request {
    if request.method == Method::Post && matches!(status, 301..=303) {
        (request.method, request.body) = (Method::Get, bytes::Bytes::new());
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    }
    if !same_origin {
        request.headers.retain(|(name, _)| HARMLESS.iter().any(|known| name.eq_ignore_ascii_case(known)));
    }
    request
}

/// The URL as it may be shown.
fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Fails only for URLs that cannot hold them.
    let _ = url.set_password(None);
    url.to_string()
}
