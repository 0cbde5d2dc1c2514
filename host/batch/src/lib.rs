//! Files into a rebuilt table, by the stream's own functions. In the order of the data's way:
//!
//! - [`plan`]: a job of the manifest in the functions' words, its files by group;
//! - [`read_ahead`]: files to batches in one order, read ahead side by side; parse workers are the stream's;
//! - [`beginning`]: how a file is read, by its first lines; [`interval`]: how far apart its rows are, where nobody says it;
//!   [`fit`]: whether they make whole windows;
//! - [`group_ledger`]: keeps the books of what became of each line and row, and the dead letters;
//! - [`window_accumulator`]: takes parsed rows in order into the windows; [`back`]: do they reach back further than contents are known;
//! - [`coverage`]: which times rows are there for, and where none are;
//! - [`window_closer`], [`step`], [`partition_builder`]: when windows close, in which pieces, and from there through the merge function into
//!   partitions;
//! - [`dead_letter_files`]: dead letters into files;
//! - [`judgement`]: may what was made take the place of what is there;
//! - [`report`]: what became of everything;
//! - [`work`]: all of that for one group of files, as its lines come; [`checkpoint`]: how far it is;
//! - [`sorting`]: the same for a group whose rows are far out of order; [`spill`]: rows on their way through the sort;
//! - [`commits`]: what is made and not committed;
//! - [`group`]: one group from its files to its partitions;
//! - [`run`]: the whole job on one screen.

mod account;
pub mod back;
pub mod beginning;
pub mod checkpoint;
pub mod commits;
pub mod coverage;
pub mod dead_letter_files;
pub mod error;
pub mod example;
pub mod fit;
pub mod group;
pub mod group_build;
pub mod group_ledger;
pub mod interval;
pub mod judgement;
pub mod lines_batch;
pub mod partition_builder;
pub mod plan;
pub mod position;
pub mod read_ahead;
pub mod report;
pub mod run;
pub mod services;
pub mod sorting;
pub mod spill;
pub mod step;
pub mod window_accumulator;
pub mod window_closer;
pub mod work;
