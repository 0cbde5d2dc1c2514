//! Objects in a folder, a bucket or memory:
//!
//! - [`store`]: get, list, and create-if-absent with a known answer;
//! - [`body`]: an object's bytes before they are stored, in memory or in a scratch file.

pub mod body;
pub mod store;

pub use body::{Body, BodyWriter};
pub use tallow_digest::{Digest, Hasher};

pub use store::{Create, Found, Listed, Patience, Store, StoreError};
