//! HTTP at the edge: requests out, to hosts that were allowed by name, and to no others. In the order in which it
//! is best read:
//!
//! - [`Request`], [`Response`], [`Http`]: what is asked, what comes back, and the trait that the rest of the host sees;
//! - [`AllowList`]: which origins may be talked to; [`address`]: which addresses are internal;
//! - [`Guard`]: checks where a URL leads; [`Guarded`] sends a request hop by hop. Each hop is checked against the
//!   allow-list, its name is resolved, the addresses are checked, and the connection goes to these and no others, so that a name that is resolved again
//!   to something else changes nothing;
//! - [`Wire`]: the network;
//! - [`Budget`]: how fast a server is asked.

mod address;
mod allow;
mod budget;
mod error;
mod guard;
mod message;
mod names;
mod wire;

use std::sync::Arc;

use tallow_env::Clock;

pub use allow::{AllowList, Origin, OriginError};
pub use budget::Budget;
pub use error::HttpError;
pub use guard::{Guard, Guarded, Hop, Limits, Transport};
pub use message::{Method, Request, Response};
pub use names::{Names, SystemNames};
pub use wire::Wire;

/// Sends requests. Calls block; not to be made from asynchronous code.
pub trait Http: Send + Sync {
    /// Sends one request and gives the whole answer, whatever its status.
    fn send(&self, request: &Request) -> Result<Response, HttpError>;
}

/// The machine's network, for the origins of the list.
pub fn client(allow: AllowList, limits: Limits, clock: Arc<dyn Clock>) -> Result<Guarded<Wire>, HttpError> {
    Ok(Guarded::new(allow, limits, Arc::new(SystemNames), clock, Wire::new()?))
}
