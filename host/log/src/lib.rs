//! The checkpoint log: what makes Tallow's results exactly once. In the order in which it is best read:
//!
//! - [`name`]: what blobs are called;
//! - [`record`]: what a log record says, by the kind of its job, and its bytes;
//! - [`draft`], [`resolve`]: decisions: what may be committed, what an answer means, what to do at a start;
//! - [`Log`]: an owned shard: open, put blobs, commit, settle;
//! - [`gc`]: what an owner removes; [`status`]: looking without owning; [`owner`]: an owner's sign of life.

pub mod draft;
pub mod error;
pub mod gc;
mod log;
pub mod name;
pub mod owner;
pub mod record;
pub mod resolve;
pub mod status;

pub use draft::Draft;
pub use error::LogError;
pub use gc::{Removed, Retention};
pub use log::{Log, Opened, read_blob};
pub use record::Record;
pub use resolve::Publication;
