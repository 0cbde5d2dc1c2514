//! How others look on while functions work.

use std::time::Duration;

use tallow_engine::Contract;

/// Watches the calls of a pipeline's functions, and says how strict to be with them.
pub trait CallObserver: Send + Sync {
    /// A call of the parse or the window function took that long for so many records or rows.
    fn called(&self, function: Contract, took: Duration, records: usize);

    /// Whether the function is on probation: a record that it fails on is then the function's fault.
    fn is_on_probation(&self, function: Contract) -> bool;
}

/// Ignores all calls; nothing is on probation.
pub struct Unobserved;

impl CallObserver for Unobserved {
    fn called(&self, _: Contract, _: Duration, _: usize) {}

    fn is_on_probation(&self, _: Contract) -> bool {
        false
    }
}
