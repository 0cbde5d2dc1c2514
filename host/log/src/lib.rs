//! The checkpoint log: what makes Tallow's results exactly once. In the order in which it is best read:
//!
//! - [`store`]: objects in a folder, a bucket or memory; create-if-absent with a known answer;
//! - [`body`]: an object's bytes before they are stored, in memory or in a scratch file;
//! - [`name`]: where a shard's objects are;
//! - [`digest`], [`record`]: what a log record says, and its bytes;
//! - [`draft`], [`resolve`]: decisions: what may be committed, what an answer means, what to do at a start;
//! - [`job`]: an owned shard: open, put blobs, commit, settle;
//! - [`gc`]: what an owner removes; [`status`]: looking without owning; [`owner`]: an owner's sign of life;
//! - [`conformance`]: what every store has to keep, as a suite; [`faulty`]: a store that breaks on demand, for
//!   tests and simulations.

pub mod body;
pub mod conformance;
pub mod digest;
pub mod draft;
pub mod error;
pub mod faulty;
pub mod gc;
pub mod job;
pub mod name;
pub mod owner;
pub mod record;
pub mod resolve;
pub mod status;
pub mod store;

pub use body::{Body, BodyWriter};
pub use digest::Digest;
pub use draft::Draft;
pub use error::LogError;
pub use gc::{Removed, Retention};
pub use job::{Job, Opened};
pub use record::Record;
pub use resolve::Publication;
pub use store::{Create, Found, Listed, Patience, Store, StoreError};
