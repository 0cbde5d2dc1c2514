//! What listens for requests to running pipelines: the control socket, and the control port if one is asked for. Beside
//! them, the functions' files are watched.

mod vetting;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tallow_manifest::{Manifest, Source};

use crate::say;

use super::gate::Gate;
use super::{Failure, settings, spawn};
use tallow_pipeline::Services;
use tallow_swap::control::serve::ControlHandler;
use tallow_swap::control::server::{Door, Server};
use tallow_swap::control::socket;
use tallow_swap::control::token::Token;
use tallow_swap::watch::{self, Files};
use tallow_swap::{SwapError, Target};

#[derive(clap::Args)]
pub struct Args {
    /// Where to listen for `tallow functions`, instead of a socket in the user's runtime folder (one pipeline only)
    #[arg(long, value_name = "PATH")]
    pub control: Option<PathBuf>,
    /// Listen for the same requests over HTTP, too: POST /control/PIPELINE
    #[arg(long, value_name = "ADDRESS:PORT", requires = "control_token_file")]
    pub control_http: Option<SocketAddr>,
    /// A file whose first line is the token that HTTP requests must carry
    #[arg(long, value_name = "FILE", requires = "control_http")]
    pub control_token_file: Option<PathBuf>,
}

/// What listens for running pipelines, until it is dropped. It never makes them wait.
pub struct ControlServer {
    handlers: Vec<Arc<ControlHandler>>,
    _server: Server,
}

impl ControlServer {
    pub fn open(
        args: &Args,
        manifest: &Manifest,
        gate: &Arc<Gate>,
        targets: &[Arc<Target>],
    ) -> Result<Self, Failure> {
        if args.control.is_some() && targets.len() > 1 {
            let why = "--control names one socket, and there are several pipelines: choose one with --only";
            return Err(Failure::usage(why));
        }
        let (mut handlers, mut doors, mut watched) = (Vec::new(), Vec::new(), Vec::new());
        for target in targets {
            let handler = Arc::new(handler(gate, target));
            doors.extend(socket_door(args, &handler)?);
            if target.services.plan.pipeline.swap.watch {
                watched.push((handler.clone(), files(manifest, &target.services)?));
            }
            handlers.push(handler);
        }
        doors.extend(port_door(args, &handlers)?);
        let _server = Server::start(doors).map_err(Failure::failed)?;
        for (handler, files) in watched {
            spawn("watch", move || {
                watch::watch(&handler.target, &files, &*handler.vet, &|| handler.is_over());
            })?;
        }
        Ok(Self { handlers, _server })
    }

    /// What takes the requests of each pipeline, in the order of the targets.
    pub fn handlers(&self) -> &[Arc<ControlHandler>] {
        &self.handlers
    }
}

fn handler(gate: &Arc<Gate>, target: &Arc<Target>) -> ControlHandler {
    let (gate, vets) = (gate.clone(), target.clone());
    let vet = move |name: &str, bytes: &[u8], contract| {
        vetting::component(&gate, &vets, name, bytes, contract).map_err(SwapError::Vet)
    };
    ControlHandler {
        target: target.clone(),
        vet: Box::new(vet),
        mask: |text| say::shown(text).into_owned(),
        over: AtomicBool::new(false),
    }
}

fn files(manifest: &Manifest, stream: &Services) -> Result<Files, Failure> {
    // A gateway has no file to watch.
    let is_remote = |name: &&String| {
        matches!(manifest.components.get(*name).map(|it| &it.source), Some(Source::Remote { .. }))
    };
    let names = [&stream.plan.pipeline.parse, &stream.plan.window_function];
    let names = names.into_iter().filter(|name| !is_remote(name));
    let file = |name: &String| Ok((name.clone(), settings::component_file(manifest, name)?.to_owned()));
    Ok(Files(names.map(file).collect::<Result<_, Failure>>()?))
}

/// A socket that was asked for must be there; otherwise a run does without one.
fn socket_door(args: &Args, handler: &Arc<ControlHandler>) -> Result<Option<Door>, Failure> {
    let (pipeline, lake) = (handler.pipeline(), handler.target.services.store.url());
    let path = args.control.clone().unwrap_or_else(|| socket::path(lake, pipeline));
    match socket::listen(&path) {
        Ok(listener) => {
            tracing::info!(pipeline, control = %path.display(), "listens for `tallow functions`");
            Ok(Some(Door::Socket { listener, path, desk: handler.clone() }))
        }
        Err(error) if args.control.is_some() => {
            Err(Failure::usage(format!("--control {}: {error}", path.display())))
        }
        Err(error) => {
            tracing::warn!(pipeline, control = %path.display(), %error, "no control socket");
            Ok(None)
        }
    }
}

fn port_door(args: &Args, handlers: &[Arc<ControlHandler>]) -> Result<Option<Door>, Failure> {
    let (Some(address), Some(file)) = (args.control_http, &args.control_token_file) else {
        return Ok(None);
    };
    let token = Token::read(file)
        .map_err(|error| Failure::usage(format!("--control-token-file {}: {error}", file.display())))?;
    let listen = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok((listener.local_addr()?, listener))
    };
    let (address, listener) = listen()
        .map_err(|error: std::io::Error| Failure::usage(format!("--control-http {address}: {error}")))?;
    tracing::info!(control_http = %address, "listens for POST /control/PIPELINE");
    if !address.ip().is_loopback() {
        tracing::warn!(
            control_http = %address,
            "anyone who can read this network can read the token: there is no TLS here. Listen on 127.0.0.1, or put a \
             proxy with TLS in front of it"
        );
    }
    Ok(Some(Door::Port { listener, token, desks: handlers.to_vec() }))
}
