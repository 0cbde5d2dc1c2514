//! Alone in its program: it changes the environment.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use rustls::{ServerConnection, StreamOwned};
use tallow_env::SystemClock;
use tallow_http::{AllowList, Guarded, Http, HttpError, Limits, Request, Response, Wire};
use tallow_test_support::authority::Authority;
use tallow_test_support::http::ScriptedNames;

/// A server whose certificate is for that name. It answers one connection, if the client goes through with it.
fn serve(authority: &Authority, name: &str) -> SocketAddr {
    let config = authority.server(name);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(config).unwrap();
        let mut reader = BufReader::new(StreamOwned::new(connection, stream));
        let mut request = String::new();
        // A client that does not trust us leaves in the middle of the handshake.
        while !request.ends_with("\r\n\r\n") && reader.read_line(&mut request).is_ok_and(|bytes| bytes > 0) {}
        let body = request.lines().next().unwrap_or_default();
        let answer =
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let stream = reader.get_mut();
        let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    address
}

fn ask(name: &str, address: SocketAddr) -> Result<Response, HttpError> {
    let url = format!("https://{name}:{}", address.port());
    let allow = AllowList::default().internal(url.parse().unwrap());
    let names = ScriptedNames::default().with(name, &[address.ip()]);
    let clock = Arc::new(SystemClock::new());
    let http = Guarded::new(allow, Limits::default(), Arc::new(names), clock, Wire::new().unwrap());
    http.send(&Request::get(format!("{url}/klines?limit=1")))
}

#[test]
fn a_server_needs_a_trusted_certificate_for_its_name() {
    let (trusted, other) = (Authority::default(), Authority::default());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    trusted.write_pem(&file);
    // SAFETY: no other thread of this program reads the environment while it is written.
    unsafe { std::env::set_var("SSL_CERT_FILE", &file) };

    let answer = ask("exchange.test", serve(&trusted, "exchange.test")).unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"GET /klines?limit=1 HTTP/1.1"[..]));

    for (what, address) in [
        ("another's name", serve(&trusted, "other.test")),
        ("an authority that nobody trusts", serve(&other, "exchange.test")),
    ] {
        let error = ask("exchange.test", address).unwrap_err();
        assert!(matches!(error, HttpError::Unreachable { .. }), "{what}: {error:?}");
        assert!(error.to_string().contains("certificate"), "{what}: {error}");
    }
}
