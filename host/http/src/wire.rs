//! The network, by reqwest: TLS by rustls, HTTP/1.1, no proxies, no redirects.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, redirect};
use tokio::runtime::Runtime;

use crate::{Hop, HttpError, Method, Origin, Request, Response, Transport};

const USER_AGENT: &str = concat!("tallow/", env!("CARGO_PKG_VERSION"));

pub struct Wire {
    runtime: Runtime,
    /// A client is bound to the addresses that were checked when it was made. It is made again when these change,
    /// and keeps its connections until then.
    clients: Mutex<BTreeMap<Origin, (Vec<SocketAddr>, Client)>>,
}

impl Wire {
    pub fn new() -> Result<Self, HttpError> {
        // The error says that a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A separate worker keeps connections alive between calls; requests run on the calling threads.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| HttpError::Client { why: format!("cannot start a thread: {error}") })?;
        Ok(Self { runtime, clients: Mutex::default() })
    }

    fn client(&self, hop: &Hop) -> Result<Client, HttpError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((addresses, client)) = clients.get(&hop.origin)
            && *addresses == hop.addresses
        {
            return Ok(client.clone());
        }
        let host = hop.url.host_str().unwrap_or_default();
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(hop.connect)
            .resolve_to_addrs(host, &hop.addresses)
            .build()
            .map_err(|error| HttpError::Client { why: said(&error) })?;
        clients.insert(hop.origin.clone(), (hop.addresses.clone(), client.clone()));
        Ok(client)
    }
}

impl Transport for Wire {
    fn exchange(&self, hop: &Hop, request: &Request) -> Result<Response, HttpError> {
        let client = self.client(hop)?;
        let answer = async { tokio::time::timeout(hop.whole, exchange(client, hop, request)).await };
        self.runtime.block_on(answer).unwrap_or_else(|_| Err(timed_out(hop)))
    }
}

async fn exchange(client: Client, hop: &Hop, request: &Request) -> Result<Response, HttpError> {
    let mut builder = match request.method {
        Method::Get => client.get(hop.url.clone()),
        Method::Post => client.post(hop.url.clone()).body(request.body.clone()),
    };
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let mut response = builder.send().await.map_err(|error| failure(hop, &error))?;
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let status = response.status().as_u16();
    Ok(Response { status, headers, body: body(hop, &mut response).await? })
}

/// The body, as long as it keeps within its limit: neither memory nor time is spent on more.
async fn body(hop: &Hop, response: &mut reqwest::Response) -> Result<Bytes, HttpError> {
    let too_large = || HttpError::TooLarge { origin: hop.origin.to_string(), limit_bytes: hop.body_bytes };
    if response.content_length().is_some_and(|length| length > hop.body_bytes) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(hop, &error))? {
        if (body.len() + chunk.len()) as u64 > hop.body_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn failure(hop: &Hop, error: &reqwest::Error) -> HttpError {
    let origin = hop.origin.to_string();
    if error.is_timeout() {
        return timed_out(hop);
    }
    if error.is_builder() {
        return HttpError::Invalid { url: origin, why: said(error) };
    }
    if error.is_connect() {
        return HttpError::Unreachable { origin, why: said(error) };
    }
    HttpError::Broken { origin, why: said(error) }
}

fn timed_out(hop: &Hop) -> HttpError {
    HttpError::TimedOut { origin: hop.origin.to_string(), after: hop.whole }
}

/// The innermost cause: reqwest's own words name the URL, whose query may hold a key.
fn said(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match std::error::Error::source(error) {
        Some(_) => cause.to_string(),
        None => "the request could not be carried out".to_owned(),
    }
}
