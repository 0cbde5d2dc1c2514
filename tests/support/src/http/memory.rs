//! Servers in memory: a network for simulations, on the simulation's clock.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tallow_env::Clock;
use tallow_http::{Hop, HttpError, Request, Response, Transport};

use super::{Answer, Handler, Received, Trouble};

/// Servers by their address. Clones are one network.
#[derive(Clone)]
pub struct MemoryNet {
    servers: Arc<Mutex<BTreeMap<SocketAddr, Handler>>>,
    clock: Arc<dyn Clock>,
}

impl MemoryNet {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { servers: Arc::default(), clock }
    }

    /// Puts a server at an address, in place of the one that is there.
    pub fn listen(&self, address: SocketAddr, handler: Handler) {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).insert(address, handler);
    }

    fn server(&self, hop: &Hop) -> Option<Handler> {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        hop.addresses.iter().find_map(|address| servers.get(address)).cloned()
    }
}

impl Transport for MemoryNet {
    fn exchange(&self, hop: &Hop, request: &Request) -> Result<Response, HttpError> {
        let origin = hop.origin.to_string();
        let Some(handler) = self.server(hop) else {
            return Err(HttpError::Unreachable { origin, why: "nobody listens there".to_owned() });
        };
        let Answer { status, headers, body, trouble } = handler(&received(hop, request));
        let too_large = |origin| HttpError::TooLarge { origin, limit_bytes: hop.body_bytes };
        match trouble {
            Trouble::Silent => Err(HttpError::Broken { origin, why: "closed without an answer".to_owned() }),
            Trouble::CutShort => Err(HttpError::Broken { origin, why: "closed before the end".to_owned() }),
            Trouble::Slow(delay) if delay >= hop.whole => {
                self.clock.sleep(hop.whole);
                Err(HttpError::TimedOut { origin, after: hop.whole })
            }
            Trouble::Endless => Err(too_large(origin)),
            Trouble::None | Trouble::Slow(_) if body.len() as u64 > hop.body_bytes => Err(too_large(origin)),
            Trouble::None | Trouble::Slow(_) => {
                if let Trouble::Slow(delay) = trouble {
                    self.clock.sleep(delay);
                }
                let headers =
                    headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
                Ok(Response { status, headers, body })
            }
        }
    }
}

fn received(hop: &Hop, request: &Request) -> Received {
    let mut headers = vec![("host".to_owned(), authority(hop))];
    headers.extend(request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
    Received {
        method: request.method.as_str().to_owned(),
        path: hop.url.path().to_owned(),
        query: hop.url.query().unwrap_or_default().to_owned(),
        headers,
        body: request.body.clone(),
    }
}

fn authority(hop: &Hop) -> String {
    let host = hop.url.host_str().unwrap_or_default();
    hop.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
