//! The checkpoint log: what makes Tallow's results exactly once. In the order in which it is best read:
//!
//! - [`store`]: objects in a folder, a bucket or memory; create-if-absent with a known answer;
//! - [`name`]: where a shard's objects are;
//! - [`digest`], [`record`]: what a log record says, and its bytes;

pub mod digest;
pub mod name;
pub mod record;
pub mod store;

pub use digest::Digest;
pub use record::Record;
pub use store::{Create, Patience, Store, StoreError};
