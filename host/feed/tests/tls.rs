//! Alone in its program: it changes the environment.

#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use tallow_feed::{Deadlines, Dial, Incoming, Network, SocketError};
use tallow_http::{AllowList, Guard};
use tallow_test_support::authority::Authority;
use tallow_test_support::http::ScriptedNames;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::{Message, accept};
use url::Url;

/// A server whose certificate is for that name. It takes one connection and sends one message.
fn serve(authority: &Authority, name: &str) -> SocketAddr {
    let config = authority.server(name);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(config).unwrap();
        // A client that does not trust us leaves in the middle of the handshake.
        let Ok(mut socket) = accept(StreamOwned::new(connection, stream)) else { return };
        socket.send(Message::text("hello")).unwrap();
        let _ = socket.read();
    });
    address
}

fn dial(
    runtime: &Runtime,
    allow: &str,
    address: SocketAddr,
    deadlines: Deadlines,
) -> Result<Incoming, SocketError> {
    let port = address.port();
    let allow = AllowList::default().internal(format!("{allow}:{port}").parse().unwrap());
    let names = ScriptedNames::default().with("exchange.test", &[address.ip()]);
    let network = Network::new(Guard::new(allow, Arc::new(names)), deadlines).unwrap();
    let url = Url::parse(&format!("wss://exchange.test:{port}/stream")).unwrap();
    runtime.block_on(async { network.dial(&url).await?.next().await })
}

#[test]
fn a_socket_needs_a_trusted_certificate_and_an_allowed_host() {
    let (trusted, other) = (Authority::default(), Authority::default());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    trusted.write_pem(&file);
    // SAFETY: no other thread of this program reads the environment while it is written.
    unsafe { std::env::set_var("SSL_CERT_FILE", &file) };
    let runtime = Runtime::new().unwrap();
    assert_silence_is_given_up(&runtime);
    let dial = |allow, address| dial(&runtime, allow, address, Deadlines::default());

    let hello = dial("https://exchange.test", serve(&trusted, "exchange.test"));
    assert_eq!(hello, Ok(Incoming::Frame("hello".into())));
    for (what, address) in [
        ("another's name", serve(&trusted, "other.test")),
        ("an authority that nobody trusts", serve(&other, "exchange.test")),
    ] {
        let error = dial("https://exchange.test", address).unwrap_err();
        assert!(matches!(&error, SocketError::Failed { step: "TLS", .. }), "{what}: {error:?}");
        assert!(error.to_string().contains("certificate") && !error.is_forbidden(), "{what}: {error}");
    }
    for allow in ["https://other.test", "http://exchange.test"] {
        let error = dial(allow, serve(&trusted, "exchange.test")).unwrap_err();
        assert!(error.is_forbidden() && error.to_string().contains("nothing was sent"), "{allow}: {error}");
    }
}

/// A server that takes the connection and says nothing.
fn assert_silence_is_given_up(runtime: &Runtime) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let short = Duration::from_millis(200);
    let deadlines = Deadlines { tls: short, ..Deadlines::default() };
    let error =
        dial(runtime, "https://exchange.test", listener.local_addr().unwrap(), deadlines).unwrap_err();
    assert_eq!(error, SocketError::TimedOut { step: "TLS", limit: short });
}
