//! Raw records as the host moves them: column by column, a few thousand at a time, in the shape that the
//! functions' contract takes (`wit/types`), with the place each record came from.

mod batch;
mod place;

pub use batch::{Batch, ByteColumn, Headers, Run};
pub use place::{Place, TopicPartition};
