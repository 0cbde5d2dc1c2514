//! Serves one component over HTTP/1.1, as platforms do: `serve-component <component> [address]`. Its exports say by
//! which world: `wasi:http/incoming-handler@0.2.x` or `wasi:http/handler@0.3.x`.
//!
//! The address, by default a free port of 127.0.0.1, is the first line of the output. It ends when its input does, so
//! that nothing is left of a test that was killed.

mod client;
mod worker;
mod world;

use std::convert::Infallible;
use std::io::{Read, Write};
use std::path::Path;

use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use wasmtime::error::Context;
use wasmtime::{Result, bail};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::io::TokioIo;

use crate::worker::Workers;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (component, address) = match arguments.as_slice() {
        [component] => (component, "127.0.0.1:0"),
        [component, address] => (component, address.as_str()),
        _ => bail!("usage: serve-component <component> [address]"),
    };
    let workers = Workers { pre: world::prepare(Path::new(component))? };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().enable_time().build()?;
    runtime.block_on(serve(ProxyHandler::new(workers), address))
}

async fn serve(handler: ProxyHandler<Workers>, address: &str) -> Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    std::thread::spawn(|| {
        // Whether it ended or broke is the same.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(handler.clone(), stream));
    }
}

async fn connection(handler: ProxyHandler<Workers>, stream: TcpStream) {
    // An answer of two writes would wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(handler.clone(), request));
    if let Err(error) =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    {
        eprintln!("connection: {error}");
    }
}

/// What the component answers; where it traps, 500 and why, as platforms do.
async fn answer(
    handler: ProxyHandler<Workers>,
    request: Request<Incoming>,
) -> Result<Response<WasiBody>, Infallible> {
    let request = request.map(|body| body.map_err(wasmtime_wasi_http::Error::from).boxed_unsync());
    Ok(handler.handle((), request).await.unwrap_or_else(|error| {
        eprintln!("{error:?}");
        let body = Full::from(format!("{error:#}")).map_err(|never| match never {}).boxed_unsync();
        let mut response = Response::new(body);
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    }))
}
