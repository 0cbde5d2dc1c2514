//! The other side: asks by a socket, and hears every answer.

use std::io;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::protocol;

/// Sends a request to the socket, and gives each answer to `hear`.
pub fn ask(
    path: &Path,
    request: &protocol::Request,
    mut hear: impl FnMut(protocol::Answer),
) -> io::Result<()> {
    let body = Bytes::from(serde_json::to_vec(request)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut response = send(path, body).await?;
        if response.status() != StatusCode::OK {
            let why = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
            return Err(io::Error::other(String::from_utf8_lossy(&why).trim().to_owned()));
        }
        let mut rest = Vec::new();
        while let Some(frame) = response.frame().await {
            let frame = frame.map_err(io::Error::other)?;
            rest.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                hear(serde_json::from_slice(&rest[..end])?);
                rest.drain(..=end);
            }
        }
        Ok(())
    })
}

async fn send(path: &Path, body: Bytes) -> io::Result<Response<Incoming>> {
    let stream = UnixStream::connect(path).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // What breaks the connection breaks the answer as well, which tells it.
    tokio::spawn(connection);
    let request = Request::post("/control").header("host", "tallow").body(Full::new(body));
    sender.send_request(request.map_err(io::Error::other)?).await.map_err(io::Error::other)
}
