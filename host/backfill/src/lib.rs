//! Fetching what the lake lacks. In the order of the data's way:
//!
//! - [`survey`]: which windows are missing or incomplete, from what the tables hold ([`tables`], [`coverage`]);
//! - [`chunk`]: cut into slices, each of whole windows, each a commit;
//! - [`fetch`]: requests within the allowance, tried again where that helps;
//! - [`compute`]: answers through the parse function and the window function;
//! - [`publish`]: the next revisions, by a commit of a chain of their own;
//! - [`services`]: what it touches, is asked for, and gives back;
//! - [`run`]: all of it, on one screen; [`auto`]: the same by itself, beside a stream.

pub mod auto;
mod chunk;
mod columns;
mod compute;
mod coverage;
pub mod error;
mod fetch;
pub mod progress;
mod publish;
mod record;
mod run;
mod services;
mod spans;
mod state;
mod survey;
mod tables;

pub use error::BackfillError;
pub use progress::{Counts, Progress};
pub use record::Fetches;
pub use run::Backfilling;
pub use services::{Services, Step, Summary};
pub use spans::Spans;
pub use state::{job_name, look};
pub use survey::Wanted;
pub use survey::{Need, Survey};
