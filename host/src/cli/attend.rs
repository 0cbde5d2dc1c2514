//! Who attends to running pipelines: the control socket, the control port where one is asked for, and the watch over the
//! functions' files.

mod vetting;

use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;

use tallow_manifest::{Manifest, Source};
use tiny_http::Server;

use self::vetting::Rules;
use super::functions::find;
use super::{Failure, settings};
use crate::control::{http, serve::Desk, socket};
use crate::error::exit;
use crate::live::candidate::Vet;
use crate::live::watch::{self, Files};
use crate::pipeline::Wiring;

#[derive(clap::Args)]
pub struct Args {
    /// Where to listen for `tallow functions`, instead of a socket in the user's runtime folder (one pipeline only)
    #[arg(long, value_name = "PATH")]
    pub control: Option<PathBuf>,
    /// Listen for the same requests by HTTP, too: POST /control/PIPELINE
    #[arg(long, value_name = "ADDRESS:PORT", requires = "control_token_file")]
    pub control_http: Option<SocketAddr>,
    /// A file whose first line is the token that HTTP requests must bear
    #[arg(long, value_name = "FILE", requires = "control_http")]
    pub control_token_file: Option<PathBuf>,
}

/// What listens for one pipeline.
pub struct Attendant<'a> {
    wiring: &'a Wiring,
    rules: Rules,
    socket: Option<(UnixListener, PathBuf)>,
    files: Option<Files>,
    over: AtomicBool,
}

/// What listens for all of them by HTTP.
pub struct Port {
    server: Server,
    token: String,
}

impl<'a> Attendant<'a> {
    pub fn new(args: &Args, manifest: &Manifest, wiring: &'a Wiring, alone: bool) -> Result<Self, Failure> {
        if args.control.is_some() && !alone {
            let why = "--control names one socket, and there are several pipelines: choose one with --only";
            return Err(Failure::new(exit::USAGE, why));
        }
        let pipeline = &wiring.plan.pipeline;
        let rules = Rules { vetting: manifest.vetting.clone(), compiler: find::compiler()? };
        let files = pipeline.swap.watch.then(|| files(manifest, wiring)).transpose()?;
        let path = args.control.clone().unwrap_or_else(|| socket::path(wiring.store.url(), &pipeline.id));
        let socket = listen(&path, args.control.is_some(), &pipeline.id)?.map(|listener| (listener, path));
        Ok(Self { wiring, rules, socket, files, over: AtomicBool::new(false) })
    }

    /// The pipeline has ended.
    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

fn files(manifest: &Manifest, wiring: &Wiring) -> Result<Files, Failure> {
    // A gateway changes by itself; there is no file of it to watch.
    let is_remote = |name: &&String| {
        matches!(manifest.components.get(*name).map(|it| &it.source), Some(Source::Remote { .. }))
    };
    let names = [&wiring.plan.pipeline.parse, &wiring.plan.window_function];
    let names = names.into_iter().filter(|name| !is_remote(name));
    let file = |name: &String| Ok((name.clone(), settings::component_file(manifest, name)?.to_owned()));
    Ok(Files(names.map(file).collect::<Result<_, Failure>>()?))
}

/// A socket that was asked for must be there; a run that was not told of one does without.
fn listen(path: &Path, asked: bool, pipeline: &str) -> Result<Option<UnixListener>, Failure> {
    match socket::listen(path) {
        Ok(listener) => {
            tracing::info!(pipeline, control = %path.display(), "listens for `tallow functions`");
            Ok(Some(listener))
        }
        Err(error) if asked => {
            Err(Failure::new(exit::USAGE, format!("--control {}: {error}", path.display())))
        }
        Err(error) => {
            tracing::warn!(pipeline, control = %path.display(), %error, "no control socket");
            Ok(None)
        }
    }
}

impl Port {
    pub fn open(args: &Args) -> Result<Option<Self>, Failure> {
        let (Some(address), Some(file)) = (args.control_http, &args.control_token_file) else {
            return Ok(None);
        };
        let usage = |why: String| Failure::new(exit::USAGE, why);
        let text = std::fs::read_to_string(file)
            .map_err(|error| usage(format!("--control-token-file {}: {error}", file.display())))?;
        let token = text.lines().next().unwrap_or_default().trim().to_owned();
        if token.len() < 16 {
            return Err(usage(format!("{}: a token has 16 characters or more", file.display())));
        }
        let server =
            Server::http(address).map_err(|error| usage(format!("--control-http {address}: {error}")))?;
        Ok(Some(Self { server, token }))
    }
}

/// Attends until every pipeline has ended.
pub fn attend<'scope, 'env: 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    attendants: &'env [Attendant<'env>],
    port: Option<&'env Port>,
) {
    for attendant in attendants {
        scope.spawn(move || sit(attendant));
    }
    if let Some(port) = port {
        scope.spawn(move || sit_at_port(attendants, port));
    }
}

fn sit_at_port(attendants: &[Attendant<'_>], port: &Port) {
    let over = || attendants.iter().all(Attendant::is_over);
    let vets: Vec<_> = attendants.iter().map(vet).collect();
    let desks: Vec<Desk<'_>> =
        attendants.iter().zip(&vets).map(|(it, vet)| Desk { wiring: it.wiring, vet, over: &over }).collect();
    std::thread::scope(|scope| http::serve(scope, &port.server, &port.token, &desks, &over));
}

fn sit(attendant: &Attendant<'_>) {
    let over = || attendant.is_over();
    let vet = vet(attendant);
    let desk = Desk { wiring: attendant.wiring, vet: &vet, over: &over };
    std::thread::scope(|scope| {
        if let Some(files) = &attendant.files {
            scope.spawn(|| watch::watch(attendant.wiring, files, &vet, &over));
        }
        if let Some((listener, path)) = &attendant.socket {
            socket::serve(scope, listener, path, &desk);
        }
    });
}

fn vet<'a>(attendant: &'a Attendant<'a>) -> Box<Vet<'a>> {
    Box::new(|name, bytes, contract| {
        vetting::component(&attendant.rules, attendant.wiring, name, bytes, contract)
    })
}
