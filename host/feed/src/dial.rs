//! A socket, and what opens one. [`Network`] is the real one: names, addresses, TLS and the upgrade, each with its own
//! deadline, behind the same checks as requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tallow_http::{Guard, HttpError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

/// The largest message that is taken.
const MESSAGE_BYTES: usize = 4 << 20;

/// What arrives over a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Frame(Bytes),
    /// A ping, which is answered, or a pong.
    Alive,
}

/// Why a socket is not open, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    #[error("{0}")]
    Guard(#[from] HttpError),
    #[error("{step} took longer than {} s", .limit.as_secs_f32())]
    TimedOut { step: &'static str, limit: Duration },
    #[error("{step}: {why}")]
    Failed { step: &'static str, why: String },
    #[error("the exchange closed the connection{0}")]
    Closed(String),
    #[error("nothing arrived for {} s, not even an answer to a ping", .0.as_secs_f32())]
    Silent(Duration),
}

impl SocketError {
    /// Whether another attempt is as good as useless: what was asked for leads where it must not.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Guard(error) if !error.is_transient())
    }
}

/// An open socket. `next` may be dropped and called again without a loss.
#[async_trait]
pub trait Socket: Send {
    async fn next(&mut self) -> Result<Incoming, SocketError>;
    async fn send(&mut self, text: String) -> Result<(), SocketError>;
    async fn ping(&mut self) -> Result<(), SocketError>;
}

/// Opens sockets.
#[async_trait]
pub trait Dial: Send + Sync {
    async fn dial(&self, url: &Url) -> Result<Box<dyn Socket>, SocketError>;
}

/// How long each step may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    pub names: Duration,
    pub tcp: Duration,
    pub tls: Duration,
    pub upgrade: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let (short, long) = (Duration::from_secs(5), Duration::from_secs(10));
        Self { names: short, tcp: short, tls: long, upgrade: long }
    }
}

/// The network.
pub struct Network {
    guard: Arc<Guard>,
    deadlines: Deadlines,
    tls: TlsConnector,
}

impl Network {
    /// # Errors
    /// The machine's certificates cannot be read.
    pub fn new(guard: Guard, deadlines: Deadlines) -> Result<Self, SocketError> {
        // The error says that a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = rustls::ClientConfig::builder()
            .with_platform_verifier()
            .map_err(|error| SocketError::Failed { step: "certificates", why: error.to_string() })?
            .with_no_client_auth();
        Ok(Self { guard: Arc::new(guard), deadlines, tls: TlsConnector::from(Arc::new(config)) })
    }

    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, SocketError> {
        let (guard, url) = (self.guard.clone(), in_http(url));
        let check = tokio::task::spawn_blocking(move || guard.check(&url));
        let checked = within("finding its address", self.deadlines.names, check).await?;
        let checked = checked.map_err(|error| failed("finding its address", &error))?;
        Ok(checked?.1)
    }

    async fn connect(&self, addresses: &[SocketAddr]) -> Result<TcpStream, SocketError> {
        let mut last = SocketError::Failed { step: "connecting", why: "no address".to_owned() };
        for address in addresses {
            match within("connecting", self.deadlines.tcp, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Subscriptions are small and wait for nothing.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => last = failed("connecting", &error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn secure(&self, url: &Url, stream: TcpStream) -> Result<Box<dyn Stream>, SocketError> {
        if url.scheme() != "wss" {
            return Ok(Box::new(stream));
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|error| failed("TLS", &error))?;
        let secured = within("TLS", self.deadlines.tls, self.tls.connect(name, stream)).await?;
        Ok(Box::new(secured.map_err(|error| failed("TLS", &error))?))
    }
}

#[async_trait]
impl Dial for Network {
    async fn dial(&self, url: &Url) -> Result<Box<dyn Socket>, SocketError> {
        let addresses = self.addresses(url).await?;
        let stream = self.connect(&addresses).await?;
        let stream = self.secure(url, stream).await?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES))
            .max_frame_size(Some(MESSAGE_BYTES));
        let upgrade = client_async_with_config(url.as_str(), stream, Some(config));
        let upgraded = within("the upgrade to a socket", self.deadlines.upgrade, upgrade).await?;
        let (socket, _) = upgraded.map_err(|error| failed("the upgrade to a socket", &error))?;
        Ok(Box::new(Upgraded(socket)))
    }
}

/// Bytes both ways, secured or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

struct Upgraded(WebSocketStream<Box<dyn Stream>>);

impl Upgraded {
    async fn put(&mut self, message: Message) -> Result<(), SocketError> {
        self.0.send(message).await.map_err(|error| failed("sending", &error))
    }
}

#[async_trait]
impl Socket for Upgraded {
    async fn next(&mut self) -> Result<Incoming, SocketError> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Incoming::Frame(text.into())),
            Some(Ok(Message::Binary(bytes))) => Ok(Incoming::Frame(bytes)),
            Some(Ok(Message::Close(Some(frame)))) => {
                Err(SocketError::Closed(format!(" with {}: {}", u16::from(frame.code), frame.reason)))
            }
            Some(Ok(Message::Close(None))) | None => Err(SocketError::Closed(String::new())),
            Some(Ok(_)) => Ok(Incoming::Alive),
            Some(Err(error)) => Err(failed("reading", &error)),
        }
    }

    async fn send(&mut self, text: String) -> Result<(), SocketError> {
        self.put(Message::text(text)).await
    }

    async fn ping(&mut self) -> Result<(), SocketError> {
        self.put(Message::Ping(Bytes::new())).await
    }
}

async fn within<T>(
    step: &'static str,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, SocketError> {
    timeout(limit, work).await.map_err(|_| SocketError::TimedOut { step, limit })
}

fn failed(step: &'static str, error: &dyn std::error::Error) -> SocketError {
    SocketError::Failed { step, why: error.to_string() }
}

/// The same place as requests name it.
pub fn in_http(url: &Url) -> Url {
    let mut url = url.clone();
    // Fails for no scheme that a socket has.
    let _ = url.set_scheme(if url.scheme() == "wss" { "https" } else { "http" });
    url
}
