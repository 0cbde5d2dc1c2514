//! How long instances live: of wasi:http 0.2 for one request, of 0.3 for many, one after the other, as in Spin and in
//! `wasmtime serve`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use wasmtime::component::GuestTaskId;
use wasmtime::{Result, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::client::Client;

/// Requests that an instance answers at most.
const REUSE_P3: usize = 100;

pub struct Workers {
    pub pre: ProxyPre<Client>,
}

impl HandlerState for Workers {
    type StoreData = Client;
    type WorkerExpiration = Never;
    type WorkerState = Worker;

    async fn instantiate(&self) -> Result<Instance<Client, Never, Worker>> {
        let mut store = Store::new(engine(&self.pre), Client::default());
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let requests = match self.pre {
            ProxyPre::P2(_) => 1,
            ProxyPre::P3(_) => REUSE_P3,
        };
        Ok(Instance { store, proxy, view: Client::http, expiration: Never, state: Worker { requests } })
    }
}

fn engine(pre: &ProxyPre<Client>) -> &wasmtime::Engine {
    match pre {
        ProxyPre::P2(pre) => pre.engine(),
        ProxyPre::P3(pre) => pre.engine(),
    }
}

pub struct Worker {
    requests: usize,
}

impl WorkerState for Worker {
    type StoreData = Client;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        match (concurrent, total) {
            (_, total) if total >= self.requests => ShouldAccept::Never,
            (0, _) => ShouldAccept::Yes,
            _ => ShouldAccept::No,
        }
    }

    /// No request is broken off: who started this process ends it.
    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Client>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(std::future::pending())
    }

    fn drop(&self, _: Store<Client>, result: Result<()>) {
        if let Err(error) = result {
            eprintln!("instance: {error:?}");
        }
    }
}

/// An idle instance waits for its next request.
pub struct Never;

impl WorkerExpiration for Never {
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>, _: WorkerStatus, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}
