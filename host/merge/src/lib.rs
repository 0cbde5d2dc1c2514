//! One served table of a batch table and a pipeline's window. In the order of the data's way:
//!
//! - [`settings`]: what is merged, from the manifest;
//! - [`notes`]: what the job remembers from one run to the next;
//! - [`speed`]: a day of a speed table: its files, its keys, its rows;
//! - [`sources`]: what there is to merge, and what of it changed;
//! - [`columns`]: the columns of all inputs as one;
//! - [`proof`]: windows in which nothing was traded, as ids prove;
//! - [`series`]: a key's partitions, year by year: which ones are made of what, merged by the function; [`tail`]: the end
//!   of a year, which the next one is made from; [`speed_cache`]: speed rows that partitions share;
//! - [`prophet`]: the table that a forecast takes;
//! - [`gaps`]: what is lacking, and what was mended;
//! - [`retention`]: speed files that may go;
//! - [`run`](mod@run): a whole run, and a restore.

mod columns;
mod error;
pub mod gaps;
pub mod notes;
mod proof;
mod prophet;
mod retention;
pub mod run;
mod series;
mod settings;
mod sources;
mod speed;
mod speed_cache;
mod tail;

pub use error::MergeError;
pub use notes::{Notes, peek};
pub use run::{Merger, Report, Step};
pub use settings::Settings;
