//! What forecasts: an instance of a function, or whatever stands in for one in a test.

use std::sync::Arc;

use tallow_contract::forecast::{Description, Outcome, Request};
use tallow_engine::CallError;
use tallow_store::Digest;

/// An instance.
pub trait Model: Send {
    /// # Errors
    /// The instance trapped, or did not keep to its contract or limits.
    fn describe(&mut self) -> Result<Description, CallError>;

    /// # Errors
    /// As above, or the function refused the request.
    fn forecast(&mut self, request: &Request) -> Result<Outcome, CallError>;
}

/// A function, of which any number of threads take instances: a fresh one for each fit.
pub trait Models: Send + Sync {
    /// # Errors
    /// There is no instance to be had.
    fn open(&self) -> Result<Box<dyn Model>, CallError>;

    /// Of the function's bytes.
    fn digest(&self) -> Digest;
}

/// The two functions of a run.
#[derive(Clone)]
pub struct Functions {
    pub model: Arc<dyn Models>,
    /// The one that every model stands beside.
    pub naive: Arc<dyn Models>,
}
