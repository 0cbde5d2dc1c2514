//! Rebuilt tables of the lake: one object a partition, under a fixed name, replaced whole. In the order in which it is
//! best read:
//!
//! - [`file`](mod@file): a partition's Parquet to a function's [`Table`](tallow_engine::Table) and back;
//! - [`FileWriter`]: such a file, as its rows come;
//! - [`state`]: what a job's commit says about its tables: partitions, digests, inputs;
//! - [`job`]: the fenced job that replaces partitions: what it is about to write is committed before it is written, so
//!   that the next owner completes what a crash left; [`Run`]: what it commits at once;
//! - [`Stored`]: a partition between its making and its commit; [`Unfinished`]: work that commits hold for the next owner;
//! - `backup`: what was replaced, and how to bring it back;
//! - [`wanted`]: what a served table lacks; [`ids`]: where trade ids prove that nothing is lacking.

mod backup;
mod error;
pub mod file;
pub mod ids;
pub mod job;
mod parts;
mod run;
pub mod state;
mod stored;
pub mod wanted;
mod writer;

pub use error::TableError;
pub use file::{File, list};
pub use job::{Done, NewPartition, TableJob};
pub use parts::Unfinished;
pub use run::Run;
pub use state::{Input, PartitionState, RunState, TableState};
pub use stored::Stored;
pub use wanted::Wanted;
pub use writer::FileWriter;
