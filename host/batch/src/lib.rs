//! Files into a rebuilt table, by the stream's own functions. In the order of the data's way:
//!
//! - [`plan`]: a job of the manifest in the functions' words, its files by group;
//! - [`read_ahead`]: files to batches in one order, read ahead side by side; [`group_read`]: parsed by the stream's workers;
//! - [`beginning`]: how a file is read; [`learner`]: what its first lines say; [`header_lines`]: headers after these;
//!   [`interval`]: how far apart rows are, where no file says it; [`fit`]: whether they make whole windows;
//! - [`group_ledger`]: keeps the books of what became of each line and row, and the dead letters;
//! - [`window_accumulator`]: takes parsed rows in order into the windows; [`back`]: do they reach back further than contents
//!   are known; [`ids`]: what their ids count;
//! - [`coverage`], [`segments`]: which times rows are there for;
//! - [`window_closer`], [`step`], [`partition_builder`]: when windows close, in which pieces, and from there through the
//!   merge function into partitions; [`dead_letter_files`]: dead letters into files;
//! - [`taking`]: all of that for one group of files; [`work`]: as its lines come; [`checkpoint`]: how far it is;
//! - [`sorting`]: for a group whose rows are far out of order; [`spill`]: rows on their way through the sort;
//! - [`judgement`]: whether what was made may replace what was there; [`report`]: what became of everything;
//! - [`commits`]: what is made and not committed;
//! - [`group`]: one group from its files to its partitions;
//! - [`run`](mod@run): the whole job on one screen.

mod account;
mod back;
mod beginning;
mod checkpoint;
mod commits;
mod coverage;
mod dead_letter_files;
mod error;
mod example;
mod fit;
mod group;
mod group_build;
mod group_ledger;
mod group_read;
mod header_lines;
mod ids;
mod interval;
mod judgement;
mod learner;
mod lines_batch;
mod partition_builder;
mod plan;
mod position;
mod read_ahead;
mod report;
mod run;
mod segments;
mod services;
mod sorting;
mod spill;
mod step;
mod taking;
mod window_accumulator;
mod window_closer;
mod work;

pub use error::BatchError;
pub use plan::Plan;
pub use report::Report;
pub use run::{Outcome, run};
pub use services::{Progress, Services};
