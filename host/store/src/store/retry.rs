//! Requests with a deadline, tried again while that may help.

use std::future::Future;
use std::time::Duration;

use tallow_env::{Backoff, Ticks};

use super::error::Failure;
use super::{Store, StoreError};

const PAUSES: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));

impl Store {
    pub(super) fn run<T>(
        &self,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(cut_off(self.patience.attempt, request))
    }

    pub(super) fn run_long<T>(
        &self,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(cut_off(self.patience.attempt * self.patience.long, request))
    }

    /// Tries until it works, until it cannot work, or until the deadline.
    pub(super) fn retry<T>(
        &self,
        doing: &'static str,
        path: &str,
        attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.retry_until(self.pauses(), doing, path, || Ok(()), attempt)
    }

    /// The same for calls that move a large object. Before each try `allowed` is asked; its error ends the call.
    pub(super) fn retry_long<T, E: From<StoreError>>(
        &self,
        doing: &'static str,
        path: &str,
        allowed: impl FnMut() -> Result<(), E>,
        attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, E> {
        let pauses = Pauses { whole: self.patience.whole * self.patience.long, ..self.pauses() };
        self.retry_until(pauses, doing, path, allowed, attempt)
    }

    fn retry_until<T, E: From<StoreError>>(
        &self,
        mut pauses: Pauses<'_>,
        doing: &'static str,
        path: &str,
        mut allowed: impl FnMut() -> Result<(), E>,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, E> {
        loop {
            allowed()?;
            match attempt() {
                Ok(value) => return Ok(value),
                Err(Failure::Passing(why)) => {
                    tracing::warn!(store = %self.url, path, why, "cannot {doing}, trying again");
                    if !pauses.wait() {
                        return Err(self.unreachable(doing, path, why).into());
                    }
                }
                Err(failure) => return Err(self.error(doing, path, failure).into()),
            }
        }
    }

    pub(super) fn pauses(&self) -> Pauses<'_> {
        Pauses { store: self, start: self.clock.ticks(), whole: self.patience.whole, backoff: PAUSES }
    }
}

/// One request, given up after a while.
pub(super) async fn cut_off<T>(
    after: Duration,
    request: impl Future<Output = object_store::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(after, request).await {
        Ok(answer) => answer.map_err(Failure::from),
        Err(_) => Err(Failure::Passing(format!("no answer within {} s", after.as_secs_f32()))),
    }
}

/// The pauses of a call, up to its deadline.
pub(super) struct Pauses<'a> {
    store: &'a Store,
    start: Ticks,
    whole: Duration,
    backoff: Backoff,
}

impl Pauses<'_> {
    /// Waits; false once the deadline has passed.
    pub(super) fn wait(&mut self) -> bool {
        if self.store.clock.ticks().since(self.start) >= self.whole {
            return false;
        }
        self.store.clock.sleep(self.backoff.jittered(&*self.store.random));
        true
    }
}
