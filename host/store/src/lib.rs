//! Objects in a folder, a bucket or memory:
//!
//! - [`store`]: get, list, and create-if-absent with a known answer;
//! - [`body`]: an object's bytes before they are stored, in memory or in a scratch file;
//! - [`faulty`]: a store that breaks on demand, for tests and simulations.

pub mod body;
pub mod faulty;
pub mod store;

pub use body::{Body, BodyWriter};
pub use tallow_digest::{Digest, Hasher};

pub use store::{Create, Found, Listed, Patience, Store, StoreError};
